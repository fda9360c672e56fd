//! The figures of a store.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::remote::{feast_remote_t, with_remote};
use super::string::returned_string;

/// The store's figures so far, as one JSON object: calls, attempts, retries by cause, connections, latencies.
/// STATISTICS.md lists the fields with their units; more may be added.
///
/// @param remote    in; borrowed for the call.
/// @param json      out, set to NULL first, on success NUL-terminated UTF-8; free with feast_string_free().
/// @param json_len  out, may be NULL, set to 0 first; bytes of the text without the NUL.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_CLOSED; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: any thread, concurrently, on the same store.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_stats_json(
    remote: *mut feast_remote_t,
    json: *mut *mut c_char,
    json_len: *mut usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        returned_string(json, json_len, err, || {
            with_remote(remote, |remote| Ok(remote.stats_json().into_bytes()))
        })
    }
}
