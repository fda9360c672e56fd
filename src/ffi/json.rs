//! The call that passes JSON through.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::remote::{feast_remote_t, with_remote};
use super::string::returned_string;

/// Sends a JSON body of the caller's own to the server's /get-online-features and returns the server's JSON as
/// it came, with the same connections, deadline, retries and errors as feast_get_online_features().
///
/// @param remote      in; borrowed for the call.
/// @param body        in, len bytes of UTF-8; borrowed for the call. Not looked into.
/// @param len         in, bytes of body.
/// @param timeout_ms  in, milliseconds for the whole call; 0: the store's request_timeout_ms.
/// @param json        out, set to NULL first, the answer on success, with a NUL behind it; free with
///                    feast_string_free().
/// @param json_len    out, may be NULL, set to 0 first; bytes of the answer without the NUL.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_get_online_features(); FEAST_DECODE if the answer is not one whole JSON text of at most
///         128 levels, whatever that says.
/// Thread safety: any thread, concurrently, on the same store.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_get_online_features_json(
    remote: *mut feast_remote_t,
    body: *const c_char,
    len: usize,
    timeout_ms: i64,
    json: *mut *mut c_char,
    json_len: *mut usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        returned_string(json, json_len, err, || {
            let body = guard::array(body.cast::<u8>(), len, "body")?;
            guard::utf8(body, "body")?;
            let timeout = guard::milliseconds(timeout_ms, "timeout_ms")?;
            with_remote(remote, |remote| {
                remote.get_online_features_json(body, (!timeout.is_zero()).then_some(timeout))
            })
        })
    }
}
