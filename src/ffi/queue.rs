//! `feast_queue_t`: where the asynchronous calls' events are taken out.

use std::ptr;

use super::closable::Closable;
use super::error::{feast_error_t, feast_status_t};
use super::event::feast_event_t;
use super::{guard, object};
use crate::error::Result;
use crate::policy::deadline::Deadline;
use crate::process::fork;
use crate::process::sync::Arc;
use crate::remote::EventQueue;

/// A queue of finished asynchronous calls, of any number of stores. Opaque; free with feast_queue_free(). Any number
/// of threads may use it at once.
pub struct feast_queue_t {
    /// Held by each thread inside, so that the last one may leave when the handle is gone.
    queue: Arc<Closable<Arc<EventQueue>>>,
    generation: u32,
}

/// Runs `call` on a queue.
///
/// # Safety
/// `queue` is NULL or a live queue.
pub unsafe fn with_queue<T>(
    queue: *mut feast_queue_t,
    call: impl FnOnce(&Arc<EventQueue>) -> Result<T>,
) -> Result<T> {
    // SAFETY: promised by the caller.
    let queue = Arc::clone(&unsafe { guard::object(queue, "queue") }?.queue);
    queue.with(call)
}

/// Opens a queue for feast_get_online_features_async(). One is enough for a thread with an event loop, whatever the
/// number of its stores.
///
/// @param queue  out, set to NULL first, the queue on success; free with feast_queue_free().
/// @param err    out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INTERNAL if the process has no file descriptor left; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_queue_open(
    queue: *mut *mut feast_queue_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let out = guard::output(queue, ptr::null_mut(), "queue")?;
            let queue = Arc::new(Closable::new(Arc::new(EventQueue::new()?)));
            *out = object::give(feast_queue_t { queue, generation: fork::generation() });
            Ok(())
        })
    }
}

/// Takes out the next event, in the order in which calls finished, and decodes its answer on this thread. Waits for
/// one if there is none.
///
/// @param queue       in, may be NULL; borrowed for the call.
/// @param timeout_ms  in, milliseconds to wait at most; 0: do not wait; negative: no limit.
/// @return an event to free with feast_event_free(); NULL if none came in time, after feast_queue_wake(), while another
///         thread frees the queue, in a process forked from the queue's, and for NULL.
/// Thread safety: any thread, concurrently; each event goes to one of them.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_queue_poll(queue: *mut feast_queue_t, timeout_ms: i64) -> *mut feast_event_t {
    let _uncancelled = guard::Uncancelled::now();
    guard::value(ptr::null_mut(), || {
        let mut event = ptr::null_mut();
        // SAFETY: the header asks for NULL or a live queue.
        unsafe { take_out(queue, timeout_ms, 1, |taken| event = taken) };
        Some(event)
    })
}

/// Takes out several events at once, for languages in which each call into C costs something: waits for the first one
/// as feast_queue_poll() does, and takes what is there with it.
///
/// @param queue       in, may be NULL; borrowed for the call.
/// @param timeout_ms  in, milliseconds to wait at most; 0: do not wait; negative: no limit.
/// @param events      out, room for capacity events; each to free with feast_event_free().
/// @param capacity    in, the number of events taken at most.
/// @return the number of events written; 0 where feast_queue_poll() returns NULL, and if events is NULL.
/// Thread safety: any thread, concurrently; each event goes to one of them.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_queue_poll_batch(
    queue: *mut feast_queue_t,
    timeout_ms: i64,
    events: *mut *mut feast_event_t,
    capacity: usize,
) -> usize {
    let _uncancelled = guard::Uncancelled::now();
    guard::value(0, || {
        if events.is_null() || capacity == 0 {
            return None;
        }
        let mut count = 0;
        let mut put = |event| {
            // SAFETY: the header asks for room for `capacity` events, and no more than that are taken.
            unsafe { events.add(count).write(event) };
            count += 1;
        };
        // SAFETY: the header asks for NULL or a live queue.
        unsafe { take_out(queue, timeout_ms, capacity, &mut put) };
        Some(count)
    })
}

/// # Safety
/// `queue` is NULL or a live queue.
unsafe fn take_out(
    queue: *mut feast_queue_t,
    timeout_ms: i64,
    most: usize,
    mut out: impl FnMut(*mut feast_event_t),
) {
    // A negative time is no limit.
    let deadline = u64::try_from(timeout_ms).map_or(Deadline::NEVER, Deadline::in_milliseconds);
    let take = |queue: &Arc<EventQueue>| {
        queue.poll(most, deadline, |event| out(feast_event_t::boxed(event)));
        Ok(())
    };
    // SAFETY: promised by the caller. A queue that is being freed has no events.
    let _ = unsafe { with_queue(queue, take) };
}

/// A file descriptor (an eventfd) that is readable while there are events to take out, for poll(), epoll or an event
/// loop. After it has become readable, take events out until feast_queue_poll() with a timeout of 0 returns NULL. Do
/// not read from it, write to it or close it.
///
/// @param queue  in, may be NULL; borrowed for the call.
/// @return the descriptor, borrowed until the queue is freed; -1 in a process forked from the queue's, and for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_queue_fd(queue: *mut feast_queue_t) -> i32 {
    // SAFETY: the header asks for NULL or a live queue.
    guard::value(-1, || unsafe { with_queue(queue, |queue| Ok(queue.fd())) }.ok().flatten())
}

/// Makes one feast_queue_poll() that waits now, or else the next one that finds no event, return NULL; until then the
/// descriptor is readable. For ending a thread that waits, or telling it something.
///
/// @param queue  in, may be NULL; borrowed for the call.
/// Thread safety: any thread. Not for signal handlers.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_queue_wake(queue: *mut feast_queue_t) {
    let _uncancelled = guard::Uncancelled::now();
    guard::value((), || {
        let wake = |queue: &Arc<EventQueue>| {
            queue.wake();
            Ok(())
        };
        // SAFETY: the header asks for NULL or a live queue.
        unsafe { with_queue(queue, wake) }.ok()
    });
}

/// Frees a queue: calls whose events have not come are cancelled, events that nobody has taken out are dropped, and
/// threads in feast_queue_poll() return NULL and are waited for. Stores are not touched. A thread that polls again and
/// again must have stopped before: set a flag of your own, feast_queue_wake() it, and join it.
///
/// @param queue  in, may be NULL; transferred: no call on it may begin any more.
/// Thread safety: any thread, once for each queue.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_queue_free(queue: *mut feast_queue_t) {
    let _uncancelled = guard::Uncancelled::now();
    guard::value((), || {
        // SAFETY: made by `feast_queue_open`, and freed once as the header asks.
        let handle = unsafe { object::take(queue) }?;
        if handle.generation != fork::generation() {
            // In a fork's child, threads of the parent's may seem to be inside for ever.
            std::mem::forget(handle);
            return Some(());
        }
        drop(handle.queue.close(|queue| queue.close()));
        Some(())
    });
}
