//! Columns by name, as the type that is asked for.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::response::feast_response_t;
use crate::columns::{Element, FixedWidth, Items, Response, Type};
use crate::error::{Code, Error, Result};

/// A NULL validity is allowed: then nulls cannot be told from zeros.
///
/// # Safety
/// `validity` is NULL or writable, and the other arguments are as for [`guard::object`] and [`guard::text`].
pub(super) unsafe fn named<'a>(
    response: *const feast_response_t,
    name: *const c_char,
    validity: *mut *const u8,
) -> Result<(&'a Response, usize)> {
    // SAFETY: promised by the caller.
    unsafe {
        if !validity.is_null() {
            validity.write(ptr::null());
        }
        let response = &guard::object(response, "response")?.response;
        let column = response.column_named(guard::text(name, "name")?)?;
        Ok((response, column))
    }
}

/// # Safety
/// `validity` is NULL or writable.
pub(super) unsafe fn tell_validity(response: &Response, column: usize, validity: *mut *const u8) {
    if !validity.is_null() {
        // SAFETY: writable, as promised by the caller.
        unsafe { validity.write(response.validity(column).map_or(ptr::null(), <[u8]>::as_ptr)) };
    }
}

/// The rule of [`Response::items_as`] was broken.
pub(super) fn odd_items() -> Error {
    Error::new(Code::Internal, "a column was not converted")
}

/// # Safety
/// `values` is NULL or writable, the others are as for [`named`].
unsafe fn give_values<T: FixedWidth>(
    response: *const feast_response_t,
    name: *const c_char,
    values: *mut *const T,
    validity: *mut *const u8,
) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe {
        let values = guard::output(values, ptr::null(), "values");
        let (response, column) = named(response, name, validity)?;
        let values = values?;
        let found = response.items_as(column, Type::of(T::ELEMENT))?;
        *values = T::slice(found).ok_or_else(odd_items)?.as_ptr();
        tell_validity(response, column, validity);
        Ok(())
    }
}

/// The values of the column with this name, as booleans, each one byte, 1 for true and 0 for false.
/// A column without any value is all zeros.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
///         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_bool(
    response: *const feast_response_t,
    name: *const c_char,
    values: *mut *const u8,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_values(response, name, values, validity)) }
}

/// The values of the column with this name, as integers of 32 bits.
/// A column without any value is all zeros. Numbers of other types are converted if each is exactly an integer
/// of 32 bits.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
///         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_int32(
    response: *const feast_response_t,
    name: *const c_char,
    values: *mut *const i32,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_values(response, name, values, validity)) }
}

/// The values of the column with this name, as integers of 64 bits, or seconds since 1970-01-01 UTC of a UNIX_TIMESTAMP column.
/// A column without any value is all zeros. Numbers of other types are converted if each is exactly an integer of 64 bits.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
///         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_int64(
    response: *const feast_response_t,
    name: *const c_char,
    values: *mut *const i64,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_values(response, name, values, validity)) }
}

/// The values of the column with this name, as numbers of 32 bits.
/// A column without any value is all zeros. Reals are rounded as numpy.float32 does; integers are converted if each is
/// exactly such a number.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
///         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_float(
    response: *const feast_response_t,
    name: *const c_char,
    values: *mut *const f32,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_values(response, name, values, validity)) }
}

/// The values of the column with this name, as numbers of 64 bits.
/// A column without any value is all zeros. Integers are converted if each is exactly such a number; a server may
/// write 1 for 1.0.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param values    out, set to NULL first, one value a row, 0 where null; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
///         are; FEAST_WRONG_TYPE for a column of another type, or a value that cannot be converted: the message names both.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_double(
    response: *const feast_response_t,
    name: *const c_char,
    values: *mut *const f64,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_values(response, name, values, validity)) }
}

/// The text of the column with this name, or the bytes of a BYTES column, as feast_response_column_string(). A column without
/// any value is all empty texts.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param offsets   out, set to NULL first, rows + 1 offsets into data; borrowed until response is freed.
/// @param data      out, set to NULL first, UTF-8 (or any bytes for BYTES); borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a value, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or if there is no such column: the message names those that there
///         are; FEAST_WRONG_TYPE for a column that is not STRING, BYTES or JSON.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_string(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    data: *mut *const c_char,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let offsets = guard::output(offsets, ptr::null(), "offsets");
            let data = guard::output(data, ptr::null(), "data");
            let (response, column) = named(response, name, validity)?;
            let (offsets, data) = (offsets?, data?);
            let Items::Text(ends, text) = response.items_as(column, Type::of(Element::String))? else {
                return Err(odd_items());
            };
            *offsets = ends.as_ptr();
            *data = text.as_ptr().cast();
            tell_validity(response, column, validity);
            Ok(())
        })
    }
}
