//! `feast_request_t`.

use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

use super::error::{feast_error_t, feast_status_t};
use super::{guard, object};
use crate::error::{Error, Result};
use crate::wire::request::{Request, Role};

/// A question: which features, for which rows of entities. Opaque; free with feast_request_free(). May be used
/// for any number of calls, by several threads at once while nobody changes it.
pub struct feast_request_t {
    pub(super) request: Request,
}

/// Makes an empty request.
///
/// @return a request to free with feast_request_free().
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn feast_request_new() -> *mut feast_request_t {
    guard::value(ptr::null_mut(), || Some(object::give(feast_request_t { request: Request::default() })))
}

/// Copies a request: one template, a copy for each thread.
///
/// @param request  in, may be NULL; borrowed for the call.
/// @return a request of its own to free with feast_request_free(); NULL for NULL.
/// Thread safety: any thread, if no other one changes request meanwhile.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_clone(request: *const feast_request_t) -> *mut feast_request_t {
    guard::value(ptr::null_mut(), || {
        // SAFETY: the header asks for NULL or a live request.
        let request = unsafe { object::borrow(request) }?.request.clone();
        Some(object::give(feast_request_t { request }))
    })
}

/// Frees a request.
///
/// @param request  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_free(request: *mut feast_request_t) {
    // SAFETY: made by `feast_request_new` or `_clone`, and freed once as the header asks.
    guard::value((), || unsafe { object::take(request) }.map(drop));
}

/// # Safety
/// As for `guard::status` and `guard::object_mut`.
pub(super) unsafe fn change(
    request: *mut feast_request_t,
    err: *mut *mut feast_error_t,
    change: impl FnOnce(&mut Request) -> Result<()>,
) -> feast_status_t {
    // SAFETY: promised by the caller.
    unsafe { guard::status(err, || change(&mut guard::object_mut(request, "request")?.request)) }
}

/// Asks for a feature. The answer's columns come in the order in which the features were added.
///
/// @param request  in; changed.
/// @param feature  in, "view:feature" or "view@v2:feature", NUL-terminated UTF-8; copied.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, text that is not UTF-8 or not of this form, or a feature
///         that was added before.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_add_feature(
    request: *mut feast_request_t,
    feature: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(request, err, |request| request.add_feature(guard::text(feature, "feature")?)) }
}

/// Asks for all features of a feature service, instead of single features. A request takes one or the other.
///
/// @param request  in; changed.
/// @param name     in, NUL-terminated UTF-8; copied.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, text that is not UTF-8, or an empty name.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_feature_service(
    request: *mut feast_request_t,
    name: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(request, err, |request| request.set_feature_service(guard::text(name, "name")?)) }
}

/// Asks for column names like view__feature, so that features of the same name in two views can be told apart.
///
/// @param request  in; changed.
/// @param full     in, true for full names; false is the default.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_full_feature_names(
    request: *mut feast_request_t,
    full: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_full_feature_names(full);
            Ok(())
        })
    }
}

/// Whether the answer is to say which version of each feature view its values are of
/// (include_feature_view_version_metadata, Feast 0.67 and newer): feast_response_num_feature_views().
///
/// @param request  in; changed.
/// @param include  in, true: it is; false is the default.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_include_feature_view_version_metadata(
    request: *mut feast_request_t,
    include: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_include_feature_view_version_metadata(include);
            Ok(())
        })
    }
}

/// Sets how long a call with this request may take in all.
///
/// @param request     in; changed.
/// @param timeout_ms  in, milliseconds; 0: the store's request_timeout_ms, so not what is left of a caller's time, see
///                    feast_request_set_deadline_ns().
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative number.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_timeout_ms(
    request: *mut feast_request_t,
    timeout_ms: i64,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            let timeout = guard::milliseconds(timeout_ms, "timeout_ms")?;
            request.set_timeout((!timeout.is_zero()).then_some(timeout));
            Ok(())
        })
    }
}

/// Sets how long a call with this request may take in all, to what is left of a caller's time: 0 or less is over, and
/// the call ends at once with FEAST_TIMEOUT, nothing sent. The last of this and feast_request_set_timeout_ms() counts.
///
/// @param request     in; changed.
/// @param timeout_ns  in, nanoseconds.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_timeout_ns(
    request: *mut feast_request_t,
    timeout_ns: i64,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_timeout(Duration::from_nanos(timeout_ns.try_into().unwrap_or(0)));
            Ok(())
        })
    }
}

/// Sets the moment by which calls with this request end, beside the timeout, if one is set for the request: the earlier of
/// both counts, and the store's request_timeout_ms does not. A call made when it has passed ends at once with
/// FEAST_TIMEOUT (an asynchronous one by its event), and nothing is sent.
///
/// @param request       in; changed.
/// @param monotonic_ns  in, nanoseconds of CLOCK_MONOTONIC, which C++'s steady_clock, Python's time.monotonic_ns() and
///                      Java's System.nanoTime() read too; INT64_MAX: none, as in a new request.
/// @param err           out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_deadline_ns(
    request: *mut feast_request_t,
    monotonic_ns: i64,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_deadline(if monotonic_ns == i64::MAX { None } else { guard::moment(monotonic_ns) });
            Ok(())
        })
    }
}

/// Whether calls with this request may go out in one request to the server with other calls that ask for the same features,
/// where the store merges calls (merge_max_rows). They may unless told otherwise.
///
/// @param request  in; changed.
/// @param merge    in, false: each call goes out by itself.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on one request.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_merge(
    request: *mut feast_request_t,
    merge: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_merge(merge);
            Ok(())
        })
    }
}

/// Sets an entity column to integers. A column of the same name is replaced. All columns of a request must have the same number
/// of values, at least one. Feast's Python server takes the entity's name for its join key; its answer then has the join key.
/// Request data for on demand feature views is set by feast_request_set_request_data_int64() and its like; that
/// server, and no other, also takes it as an entity.
///
/// @param request  in; changed.
/// @param name     in, the join key, NUL-terminated UTF-8; copied.
/// @param values   in, n values, one a row; copied. May be NULL if n is 0.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_entity_int64(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const i64,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_entity_int64(guard::text(name, "name")?, guard::array(values, n, "values")?)
        })
    }
}

/// Sets an entity column to doubles. As feast_request_set_entity_int64().
///
/// @param request  in; changed.
/// @param name     in, the join key, NUL-terminated UTF-8; copied.
/// @param values   in, n finite values, one a row; copied. May be NULL if n is 0.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or a value that is not finite (JSON has none).
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_entity_double(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const f64,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_entity_double(guard::text(name, "name")?, guard::array(values, n, "values")?)
        })
    }
}

/// Sets an entity column to booleans. As feast_request_set_entity_int64().
///
/// @param request  in; changed.
/// @param name     in, the join key, NUL-terminated UTF-8; copied.
/// @param values   in, n values, one a row; copied. May be NULL if n is 0.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a bad name.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_entity_bool(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const bool,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs. Read as bytes: a C program may have put another
    // number than 0 and 1 there, which a Rust bool must not be.
    unsafe {
        change(request, err, |request| {
            let bytes = guard::array(values.cast::<u8>(), n, "values")?;
            request.set_entity_bool(guard::text(name, "name")?, bytes.iter().map(|&byte| byte != 0))
        })
    }
}

/// Sets an entity column to strings. As feast_request_set_entity_int64().
///
/// @param request  in; changed.
/// @param name     in, the join key, NUL-terminated UTF-8; copied.
/// @param values   in, n strings of UTF-8, one a row; copied. May be NULL if n is 0.
/// @param lengths  in, n lengths in bytes, or NULL if the strings are NUL-terminated; borrowed for the call.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL (also a NULL string), a bad name, a string that is not
///         UTF-8 or has a NUL within its length.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_entity_string(
    request: *mut feast_request_t,
    name: *const c_char,
    values: *const *const c_char,
    lengths: *const usize,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(request, err, |request| set_strings(request, Role::Entity, name, values, lengths, n)) }
}

/// Sets an entity column to the elements of a JSON array: nulls, lists, mixed types, whatever
/// the server understands. As feast_request_set_entity_int64().
///
/// @param request     in; changed.
/// @param name        in, the join key, NUL-terminated UTF-8; copied.
/// @param json_array  in, NUL-terminated UTF-8, such as "[1001, null]"; copied.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, text that is no JSON array, or a NUL in a
///         string of it.
/// Thread safety: one thread at a time on one request.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_request_set_entity_json(
    request: *mut feast_request_t,
    name: *const c_char,
    json_array: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(request, err, |request| {
            request.set_entity_json(guard::text(name, "name")?, guard::text(json_array, "json_array")?)
        })
    }
}

/// # Safety
/// The pointers are NULL, or what feast_request_set_entity_string() asks for.
pub(super) unsafe fn set_strings(
    request: &mut Request,
    role: Role,
    name: *const c_char,
    values: *const *const c_char,
    lengths: *const usize,
    n: usize,
) -> Result<()> {
    // SAFETY: promised by the caller.
    let (name, strings) = unsafe { (guard::text(name, "name")?, guard::strings(values, lengths, n)?) };
    let json = match role {
        Role::Entity => "feast_request_set_entity_json",
        Role::RequestData => "feast_request_set_request_data_json",
    };
    let strings = strings.enumerate().map(|(row, string)| {
        let why = match string {
            None => &format!("the string is NULL (for a null, use {json})"),
            Some(Ok(text)) if text.contains('\0') => "a NUL within the length",
            Some(Ok(text)) => return Ok(text),
            Some(Err(why)) => why,
        };
        Err(Error::argument(format!("{role} `{name}`, row {row}: {why}")))
    });
    request.set_string(role, name, strings)
}
