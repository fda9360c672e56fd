//! How old the values of an answer may be.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::request::{change, feast_request_t};
use crate::error::Result;
use crate::wire::request::MaxAge;

fn max_age(max_age_ms: i64, drop_values: bool) -> Result<MaxAge> {
    Ok(MaxAge { age: guard::milliseconds(max_age_ms, "max_age_ms")?, drops: drop_values })
}

/// Says how old values may be, by the event timestamps that the server sends: older ones get FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE,
/// and lose their value if that is wanted; matrices have the missing value there in any case. What has no event timestamp,
/// entities and rows that were not found, is not judged. Feast's servers do not apply a feature view's ttl online, so that
/// stale values look PRESENT. By the clock of this machine, when the answer is decoded.
///
/// @param request      in; changed.
/// @param max_age_ms   in, milliseconds, not negative.
/// @param drop_values  in, true: older values become nulls.
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative age.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_max_age_ms(
    request: *mut feast_request_t,
    max_age_ms: i64,
    drop_values: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_max_age(Some(max_age(max_age_ms, drop_values)?));
            Ok(())
        })
    }
}

/// The same for the features of one feature view, which goes before that of the request. Of a feature service the views are
/// known only with full feature names.
///
/// @param request      in; changed.
/// @param view         in, its name without a version, NUL-terminated UTF-8; copied.
/// @param max_age_ms   in, milliseconds, not negative.
/// @param drop_values  in, true: older values become nulls.
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty name or a negative age.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_view_max_age_ms(
    request: *mut feast_request_t,
    view: *const c_char,
    max_age_ms: i64,
    drop_values: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_view_max_age(guard::text(view, "view")?, max_age(max_age_ms, drop_values)?)
        })
    }
}
