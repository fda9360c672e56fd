//! What a `feast_error_t` tells.

use std::ffi::c_char;
use std::ptr;

use super::error::*;
use super::{guard, object};
use crate::error::{Code, RowsOfWrite};

/// # Safety
/// `err` is NULL or a live error.
unsafe fn read<T>(err: *const feast_error_t, neutral: T, field: impl FnOnce(&feast_error_t) -> T) -> T {
    // SAFETY: promised by the caller.
    guard::value(neutral, || unsafe { object::borrow(err) }.map(field))
}

/// The status code of an error, the same that the failed call returned.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return the code; FEAST_OK for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_code(err: *const feast_error_t) -> feast_status_t {
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, FEAST_OK, |err| err.error.code as feast_status_t) }
}

/// What went wrong, for people: which server, what it said, how often and how long it was tried, what to do.
/// Never holds a credential.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return UTF-8, borrowed until err is freed; "" for NULL, never NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_message(err: *const feast_error_t) -> *const c_char {
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, c"".as_ptr(), |err| err.message.as_ptr()) }
}

/// The status of the last HTTP answer.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return an HTTP status; 0 if no attempt of the call was answered, and for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_http_status(err: *const feast_error_t) -> i32 {
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, 0, |err| i32::from(err.error.http_status)) }
}

/// The class of Feast's exception, such as FeatureViewNotFoundException.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return UTF-8, borrowed until err is freed; NULL if the server named none, and for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_feast_class(err: *const feast_error_t) -> *const c_char {
    let class = |err: &feast_error_t| err.feast_class.as_ref().map_or(ptr::null(), |class| class.as_ptr());
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, ptr::null(), class) }
}

/// HTTP attempts that were begun for the call; of a call in parts, for the part that failed.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return a count; 0 if the call failed before the first attempt, and for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_attempts(err: *const feast_error_t) -> u32 {
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, 0, |err| err.error.attempts) }
}

/// The server of the call's last attempt: its URL without credentials, and in brackets its address if each address is a server
/// of its own (the configuration key `resolve`). feast_error_message() names all that were tried.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return UTF-8, borrowed until err is freed; NULL if the call failed before its first attempt, and for NULL.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_server(err: *const feast_error_t) -> *const c_char {
    let server = |err: &feast_error_t| {
        err.error.server.as_ref().map_or(ptr::null(), |server| server.as_c_str().as_ptr())
    };
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, ptr::null(), server) }
}

/// Whether the same call may succeed later although nobody changes it: the fault lay with the network, the
/// load, or a server in trouble.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return true if trying again later makes sense; false for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_is_retriable(err: *const feast_error_t) -> bool {
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, false, |err| err.error.retriable) }
}

/// Of a write that failed: the rows that the server has said are written.
///
/// @param err  in, may be NULL; borrowed for the call.
/// @return rows; 0 for NULL and for an error of something else.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_rows_written(err: *const feast_error_t) -> u64 {
    // SAFETY: the header asks for NULL or a live error.
    unsafe { read(err, 0, |err| err.error.rows.as_ref().map_or(0, |rows| rows.written)) }
}

/// Of a write that failed: the rows that were not written, as far as the server has said.
///
/// @param err    in, may be NULL; borrowed for the call.
/// @param count  out, may be NULL, borrowed for the call: how many there are.
/// @return their numbers in the frame, from 0, in ascending order, borrowed until err is freed; NULL for NULL and for an error
///         of something else.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_unwritten_rows(
    err: *const feast_error_t,
    count: *mut usize,
) -> *const u64 {
    // SAFETY: the header asks for NULL or a live error, and for NULL or a place for the count.
    guard::value(ptr::null(), || unsafe { rows(err, count, |rows| &rows.unwritten) })
}

/// Of a write that failed: those of the rows not written that may be written all the same, since they were sent and the server's
/// word is missing: the connection broke, the time was up, or a proxy answered 502, 503 or 504.
///
/// @param err    in, may be NULL; borrowed for the call.
/// @param count  out, may be NULL, borrowed for the call: how many there are.
/// @return as feast_error_unwritten_rows().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_doubtful_rows(
    err: *const feast_error_t,
    count: *mut usize,
) -> *const u64 {
    // SAFETY: the header asks for NULL or a live error, and for NULL or a place for the count.
    guard::value(ptr::null(), || unsafe { rows(err, count, |rows| &rows.doubtful) })
}

/// # Safety
/// `err` is NULL or a live error, `count` is NULL or writable.
unsafe fn rows(
    err: *const feast_error_t,
    count: *mut usize,
    which: impl FnOnce(&RowsOfWrite) -> &Vec<u64>,
) -> Option<*const u64> {
    // SAFETY: promised by the caller.
    unsafe {
        if !count.is_null() {
            count.write(0);
        }
        let rows = object::borrow(err)?.error.rows.as_deref().map(which)?;
        if !count.is_null() {
            count.write(rows.len());
        }
        Some(rows.as_ptr())
    }
}

/// Frees an error.
///
/// @param err  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each error.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_error_free(err: *mut feast_error_t) {
    // SAFETY: made by `boxed`, and freed once as the header asks.
    guard::value((), || unsafe { object::take(err) }.map(drop));
}

/// The name of a status code, such as "TIMEOUT" for FEAST_TIMEOUT, for logs and bindings.
///
/// @param code  in, any number.
/// @return a static string, "UNKNOWN" for a number that is no code; never NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn feast_status_name(code: feast_status_t) -> *const c_char {
    guard::value(c"UNKNOWN", || {
        let known = Code::ALL.into_iter().find(|&known| known as feast_status_t == code);
        Some(match known {
            None if code == FEAST_OK => c"OK",
            None => c"UNKNOWN",
            Some(Code::InvalidArgument) => c"INVALID_ARGUMENT",
            Some(Code::Config) => c"CONFIG",
            Some(Code::Closed) => c"CLOSED",
            Some(Code::Cancelled) => c"CANCELLED",
            Some(Code::Overloaded) => c"OVERLOADED",
            Some(Code::Timeout) => c"TIMEOUT",
            Some(Code::Connect) => c"CONNECT",
            Some(Code::Tls) => c"TLS",
            Some(Code::Io) => c"IO",
            Some(Code::Unauthenticated) => c"UNAUTHENTICATED",
            Some(Code::PermissionDenied) => c"PERMISSION_DENIED",
            Some(Code::NotFound) => c"NOT_FOUND",
            Some(Code::InvalidRequest) => c"INVALID_REQUEST",
            Some(Code::Throttled) => c"THROTTLED",
            Some(Code::Server) => c"SERVER",
            Some(Code::Decode) => c"DECODE",
            Some(Code::Type) => c"TYPE",
            Some(Code::Internal) => c"INTERNAL",
            Some(Code::Panic) => c"PANIC",
        })
    })
    .as_ptr()
}
