//! Asynchronous calls: the beginning, and the handle by which they are cancelled.

use std::ffi::c_void;

use super::error::{feast_error_t, feast_status_t};
use super::queue::{feast_queue_t, with_queue};
use super::remote::{feast_remote_t, with_remote};
use super::request::feast_request_t;
use super::{guard, object};
use crate::remote::CallHandle;

/// An asynchronous call under way, for cancelling it. Opaque; free with feast_call_free(), at any time.
pub struct feast_call_t {
    handle: CallHandle,
}

impl feast_call_t {
    pub(super) fn boxed(handle: CallHandle) -> *mut feast_call_t {
        object::give(feast_call_t { handle })
    }
}

/// Fetches the online features that a request asks for without waiting for them: returns at once, and one event with
/// this tag comes to the queue in the end, whatever happens. Deadline, retries, tokens and the pool of connections are
/// those of the blocking call, whose threads wait in the same order for the same places.
///
/// @param remote   in; borrowed for the call. It may be closed meanwhile: the event then says FEAST_CLOSED.
/// @param request  in; copied, so it may be freed or changed afterwards.
/// @param queue    in; borrowed for the call. It may be freed meanwhile: that cancels the call.
/// @param tag      in, borrowed, any pointer, NULL too; comes back with feast_event_tag() and is not looked at.
/// @param call     out, may be NULL; set to NULL first, on success a handle to free with feast_call_free(), for
///                 feast_call_cancel().
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK if there will be an event. Else there will be none: FEAST_OVERLOADED if max_async_requests are under
///         way; FEAST_CLOSED; FEAST_INVALID_ARGUMENT if the request cannot be sent; FEAST_INTERNAL.
/// Thread safety: any thread, concurrently, on the same store, request and queue, if nobody changes the request
///         meanwhile. Not for signal handlers.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_get_online_features_async(
    remote: *mut feast_remote_t,
    request: *const feast_request_t,
    queue: *mut feast_queue_t,
    tag: *mut c_void,
    call: *mut *mut feast_call_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            guard::optional_output(call, feast_call_t::boxed, || {
                let request = &guard::object(request, "request")?.request;
                let submit = |queue: &_| {
                    with_remote(remote, |remote| remote.submit(request, queue, tag.expose_provenance()))
                };
                with_queue(queue, submit)
            })
        })
    }
}

/// Ends a call soon, wherever it is: its event comes with FEAST_CANCELLED, or as it was if it was finished already.
///
/// @param call  in, may be NULL; borrowed for the call.
/// Thread safety: any thread, concurrently, as often as wanted, also after the event, the queue's end and the store's.
///         Not for signal handlers.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_call_cancel(call: *mut feast_call_t) {
    let _uncancelled = guard::Uncancelled::now();
    guard::value((), || {
        // SAFETY: the header asks for NULL or a live handle.
        unsafe { object::borrow(call) }?.handle.cancel();
        Some(())
    });
}

/// Frees the handle of a call; the call goes on.
///
/// @param call  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each handle.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_call_free(call: *mut feast_call_t) {
    // SAFETY: made above, and freed once as the header asks.
    guard::value((), || unsafe { object::take(call) }.map(drop));
}
