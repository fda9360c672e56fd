//! Whether a store's server is well.

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::remote::{feast_remote_t, with_remote};

/// Asks the server's /health, or that of one of several, for which it wants no token, and waits for the answer: within the store's request_timeout_ms, with
/// its retries.
///
/// @param remote  in; borrowed for the call.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK if it answered 200; else as feast_get_online_features().
/// Thread safety: any thread, concurrently, on the same store.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_check_health(
    remote: *mut feast_remote_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || with_remote(remote, |remote| remote.check_health())) }
}

/// Makes connections before the first call needs them, for a host's readiness probe: each is made, its TLS handshake done, and
/// the server asked on it whether it is well (/health); then they are kept for calls, as after these. Of several servers each is
/// asked, and the connections are spread over those that are well; it fails only if none is.
///
/// @param remote       in; borrowed for the call.
/// @param connections  in, how many there shall be, from 1 to connection_pool_size. Calls that are under way hold theirs.
/// @param timeout_ms   in, milliseconds for all of it, not negative; with 0 nothing is sent.
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, another number or a negative time; else as feast_get_online_features(): some
///         connections may have been made.
/// Thread safety: any thread, concurrently, on the same store.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_remote_warm_up(
    remote: *mut feast_remote_t,
    connections: usize,
    timeout_ms: i64,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let timeout = guard::milliseconds(timeout_ms, "timeout_ms")?;
            with_remote(remote, |remote| remote.warm_up(connections, timeout))
        })
    }
}
