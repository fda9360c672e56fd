//! Which versions of which feature views an answer is of.

use std::ffi::c_char;
use std::ptr;

use super::response::{feast_response_t, read};

/// The number of feature views that the answer names, with their versions: those that it has values of, if the request asked for
/// them (feast_request_set_include_feature_view_version_metadata()) and the server knows them.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @return feature views; 0 for NULL.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_num_feature_views(response: *const feast_response_t) -> usize {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, 0, |response| Some(response.feature_views().len())) }
}

/// The name of one of these feature views.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param index     in, from 0.
/// @return UTF-8, borrowed until the response is freed; NULL for NULL, or if there are not so many.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_feature_view_name(
    response: *const feast_response_t,
    index: usize,
) -> *const c_char {
    // SAFETY: the header asks for NULL or a live response.
    unsafe {
        read(response, ptr::null(), |response| Some(response.feature_views().get(index)?.name.as_ptr()))
    }
}

/// The version of one of these feature views.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param index     in, from 0.
/// @return the version, as Feast counts them; 0 for one without versions, for NULL, or if there are not so many.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_feature_view_version(
    response: *const feast_response_t,
    index: usize,
) -> i64 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, 0, |response| Some(response.feature_views().get(index)?.version)) }
}
