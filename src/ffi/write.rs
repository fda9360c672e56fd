//! Writes: pushes, and rows for an online store.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::call::feast_call_t;
use super::error::{feast_error_t, feast_status_t};
use super::frame::feast_frame_t;
use super::guard;
use super::queue::{feast_queue_t, with_queue};
use super::remote::{feast_remote_t, with_remote};
use super::write_options::feast_write_options_t;
use super::written::feast_write_t;
use crate::error::{Error, Result};
use crate::wire::write::{Destination, Frame, PushTo, WriteOptions};

/// The stores that a push writes to: FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both, joined by |.
pub type feast_push_to_t = u32;

/// The online store.
pub const FEAST_PUSH_ONLINE: feast_push_to_t = 1;
/// The offline store.
pub const FEAST_PUSH_OFFLINE: feast_push_to_t = 2;

const BOTH: feast_push_to_t = FEAST_PUSH_ONLINE | FEAST_PUSH_OFFLINE;

/// # Safety
/// `push_source` is NULL or NUL-terminated.
unsafe fn push_source(push_source: *const c_char, to: feast_push_to_t) -> Result<Destination> {
    let to = match to {
        FEAST_PUSH_ONLINE => PushTo::Online,
        FEAST_PUSH_OFFLINE => PushTo::Offline,
        BOTH => PushTo::OnlineAndOffline,
        _ => {
            let why = format!("to is {to}, not FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both");
            return Err(Error::argument(why));
        }
    };
    // SAFETY: promised by the caller.
    Ok(Destination::PushSource(unsafe { guard::text(push_source, "push_source") }?.to_owned(), to))
}

/// # Safety
/// `feature_view` is NULL or NUL-terminated.
unsafe fn feature_view(feature_view: *const c_char) -> Result<Destination> {
    // SAFETY: promised by the caller.
    Ok(Destination::FeatureView(unsafe { guard::text(feature_view, "feature_view") }?.to_owned()))
}

/// # Safety
/// Each is NULL or a live object.
unsafe fn arguments(
    frame: *const feast_frame_t,
    options: *const feast_write_options_t,
) -> Result<(Arc<Frame>, WriteOptions)> {
    // SAFETY: promised by the caller.
    unsafe {
        let frame = Arc::clone(&guard::object(frame, "frame")?.frame);
        let options = match options.is_null() {
            true => WriteOptions::default(),
            false => guard::object(options, "options")?.options.clone(),
        };
        Ok((frame, options))
    }
}

/// # Safety
/// As for each of the arguments.
unsafe fn written(
    remote: *mut feast_remote_t,
    destination: impl FnOnce() -> Result<Destination>,
    frame: *const feast_frame_t,
    options: *const feast_write_options_t,
    written: *mut *mut feast_write_t,
) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe {
        guard::optional_output(written, feast_write_t::boxed, || {
            let destination = destination()?;
            let (frame, options) = arguments(frame, options)?;
            with_remote(remote, |remote| remote.write(destination, &frame, options))
        })
    }
}

/// # Safety
/// As for each of the arguments.
unsafe fn submitted(
    remote: *mut feast_remote_t,
    destination: impl FnOnce() -> Result<Destination>,
    frame: *const feast_frame_t,
    options: *const feast_write_options_t,
    queue: *mut feast_queue_t,
    tag: *mut c_void,
    call: *mut *mut feast_call_t,
) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe {
        guard::optional_output(call, feast_call_t::boxed, || {
            let destination = destination()?;
            let (frame, options) = arguments(frame, options)?;
            let submit = |queue: &_| {
                with_remote(remote, |remote| {
                    remote.submit_write(destination, &frame, options, queue, tag.expose_provenance())
                })
            };
            with_queue(queue, submit)
        })
    }
}

/// Pushes rows to a push source: to the feature views that it feeds, online, offline or both; and waits for it.
///
/// Rows go out in requests of at most max_rows_per_write rows, one after the other, and apart where nulls would change values on
/// the server: docs/writing.md tells how. What cannot be written exactly is refused before anything is sent. The first request
/// that fails ends the write: the error's feast_error_rows_written() and feast_error_unwritten_rows() tell what was written. An
/// online store keeps the row that was written last, also if its event timestamp is older. A request to an offline
/// store, which appends, is not sent again once it may have been done, unless the options allow it.
///
/// @param remote       in; borrowed for the call.
/// @param push_source  in, its name, NUL-terminated UTF-8; borrowed for the call.
/// @param frame        in; borrowed for the call, not changed.
/// @param to           in, FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both.
/// @param options      in, NULL for what is usual; borrowed for the call.
/// @param written      out, may be NULL, set to NULL first; free with feast_write_free().
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty frame, columns of unequal length, or what cannot be written, which
///         the message names with column and row; else as feast_get_online_features(), FEAST_DECODE excepted.
/// Thread safety: any thread, concurrently, on the same store and the same frame, if nobody changes the frame meanwhile.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_push(
    remote: *mut feast_remote_t,
    push_source: *const c_char,
    frame: *const feast_frame_t,
    to: feast_push_to_t,
    options: *const feast_write_options_t,
    written: *mut *mut feast_write_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            self::written(remote, || self::push_source(push_source, to), frame, options, written)
        })
    }
}

/// Writes rows to the online store of a feature view, and waits for it.
///
/// Rows go out in requests of at most max_rows_per_write rows, one after the other, and apart where nulls would change values on
/// the server: docs/writing.md tells how. What cannot be written exactly is refused before anything is sent. The first request
/// that fails ends the write: the error's feast_error_rows_written() and feast_error_unwritten_rows() tell what was written. An
/// online store keeps the row that was written last, also if its event timestamp is older.
///
/// @param remote        in; borrowed for the call.
/// @param feature_view  in, its name, NUL-terminated UTF-8; borrowed for the call.
/// @param frame         in; borrowed for the call, not changed.
/// @param options       in, NULL for what is usual; borrowed for the call.
/// @param written       out, may be NULL, set to NULL first; free with feast_write_free().
/// @param err           out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty frame, columns of unequal length, or what cannot be written, which
///         the message names with column and row; else as feast_get_online_features(), FEAST_DECODE excepted.
/// Thread safety: any thread, concurrently, on the same store and the same frame, if nobody changes the frame meanwhile.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_to_online_store(
    remote: *mut feast_remote_t,
    feature_view: *const c_char,
    frame: *const feast_frame_t,
    options: *const feast_write_options_t,
    written: *mut *mut feast_write_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            self::written(remote, || self::feature_view(feature_view), frame, options, written)
        })
    }
}

/// Pushes rows as feast_push(), without waiting for it: an event with the tag comes to the queue, whatever happens, from which
/// feast_event_take_write() takes what came of it. The frame is kept as it is now.
///
/// @param remote       in; borrowed for the call.
/// @param push_source  in, its name, NUL-terminated UTF-8; borrowed for the call.
/// @param frame        in; borrowed for the call, not changed.
/// @param to           in, FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both.
/// @param options      in, NULL for what is usual; borrowed for the call.
/// @param queue        in; borrowed for the call.
/// @param tag          in, anything; copied: the event's feast_event_tag().
/// @param call         out, may be NULL, set to NULL first: for feast_call_cancel(); free with feast_call_free().
/// @param err          out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK if there will be an event; else as feast_push() for what is found before anything is sent, and
///         FEAST_OVERLOADED if max_async_requests are under way.
/// Thread safety: any thread, concurrently, on the same store, queue and frame, if nobody changes the frame meanwhile.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_push_async(
    remote: *mut feast_remote_t,
    push_source: *const c_char,
    frame: *const feast_frame_t,
    to: feast_push_to_t,
    options: *const feast_write_options_t,
    queue: *mut feast_queue_t,
    tag: *mut c_void,
    call: *mut *mut feast_call_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            submitted(remote, || self::push_source(push_source, to), frame, options, queue, tag, call)
        })
    }
}

/// Writes rows as feast_write_to_online_store(), without waiting for it, as feast_push_async().
///
/// @param remote        in; borrowed for the call.
/// @param feature_view  in, its name, NUL-terminated UTF-8; borrowed for the call.
/// @param frame         in; borrowed for the call, not changed.
/// @param options       in, NULL for what is usual; borrowed for the call.
/// @param queue         in; borrowed for the call.
/// @param tag           in, anything; copied: the event's feast_event_tag().
/// @param call          out, may be NULL, set to NULL first: for feast_call_cancel(); free with feast_call_free().
/// @param err           out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_push_async().
/// Thread safety: any thread, concurrently, on the same store, queue and frame, if nobody changes the frame meanwhile.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_to_online_store_async(
    remote: *mut feast_remote_t,
    feature_view: *const c_char,
    frame: *const feast_frame_t,
    options: *const feast_write_options_t,
    queue: *mut feast_queue_t,
    tag: *mut c_void,
    call: *mut *mut feast_call_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            submitted(remote, || self::feature_view(feature_view), frame, options, queue, tag, call)
        })
    }
}
