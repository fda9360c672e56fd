//! The call that passes JSON through, and the strings it returns.

use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::remote::{feast_remote_t, with_remote};
use crate::error::{Code, Error, Result};

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
            let timeout = timeout(timeout_ms)?;
            with_remote(remote, |remote| {
                remote.get_online_features_json(body, (!timeout.is_zero()).then_some(timeout))
            })
        })
    }
}

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

/// Frees a string that this library returned as the caller's own.
///
/// @param string  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each string.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_string_free(string: *mut c_char) {
    guard::value((), || {
        // SAFETY: from `c_copy`, freed once as the header asks; free(NULL) does nothing.
        unsafe { libc::free(string.cast()) };
        Some(())
    });
}

/// Milliseconds from C.
pub(super) fn timeout(milliseconds: i64) -> Result<Duration> {
    u64::try_from(milliseconds)
        .map(Duration::from_millis)
        .map_err(|_| Error::argument(format!("timeout_ms: {milliseconds} is negative")))
}

/// The body of an entry point that returns text as the caller's own; the length is optional.
///
/// # Safety
/// `json`, `json_len` and `err` are NULL or writable.
unsafe fn returned_string(
    json: *mut *mut c_char,
    json_len: *mut usize,
    err: *mut *mut feast_error_t,
    make: impl FnOnce() -> Result<Vec<u8>>,
) -> feast_status_t {
    // SAFETY: promised by the caller.
    unsafe {
        guard::status(err, || {
            let mut ignored = 0;
            let json_len = if json_len.is_null() { &raw mut ignored } else { json_len };
            let length = guard::output(json_len, 0, "json_len")?;
            let out = guard::output(json, ptr::null_mut(), "json")?;
            let text = make()?;
            *out = c_copy(&text)?;
            *length = text.len();
            Ok(())
        })
    }
}

/// With malloc, because the text may contain NULs: its length cannot be found again when it is freed.
fn c_copy(text: &[u8]) -> Result<*mut c_char> {
    // SAFETY: text.len() + 1 bytes are allocated, checked, and written.
    unsafe {
        let copy = libc::malloc(text.len() + 1).cast::<u8>();
        if copy.is_null() {
            return Err(Error::new(Code::Internal, format!("no memory for {} bytes", text.len())));
        }
        ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        copy.add(text.len()).write(0);
        Ok(copy.cast())
    }
}
