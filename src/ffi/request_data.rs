//! Request data for on demand feature views.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::request::{change, feast_request_t, set_strings};
use crate::wire::request::Role;

/// Sets request data for on demand feature views to integers, one value a row, as many as the entities have. A column of the same
/// name is replaced. It is sent among the entities to Feast's Python server, and as request_context to the Go server; which of
/// them answers is learnt from its answers, or configured by the key `server`. Answers do not repeat it.
///
/// @param request  in; changed.
/// @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
/// @param values   in, n values, one a row; copied. May be NULL if n is 0.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_request_data_int64(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const i64,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            let name = guard::text(name, "name")?;
            request.set_int64(Role::RequestData, name, guard::array(values, n, "values")?)
        })
    }
}

/// Sets request data to doubles. As feast_request_set_request_data_int64().
///
/// @param request  in; changed.
/// @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
/// @param values   in, n finite values, one a row; copied. May be NULL if n is 0.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or a value that is not finite (JSON has none).
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_request_data_double(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const f64,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            let name = guard::text(name, "name")?;
            request.set_double(Role::RequestData, name, guard::array(values, n, "values")?)
        })
    }
}

/// Sets request data to booleans. As feast_request_set_request_data_int64().
///
/// @param request  in; changed.
/// @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
/// @param values   in, n values, one a row; copied. May be NULL if n is 0.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_request_data_bool(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const bool,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs. Read as bytes: a C program may have put another
    // number than 0 and 1 there, which a Rust bool must not be.
    unsafe {
        change(request, err, |request| {
            let bytes = guard::array(values.cast::<u8>(), n, "values")?;
            let name = guard::text(name, "name")?;
            request.set_bool(Role::RequestData, name, bytes.iter().map(|&byte| byte != 0))
        })
    }
}

/// Sets request data to strings. As feast_request_set_request_data_int64().
///
/// @param request  in; changed.
/// @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
/// @param values   in, n strings of UTF-8, one a row; copied.
/// @param lengths  in, n lengths in bytes, or NULL if the strings are NUL-terminated; borrowed for the call.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL (also a NULL string), a bad name, a string that is not
///         UTF-8 or has a NUL within its length.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_request_data_string(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const *const c_char,
    lengths: *const usize,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| set_strings(request, Role::RequestData, name, values, lengths, n))
    }
}

/// Sets request data to the elements of a JSON array: nulls, lists, mixed types, whatever the server understands. As
/// feast_request_set_request_data_int64().
///
/// @param request  in; changed.
/// @param name     in, its name in the on demand feature view, NUL-terminated UTF-8; copied.
/// @param json_array  in, NUL-terminated UTF-8, such as "[0.5, null]"; copied.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, text that is no JSON array, or a NUL in a
///         string of it.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_request_data_json(
    request: *mut feast_request_t,
    name: *const c_char,
    json_array: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            let name = guard::text(name, "name")?;
            request.set_json(Role::RequestData, name, guard::text(json_array, "json_array")?)
        })
    }
}
