//! `feast_search_t`: searches of documents by a vector.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::remote::{feast_remote_t, with_remote};
use super::response::feast_response_t;
use super::{guard, object};
use crate::error::Result;
use crate::wire::search::Search;

/// A search: for which features of one feature view, of the documents nearest to a vector. Opaque; free with
/// feast_search_free(). May be used for any number of searches, by several threads at once while nobody changes it.
pub struct feast_search_t {
    search: Search,
}

/// Makes an empty search.
///
/// @return a search to free with feast_search_free().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub extern "C" fn feast_search_new() -> *mut feast_search_t {
    guard::value(ptr::null_mut(), || Some(object::give(feast_search_t { search: Search::default() })))
}

/// Frees a search.
///
/// @param search  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each search.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_search_free(search: *mut feast_search_t) {
    // SAFETY: made by `feast_search_new`, and freed once as the header asks.
    guard::value((), || unsafe { object::take(search) }.map(drop));
}

/// # Safety
/// As for `guard::status` and `guard::object_mut`.
unsafe fn change(
    search: *mut feast_search_t,
    err: *mut *mut feast_error_t,
    change: impl FnOnce(&mut Search) -> Result<()>,
) -> feast_status_t {
    // SAFETY: promised by the caller.
    unsafe { guard::status(err, || change(&mut guard::object_mut(search, "search")?.search)) }
}

/// Asks for a feature. The answer's columns are the join keys, the features in the order in which they were added, and
/// "distance".
///
/// @param search   in; changed.
/// @param feature  in, "view:feature", NUL-terminated UTF-8; copied. All of one view.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, what is not of this form, a feature that was added before, or one of
///         another view.
/// Thread safety: one thread at a time on one search.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_search_add_feature(
    search: *mut feast_search_t,
    feature: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(search, err, |search| search.add_feature(guard::text(feature, "feature")?)) }
}

/// Sets the vector that documents shall be near to.
///
/// @param search  in; changed.
/// @param vector  in, n numbers; copied. As many as the view's vectors have: a server may, or may not, refuse another number.
/// @param n       in, at least 1.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, no numbers, NaN or an infinity.
/// Thread safety: one thread at a time on one search.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_search_set_query(
    search: *mut feast_search_t,
    vector: *const f32,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(search, err, |search| search.set_query(guard::array(vector, n, "vector")?)) }
}

/// Sets how many documents are wanted at most.
///
/// @param search  in; changed.
/// @param top_k   in, from 1 to 1000000.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or another number.
/// Thread safety: one thread at a time on one search.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_search_set_top_k(
    search: *mut feast_search_t,
    top_k: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(search, err, |search| search.set_top_k(top_k)) }
}

/// Sets how distance is measured. The view's own vector_search_metric, if it has one, goes before it; without either the server
/// decides.
///
/// @param search  in; changed.
/// @param metric  in, such as "L2", "COSINE" or "IP", NUL-terminated UTF-8; copied.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a metric that no store of Feast's knows: a server would answer it.
/// Thread safety: one thread at a time on one search.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_search_set_distance_metric(
    search: *mut feast_search_t,
    metric: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(search, err, |search| search.set_distance_metric(guard::text(metric, "metric")?)) }
}

/// Sets which documents are looked at.
///
/// @param search  in; changed.
/// @param json    in, an object such as {"type": "eq", "key": "lang", "value": "de"} or {"type": "and", "filters": [...]}, as
///                Feast's server takes it, NUL-terminated UTF-8; copied.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or what is no JSON object.
/// Thread safety: one thread at a time on one search.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_search_set_filters(
    search: *mut feast_search_t,
    json: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(search, err, |search| search.set_filters(guard::text(json, "json")?)) }
}

/// Limits the time of a search, in place of the store's request_timeout_ms.
///
/// @param search      in; changed.
/// @param timeout_ms  in, milliseconds, not negative.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative time.
/// Thread safety: one thread at a time on one search.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_search_set_timeout_ms(
    search: *mut feast_search_t,
    timeout_ms: i64,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(search, err, |search| {
            search.timeout = Some(guard::milliseconds(timeout_ms, "timeout_ms")?);
            Ok(())
        })
    }
}

/// Searches the documents nearest to a vector, and waits for them. Rows come nearest first, keys, features and distances of a
/// row belong together, and a vector that is asked for is the document's own: Feast 0.67's server confuses all three, so that a
/// search takes two requests, three the first time and where a vector is asked for. The row count is top_k or less; without any
/// document the answer has no rows, and no join keys.
///
/// @param remote    in; borrowed for the call.
/// @param search    in; borrowed for the call, not changed.
/// @param response  out, set to NULL first; free with feast_response_free().
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_get_online_features(); FEAST_NOT_FOUND also if the server has no search.
/// Thread safety: any thread, concurrently, on the same store and the same search, if nobody changes the search meanwhile.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_retrieve_online_documents(
    remote: *mut feast_remote_t,
    search: *const feast_search_t,
    response: *mut *mut feast_response_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let out = guard::output(response, ptr::null_mut(), "response")?;
            let search = &guard::object(search, "search")?.search;
            let found = with_remote(remote, |remote| remote.retrieve_online_documents(search))?;
            *out = feast_response_t::boxed(found);
            Ok(())
        })
    }
}
