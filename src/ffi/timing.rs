//! Where the time of a call went.

use std::ffi::c_char;

use super::error::feast_error_t;
use super::response::feast_response_t;
use super::{guard, object};
use crate::server_name::ServerName;
use crate::timing::Timing;

/// The last attempt was carried by a connection kept from before.
pub const FEAST_TIMING_REUSED: u32 = 1;
/// It made a connection.
pub const FEAST_TIMING_NEW_CONNECTION: u32 = 2;
/// The request asked for other calls, too (merge_max_rows).
pub const FEAST_TIMING_MERGED: u32 = 4;
/// The request went out twice at a time (hedge_percent).
pub const FEAST_TIMING_HEDGED: u32 = 8;

/// Where the time of one call went, in microseconds. The phases from merge_wait_us to decode_us make total_us. Fields are only
/// ever added, behind the others: a program sets `size` to sizeof(feast_timing_t) as it knows it, and gets so many of them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct feast_timing_t {
    /// In: sizeof(feast_timing_t). Out: the bytes that were filled in; what the program knows beyond them is 0.
    pub size: usize,
    /// When the call began, in nanoseconds since 1970-01-01 UTC.
    pub start_unix_ns: i64,
    /// Waiting to be merged with other calls.
    pub merge_wait_us: u64,
    /// Attempts before the last one, and the pauses after them.
    pub retries_us: u64,
    /// Waiting for a token and a free connection, before the last attempt; of an asynchronous call also for the driver.
    pub queue_us: u64,
    /// Name lookup and TCP connection, if the last attempt made a connection. Likewise below.
    pub connect_us: u64,
    /// TLS handshake.
    pub tls_us: u64,
    /// From then to the first byte of the answer.
    pub first_byte_us: u64,
    /// From then to its last byte.
    pub transfer_us: u64,
    /// From bytes to columns.
    pub decode_us: u64,
    /// The whole call; of an asynchronous one without the time that its event waited in the queue.
    pub total_us: u64,
    /// Of the request's body.
    pub bytes_sent: u64,
    /// Of the answer's body, of all its parts.
    pub bytes_received: u64,
    /// Of the answer.
    pub rows: u64,
    /// Calls that the request asked for.
    pub calls_in_request: u64,
    /// HTTP attempts.
    pub attempts: u32,
    /// Of the last answer; 0 if there was none.
    pub http_status: i32,
    /// FEAST_TIMING_ numbers, joined by |.
    pub flags: u32,
    /// The server that answered, as feast_response_server() and feast_error_server() have it; NULL: none was asked. Borrowed as
    /// long as the response or error lives.
    pub server: *const c_char,
}

/// # Safety
/// `timing` is NULL, or points to a struct of the size that it says.
unsafe fn fill(
    timing: *mut feast_timing_t,
    found: &Timing,
    rows: usize,
    server: Option<&ServerName>,
) -> Option<bool> {
    if timing.is_null() || !timing.is_aligned() {
        return None;
    }
    // SAFETY: promised by the caller; the size is the first field in every version.
    let size = unsafe { timing.cast::<usize>().read() };
    // More than any version will have: it was not set.
    if !(size_of::<usize>()..=4096).contains(&size) {
        return None;
    }
    let merged = if found.calls_in_request > 1 { FEAST_TIMING_MERGED } else { 0 };
    let reused = if found.reused { FEAST_TIMING_REUSED } else { 0 };
    let new = if found.new_connection { FEAST_TIMING_NEW_CONNECTION } else { 0 };
    let hedged = if found.hedged { FEAST_TIMING_HEDGED } else { 0 };
    let filled = size.min(size_of::<feast_timing_t>());
    let ours = feast_timing_t {
        size: filled,
        start_unix_ns: found.start_unix_ns,
        merge_wait_us: found.merge_wait_us,
        retries_us: found.retries_us,
        queue_us: found.queue_us,
        connect_us: found.connect_us,
        tls_us: found.tls_us,
        first_byte_us: found.first_byte_us,
        transfer_us: found.transfer_us,
        decode_us: found.decode_us,
        total_us: found.total_us,
        bytes_sent: found.bytes_sent,
        bytes_received: found.bytes_received,
        rows: rows as u64,
        calls_in_request: found.calls_in_request.max(1),
        attempts: found.attempts,
        http_status: found.http_status.into(),
        flags: merged | reused | new | hedged,
        server: server.map_or(std::ptr::null(), |server| server.as_c_str().as_ptr()),
    };
    // SAFETY: promised by the caller: so many bytes are there, of which ours are copied and the rest cleared.
    unsafe {
        std::ptr::copy_nonoverlapping((&raw const ours).cast::<u8>(), timing.cast::<u8>(), filled);
        timing.cast::<u8>().add(filled).write_bytes(0, size - filled);
    }
    Some(true)
}

/// Tells where the time of the call went that this response answers.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param timing    in and out, may be NULL; its size is set by the caller; changed.
/// @return whether it was filled in; false for NULL, and for a size that cannot be.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_timing(
    response: *const feast_response_t,
    timing: *mut feast_timing_t,
) -> bool {
    guard::value(false, || {
        // SAFETY: the header asks for NULL or a live response, and for NULL or a struct of the size that it says.
        unsafe {
            let response = &object::borrow(response)?.response;
            fill(timing, response.timing(), response.num_rows(), response.server())
        }
    })
}

/// Tells where the time of the call went that failed with this error.
///
/// @param err     in, may be NULL; borrowed for the call.
/// @param timing  in and out, may be NULL; its size is set by the caller; changed.
/// @return whether it was filled in; false for NULL, for a size that cannot be, and for an error that came before the call
///         began: of an argument, of the configuration.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_timing(err: *const feast_error_t, timing: *mut feast_timing_t) -> bool {
    guard::value(false, || {
        // SAFETY: the header asks for NULL or a live error, and for NULL or a struct of the size that it says.
        unsafe {
            let error = &object::borrow(err)?.error;
            fill(timing, error.timing.as_deref()?, 0, error.server.as_ref())
        }
    })
}
