//! `feast_response_t`.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::Arc;

use super::error::{feast_error_t, feast_status_t};
use super::types::{FEAST_TYPE_INVALID, feast_type_t};
use super::{guard, object};
use crate::columns::{Element, FixedWidth, Items, Response, Type};
use crate::error::{Code, Error};

/// A field status that this library does not know, or that the server calls INVALID.
pub const FEAST_FIELD_STATUS_INVALID: u8 = 0;
/// The value is there (Feast says so of a null that was written, too).
pub const FEAST_FIELD_STATUS_PRESENT: u8 = 1;
/// The value is null.
pub const FEAST_FIELD_STATUS_NULL_VALUE: u8 = 2;
/// The online store has no row for the entity.
pub const FEAST_FIELD_STATUS_NOT_FOUND: u8 = 3;
/// The row is older than the feature view's ttl.
pub const FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE: u8 = 4;
/// The same as FEAST_FIELD_STATUS_INVALID, by its older name.
pub const FEAST_STATUS_INVALID: u8 = 0;
/// The same as FEAST_FIELD_STATUS_PRESENT, by its older name.
pub const FEAST_STATUS_PRESENT: u8 = 1;
/// The same as FEAST_FIELD_STATUS_NULL_VALUE, by its older name.
pub const FEAST_STATUS_NULL_VALUE: u8 = 2;
/// The same as FEAST_FIELD_STATUS_NOT_FOUND, by its older name.
pub const FEAST_STATUS_NOT_FOUND: u8 = 3;
/// The same as FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE, by its older name.
pub const FEAST_STATUS_OUTSIDE_MAX_AGE: u8 = 4;

/// An answer. Opaque; free with feast_response_free(). It stands on its own: the request may be changed and the
/// store closed. Immutable, so any thread may read it.
///
/// Columns: first the entities that the server repeats, in the order of the request (request data for on-demand
/// feature views is not repeated); then the features in the order in which they were added, or for a feature
/// service in the server's order.
///
/// Types: a feature that was added with feast_request_add_typed_feature() has the type declared. Others get the
/// narrowest that holds every value, whatever the order of the rows: integers INT64; numbers DOUBLE, if each
/// integer among them is exactly a double; booleans BOOL; strings STRING; lists of these the type of lists (an empty
/// one fits all). Among numbers the strings "NaN", "Infinity", "Inf", each of the last two
/// with a sign or without, are doubles, as
/// servers write them. Anything else is JSON: maps, lists of lists, mixed values, numbers beyond a double. A column
/// without any value is NULL.
pub struct feast_response_t {
    pub(super) response: Arc<Response>,
}

impl feast_response_t {
    pub(super) fn boxed(response: Response) -> *mut feast_response_t {
        object::give(feast_response_t { response: Arc::new(response) })
    }
}

/// Frees an answer and every pointer that was got from it.
///
/// @param response  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each response.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_free(response: *mut feast_response_t) {
    // SAFETY: made by `boxed`, and freed once as the header asks.
    guard::value((), || unsafe { object::take(response) }.map(drop));
}

/// # Safety
/// `response` is NULL or a live response.
pub(super) unsafe fn read<T>(
    response: *const feast_response_t,
    neutral: T,
    field: impl FnOnce(&Response) -> Option<T>,
) -> T {
    // SAFETY: promised by the caller.
    guard::value(neutral, || field(&unsafe { object::borrow(response) }?.response))
}

/// The number of rows, the same in every column.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @return rows; 0 for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_num_rows(response: *const feast_response_t) -> usize {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, 0, |response| Some(response.num_rows())) }
}

/// The number of calls that the request to the server asked for which brought this answer: more than 1 where it was merged
/// with others (merge_max_rows).
///
/// @param response  in, may be NULL; borrowed for the call.
/// @return calls, at least 1; 0 for NULL.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_calls_in_request(response: *const feast_response_t) -> usize {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, 0, |response| Some(response.calls_in_request())) }
}

/// The server that gave this answer: its URL without credentials, and in brackets its address if each address is a server of
/// its own (the configuration key `resolve`). Of a call that went out in parts (max_rows_per_request) all that gave some, with
/// ", " between them.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @return UTF-8, borrowed until the response is freed; NULL for NULL.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_server(response: *const feast_response_t) -> *const c_char {
    let server = |response: &Response| response.server().map(|server| server.as_c_str().as_ptr());
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), server) }
}

/// The number of columns, entities included.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @return columns; 0 for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_num_columns(response: *const feast_response_t) -> usize {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, 0, |response| Some(response.num_columns())) }
}

/// The number of entity columns; they come first.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @return entity columns; 0 for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_num_entities(response: *const feast_response_t) -> usize {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, 0, |response| Some(response.num_entities())) }
}

/// A column's name: the join key, the feature, or with full feature names view__feature.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return NUL-terminated UTF-8, borrowed until response is freed; NULL if there is no such column.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_name(
    response: *const feast_response_t,
    column: usize,
) -> *const c_char {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| Some(response.name_with_nul(column)?.as_ptr().cast())) }
}

/// Finds a column by its name.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param name      in, may be NULL, NUL-terminated UTF-8; borrowed for the call.
/// @return the first such column, from 0; SIZE_MAX if there is none.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_find_column(
    response: *const feast_response_t,
    name: *const c_char,
) -> usize {
    // SAFETY: the header asks for NULL or live arguments.
    unsafe {
        read(response, usize::MAX, |response| {
            if name.is_null() {
                return None;
            }
            response.find_column(CStr::from_ptr(name).to_bytes())
        })
    }
}

/// A column's type.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return a FEAST_TYPE_ number; FEAST_TYPE_INVALID if there is no such column.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_type(
    response: *const feast_response_t,
    column: usize,
) -> feast_type_t {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, FEAST_TYPE_INVALID, |response| Some(response.column_type(column)?.number())) }
}

fn inferred<T: FixedWidth>(response: &Response, column: usize) -> Option<*const T> {
    Some(T::slice(response.inferred_as(column, T::ELEMENT)?)?.as_ptr())
}

/// The values of an INT64 or UNIX_TIMESTAMP column.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
///         value at all.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_int64(
    response: *const feast_response_t,
    column: usize,
) -> *const i64 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| inferred(response, column)) }
}

/// The values of an INT32 column.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
///         value at all.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_int32(
    response: *const feast_response_t,
    column: usize,
) -> *const i32 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| inferred(response, column)) }
}

/// The values of a DOUBLE column, or of an INT64 column if each is exactly a double: a server may write 1 for 1.0.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
///         value at all.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_double(
    response: *const feast_response_t,
    column: usize,
) -> *const f64 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| inferred(response, column)) }
}

/// The values of a FLOAT column.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
///         value at all.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_float(
    response: *const feast_response_t,
    column: usize,
) -> *const f32 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| inferred(response, column)) }
}

/// The values of a BOOL column, each one byte, 1 for true and 0 for false.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return one value a row, 0 where null, borrowed until response is freed; NULL for a column of another type, unless it has no
///         value at all.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_bool(
    response: *const feast_response_t,
    column: usize,
) -> *const u8 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| inferred(response, column)) }
}

/// The text of a STRING or JSON column, or the bytes of a BYTES column. Row i is data[offsets[i]] up to
/// data[offsets[i + 1]], without a NUL behind it; a null has no bytes.
///
/// @param response  in; borrowed for the call.
/// @param column    in, from 0.
/// @param offsets   out, set to NULL first, rows + 1 offsets into data; borrowed until response is freed.
/// @param data      out, set to NULL first, UTF-8 (or any bytes for BYTES); borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or if there is no such column; FEAST_WRONG_TYPE for a column of
///         another type.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_string(
    response: *const feast_response_t,
    column: usize,
    offsets: *mut *const i64,
    data: *mut *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let offsets = guard::output(offsets, ptr::null(), "offsets");
            let data = guard::output(data, ptr::null(), "data")?;
            let offsets = offsets?;
            let response = &guard::object(response, "response")?.response;
            let found = match response.column_type(column) {
                Some(Type::NULL) => match response.items_as(column, Type::of(Element::String))? {
                    Items::Text(offsets, text) => Some((offsets, text)),
                    _ => None,
                },
                _ => response.string(column),
            };
            let Some((found_offsets, found_data)) = found else {
                return Err(of_another_type(response, column, "STRING, BYTES or JSON"));
            };
            *offsets = found_offsets.as_ptr();
            *data = found_data.as_ptr().cast();
            Ok(())
        })
    }
}

pub(super) fn of_another_type(response: &Response, column: usize, wanted: &str) -> Error {
    match response.column_type(column) {
        None => Error::argument(format!(
            // SIZE_MAX, for a name that was not found, is -1 to people.
            "there is no column {}, the response has {}",
            column as isize,
            response.num_columns()
        )),
        Some(kind) => {
            Error::new(Code::Type, format!("column {column} is of type {}, not {wanted}", kind.name()))
        }
    }
}

/// Which rows of a column have a value, as Arrow's validity bitmap: bit i % 8 (from the lowest) of byte i / 8 is
/// 1 for a value and 0 for a null.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return (rows + 7) / 8 bytes, borrowed until response is freed; NULL if there are no nulls, or no such column.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_validity(
    response: *const feast_response_t,
    column: usize,
) -> *const u8 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| Some(response.validity(column)?.as_ptr())) }
}

/// Feast's field status of each row. A server that sends none yields FEAST_FIELD_STATUS_PRESENT for values
/// and FEAST_FIELD_STATUS_NULL_VALUE for nulls.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return a FEAST_FIELD_STATUS_ number a row, borrowed until response is freed; NULL if there is no such column.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_statuses(
    response: *const feast_response_t,
    column: usize,
) -> *const u8 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| Some(response.statuses(column)?.as_ptr())) }
}

/// The event timestamp of each row, in nanoseconds since 1970-01-01 UTC; 0 for entities and for rows that were
/// not found. A year that these cannot reach (before 1677, after 2262) is INT64_MIN or INT64_MAX.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return one timestamp a row, borrowed until response is freed; NULL if the server sent none, or there is no
///         such column.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_event_timestamps_ns(
    response: *const feast_response_t,
    column: usize,
) -> *const i64 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| Some(response.event_timestamps(column)?.as_ptr())) }
}
