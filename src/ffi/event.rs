//! `feast_event_t`: a finished asynchronous call.

use std::ffi::c_void;
use std::ptr;

use super::error::{FEAST_INVALID_ARGUMENT, FEAST_OK, feast_error_t, feast_status_t};
use super::error_fields::feast_error_free;
use super::guard::RoundedToNearest;
use super::response::{feast_response_free, feast_response_t};
use super::written::{feast_write_free, feast_write_t};
use super::{guard, object};
use crate::process::panics::contained;
use crate::remote::{Event, Taken};

/// The end of one asynchronous call. Opaque; free with feast_event_free(). For one thread at a time.
pub struct feast_event_t {
    tag: *mut c_void,
    status: feast_status_t,
    /// NULL once it has been taken.
    response: *mut feast_response_t,
    /// Likewise.
    written: *mut feast_write_t,
    error: *mut feast_error_t,
}

impl feast_event_t {
    /// Decodes the answer; whatever comes of that, there is an event.
    pub(super) fn boxed(event: Event) -> *mut feast_event_t {
        let _rounded = RoundedToNearest::now();
        let tag = ptr::with_exposed_provenance_mut(event.tag());
        let mut made = feast_event_t {
            tag,
            status: FEAST_OK,
            response: ptr::null_mut(),
            written: ptr::null_mut(),
            error: ptr::null_mut(),
        };
        match contained(|| event.take()) {
            Ok(Taken::Response(response)) => made.response = feast_response_t::boxed(response),
            Ok(Taken::Written(written)) => made.written = feast_write_t::boxed(written),
            Err(error) => {
                made.status = error.code as feast_status_t;
                made.error = feast_error_t::boxed(error);
            }
        }
        object::give(made)
    }
}

/// # Safety
/// `event` is NULL or a live event.
unsafe fn read<T>(event: *const feast_event_t, neutral: T, field: impl FnOnce(&feast_event_t) -> T) -> T {
    // SAFETY: promised by the caller.
    guard::value(neutral, || unsafe { object::borrow(event) }.map(field))
}

/// The tag that was given to feast_get_online_features_async(): which call it was.
///
/// @param event  in, may be NULL; borrowed for the call.
/// @return the caller's own pointer; NULL for NULL.
/// Thread safety: any thread, one at a time.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_event_tag(event: *const feast_event_t) -> *mut c_void {
    // SAFETY: the header asks for NULL or a live event.
    unsafe { read(event, ptr::null_mut(), |event| event.tag) }
}

/// How the call ended, as feast_get_online_features() would have returned it; FEAST_CANCELLED after
/// feast_call_cancel().
///
/// @param event  in, may be NULL; borrowed for the call.
/// @return the status; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: any thread, one at a time.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_event_status(event: *const feast_event_t) -> feast_status_t {
    // SAFETY: the header asks for NULL or a live event.
    unsafe { read(event, FEAST_INVALID_ARGUMENT, |event| event.status) }
}

/// Takes the answer out of an event.
///
/// @param event  in, may be NULL; borrowed for the call, and changed.
/// @return the answer of a call that ended with FEAST_OK, to free with feast_response_free(); NULL the second time, for
///         any other status, and for NULL.
/// Thread safety: any thread, one at a time.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_event_take_response(event: *mut feast_event_t) -> *mut feast_response_t {
    guard::value(ptr::null_mut(), || {
        // SAFETY: the header asks for NULL or a live event that no other thread uses.
        let event = unsafe { object::borrow_mut(event) }?;
        Some(std::mem::replace(&mut event.response, ptr::null_mut()))
    })
}

/// Takes out what a write came to; the event does not free it then.
///
/// @param event  in, may be NULL; changed.
/// @return free with feast_write_free(); NULL for NULL, for a write that failed, for a call that is no write, and the second time.
/// Thread safety: one thread at a time on one event.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_event_take_write(event: *mut feast_event_t) -> *mut feast_write_t {
    guard::value(ptr::null_mut(), || {
        // SAFETY: the header asks for NULL or a live event that no other thread uses.
        let event = unsafe { object::borrow_mut(event) }?;
        Some(std::mem::replace(&mut event.written, ptr::null_mut()))
    })
}

/// Why the call failed.
///
/// @param event  in, may be NULL; borrowed for the call.
/// @return an error, borrowed until the event is freed; NULL if the status is FEAST_OK, and for NULL.
/// Thread safety: any thread, one at a time.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_event_error(event: *const feast_event_t) -> *const feast_error_t {
    // SAFETY: the header asks for NULL or a live event.
    unsafe { read(event, ptr::null(), |event| event.error.cast_const()) }
}

/// Frees an event, its error, and its answer if that was not taken.
///
/// @param event  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each event.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_event_free(event: *mut feast_event_t) {
    let _uncancelled = guard::Uncancelled::now();
    guard::value((), || {
        // SAFETY: made by `boxed`, and freed once as the header asks; so are its parts, which are its own.
        unsafe {
            let event = object::take(event)?;
            feast_response_free(event.response);
            feast_write_free(event.written);
            feast_error_free(event.error);
        }
        Some(())
    });
}
