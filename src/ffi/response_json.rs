//! A `feast_response_t` as JSON.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::response::feast_response_t;
use super::string::returned_string;
use crate::wire::answer::to_json::to_json;

/// The whole answer as one JSON object, for languages whose JSON parser is their quickest way to values of their own: each column's
/// name, in the order of the columns, with an array of a value for each row.
///
/// A value is null where there is none, and else by the column's type: BOOL true or false; INT32 and INT64 an integer; FLOAT and
/// DOUBLE a number with a point or an exponent which reads back to the same, or NaN, Infinity or -Infinity, which Python's parser
/// takes and strict ones refuse; STRING a string; BYTES a string of base64; UNIX_TIMESTAMP seconds since 1970; JSON what it is, not
/// in quotes; a list an array of these. Where two columns have one name, the object has it twice.
///
/// @param response  in; borrowed for the call.
/// @param json      out, set to NULL first, on success UTF-8 with a NUL behind it; free with feast_string_free().
/// @param json_len  out, may be NULL, set to 0 first; bytes of the text without the NUL.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL; FEAST_INTERNAL without memory.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_to_json(
    response: *const feast_response_t,
    json: *mut *mut c_char,
    json_len: *mut usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        returned_string(json, json_len, err, || to_json(&guard::object(response, "response")?.response))
    }
}
