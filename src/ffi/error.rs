//! The status numbers, and `feast_error_t` as it is made; what it tells is in `error_fields`.

use std::ffi::CString;

use super::object;
use crate::error::Error;

/// The result of a call: FEAST_OK or one of the numbers below. Numbers are never reused.
pub type feast_status_t = i32;

/// Success.
pub const FEAST_OK: feast_status_t = 0;
/// The caller passed something that cannot be used; the message says what.
pub const FEAST_INVALID_ARGUMENT: feast_status_t = 101;
/// A configuration key or value cannot be used.
pub const FEAST_CONFIG: feast_status_t = 102;
/// The store was closed before or during the call.
pub const FEAST_CLOSED: feast_status_t = 103;
/// The call was cancelled.
pub const FEAST_CANCELLED: feast_status_t = 104;
/// No connection of the pool came free before the deadline, or while there was time enough for such a call.
pub const FEAST_OVERLOADED: feast_status_t = 202;
/// The deadline passed.
pub const FEAST_TIMEOUT: feast_status_t = 301;
/// No connection could be made.
pub const FEAST_CONNECT: feast_status_t = 302;
/// TLS failed: a certificate that does not verify, or a broken handshake.
pub const FEAST_TLS: feast_status_t = 303;
/// The connection broke before the whole answer was there.
pub const FEAST_IO: feast_status_t = 304;
/// HTTP 401.
pub const FEAST_UNAUTHENTICATED: feast_status_t = 401;
/// HTTP 403.
pub const FEAST_PERMISSION_DENIED: feast_status_t = 403;
/// HTTP 404: no such feature view or feature service, or no feature server at this URL.
pub const FEAST_NOT_FOUND: feast_status_t = 404;
/// HTTP 422 and every other 4xx without a number of its own here.
pub const FEAST_INVALID_REQUEST: feast_status_t = 422;
/// HTTP 429.
pub const FEAST_THROTTLED: feast_status_t = 429;
/// HTTP 5xx and everything else that is not a 200. Feast's Python server answers most mistakes of the caller
/// with 500; feast_error_message() has its words.
pub const FEAST_SERVER: feast_status_t = 500;
/// The answer cannot be read, or does not fit the request.
pub const FEAST_DECODE: feast_status_t = 501;
/// A value does not fit the type that it was asked for in.
pub const FEAST_TYPE: feast_status_t = 502;
/// This library or libcurl failed in a way that should not happen.
pub const FEAST_INTERNAL: feast_status_t = 901;
/// A bug in this library, contained.
pub const FEAST_PANIC: feast_status_t = 902;

/// A failed call's error. Opaque; free with feast_error_free(). Immutable, so any thread may read it.
pub struct feast_error_t {
    pub(super) error: Error,
    pub(super) message: CString,
    pub(super) feast_class: Option<CString>,
}

impl feast_error_t {
    pub(super) fn boxed(error: Error) -> *mut feast_error_t {
        // Server words with a NUL are cleaned where they are read; this is for everything else.
        let c_string = |text: &str| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default();
        let message = c_string(&error.message);
        let feast_class = error.feast_class.as_deref().map(c_string);
        object::give(feast_error_t { error, message, feast_class })
    }

    #[cfg(test)]
    pub(super) fn error(&self) -> &Error {
        &self.error
    }
}
