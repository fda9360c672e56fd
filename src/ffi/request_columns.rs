//! What is said of a request's columns beforehand: types, lengths of lists, missing values.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::request::{change, feast_request_t};
use super::types::feast_type_t;
use super::{guard, object};
use crate::columns::{Element, Type};
use crate::error::{Error, Result};

/// A type that columns can be declared as.
fn declared(number: feast_type_t) -> Result<Type> {
    Type::from_number(number)
        .filter(|kind| kind.element != Element::Null)
        .ok_or_else(|| Error::argument(format!("{number} is no type that a column can be declared as")))
}

/// Asks for a feature whose column shall have this type, as feast_request_add_feature(). Values are converted
/// exactly or not at all: one that does not fit makes the call fail with FEAST_WRONG_TYPE and the feature, row and value.
/// BYTES undoes the base64 of the servers; UNIX_TIMESTAMP reads integers of seconds and RFC 3339 text without a
/// fraction of a second; FLOAT rounds reals as numpy.float32 does, and refuses integers that it would round; integer
/// types take reals without a fraction; JSON takes anything. A column without any value has the type nevertheless.
///
/// @param request  in; changed.
/// @param feature  in, "view:feature" or "view@v2:feature", NUL-terminated UTF-8; copied.
/// @param type     in, a FEAST_TYPE_ number other than NULL and NULL_LIST.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT as feast_request_add_feature(), or if there is no such type.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_add_typed_feature(
    request: *mut feast_request_t,
    feature: *const c_char,
    r#type: feast_type_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.add_typed_feature(guard::text(feature, "feature")?, declared(r#type)?)
        })
    }
}

/// Asks for a feature of lists of a fixed length, such as an embedding. A list of another length fails the call with
/// FEAST_WRONG_TYPE and the row, and matrices have that many columns for it, also where every row is null.
///
/// @param request      in; changed.
/// @param feature      in, "view:feature" or "view@v2:feature", NUL-terminated UTF-8; copied.
/// @param type         in, a FEAST_TYPE_ number of lists other than NULL_LIST.
/// @param list_length  in, items of each list, from 1 to 1048576.
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT as feast_request_add_typed_feature(), or for another type or length.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_add_list_feature(
    request: *mut feast_request_t,
    feature: *const c_char,
    r#type: feast_type_t,
    list_length: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.add_list_feature(guard::text(feature, "feature")?, declared(r#type)?, list_length)
        })
    }
}

/// Says of what type a column of the answer shall be, by its name there: a feature of a feature service, request data, an
/// entity. As feast_request_add_typed_feature(), whose type goes before this one. A name that the answer does not have is not
/// missed.
///
/// @param request      in; changed.
/// @param name         in, the column's name in the answer, NUL-terminated UTF-8; copied.
/// @param type         in, a FEAST_TYPE_ number other than NULL and NULL_LIST.
/// @param list_length  in, for a type of lists the items of each list, as feast_request_add_list_feature(); 0 if that is open,
///                     and for other types.
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or if there is no such type.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_declare_column(
    request: *mut feast_request_t,
    name: *const c_char,
    r#type: feast_type_t,
    list_length: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.declare_column(guard::text(name, "name")?, declared(r#type)?, list_length)
        })
    }
}

/// Says what stands for a missing value of one feature in matrices, in place of the `missing` of the call: -1 here, a mean there.
///
/// @param request  in; changed.
/// @param feature  in, a feature that was added, "view:feature", or the name of a column in the answer of a feature service,
///                 NUL-terminated UTF-8; copied.
/// @param missing  in, any number, NaN too; one that the matrix's type cannot hold fails the filling.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or a feature that was not added.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_missing_value(
    request: *mut feast_request_t,
    feature: *const c_char,
    missing: f64,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| request.set_missing_value(guard::text(feature, "feature")?, missing))
    }
}

/// How many columns a matrix of a request's features takes: one for each, and for a declared list its length. So many must
/// row_stride be at the least.
///
/// @param request  in, may be NULL; borrowed for the call.
/// @return columns; 0 if that cannot be known: a feature service, or a type of lists whose length is not declared.
/// Thread safety: any thread, if no other one changes request meanwhile.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_matrix_width(request: *const feast_request_t) -> usize {
    // SAFETY: the header asks for NULL or a live request.
    guard::value(0, || unsafe { object::borrow(request) }?.request.matrix_width())
}
