//! The HTTP headers of a `feast_request_t`.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::request::{change, feast_request_t};

/// Sets the trace context (W3C Trace Context) that calls with this request carry to the server, on every attempt. It replaces
/// one that was set before. Of calls that are merged (merge_max_rows) the first sampled one's goes out.
///
/// @param request      in; changed.
/// @param traceparent  in, 55 characters, such as "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
///                     NUL-terminated; copied.
/// @param tracestate   in, may be NULL or empty for none, up to 512 characters, NUL-terminated; copied.
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or what is not of W3C's form: ids that are zero, digits in upper case.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_trace_context(
    request: *mut feast_request_t,
    traceparent: *const c_char,
    tracestate: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            let parent = guard::text(traceparent, "traceparent")?;
            let state = if tracestate.is_null() { "" } else { guard::text(tracestate, "tracestate")? };
            request.set_trace_context(parent, state)
        })
    }
}

/// Sets an HTTP header of calls with this request, such as X-Request-Id, which Feast 0.67 writes into its audit log. It goes
/// before one of the same name that the store sets for all requests (the configuration keys header.NAME). Calls whose headers
/// differ are not merged (merge_max_rows), whatever else they ask.
///
/// @param request  in; changed.
/// @param name     in, the header's name, NUL-terminated; copied. Not one that HTTP or this library sets itself
///                 (Content-Type, Host, Connection, User-Agent and the like), nor Authorization (keys auth.*), nor traceparent and
///                 tracestate (feast_request_set_trace_context()).
/// @param value    in, without control characters, NUL-terminated UTF-8; copied. Empty: takes the header out of the
///                 request again. Never shown in errors and logs.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, or a name or value that cannot be used.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_header(
    request: *mut feast_request_t,
    name: *const c_char,
    value: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_header(guard::text(name, "name")?, guard::text(value, "value")?)
        })
    }
}
