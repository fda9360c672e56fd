//! `feast_remote_t`: the open store, and how closing it meets the calls of other threads.

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::config::feast_config_t;
use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::request::feast_request_t;
use super::response::feast_response_t;
use crate::error::{Error, Result};
use crate::remote::Remote;

/// An open store: a pool of connections to one feature server. Opaque; close with feast_close(). Any number
/// of threads may use it at once.
pub struct feast_remote_t {
    closed: AtomicBool,
    /// Calls that may be using `remote`.
    inside: AtomicUsize,
    left: (Mutex<()>, Condvar),
    remote: UnsafeCell<Option<Remote>>,
}

// SAFETY: `remote` is only taken out when `closed` is set and nobody is inside; see `enter` and `close`.
unsafe impl Sync for feast_remote_t {}

/// Handles are small and stay: a call on a closed one is told CLOSED instead of reading freed memory. They are
/// listed here so that leak checkers see them as held.
static CLOSED_HANDLES: Mutex<Vec<&'static feast_remote_t>> = Mutex::new(Vec::new());

struct Inside<'a>(&'a feast_remote_t);

impl feast_remote_t {
    /// Holds the store open for a call.
    fn enter(&self) -> Result<Inside<'_>> {
        // Late callers are not even counted, or a crowd of them could keep `close` waiting.
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::closed());
        }
        // Counted before looking again: whoever closes sets `closed` first and then waits for the count, so one
        // of the two sees the other.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(self);
        if self.closed.load(Ordering::SeqCst) { Err(Error::closed()) } else { Ok(inside) }
    }
}

impl Inside<'_> {
    fn remote(&self) -> Result<&Remote> {
        // SAFETY: while this guard lives `close` does not touch the cell.
        unsafe { &*self.0.remote.get() }.as_ref().ok_or_else(Error::closed)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if self.0.inside.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.closed.load(Ordering::SeqCst) {
            let _guard = self.0.left.0.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.left.1.notify_all();
        }
    }
}

/// Runs `call` on the open store.
///
/// # Safety
/// `remote` is NULL or came from `feast_remote_open`.
pub unsafe fn with_remote<T>(
    remote: *mut feast_remote_t,
    call: impl FnOnce(&Remote) -> Result<T>,
) -> Result<T> {
    // SAFETY: handles are never freed.
    let handle = unsafe { guard::object(remote, "remote") }?;
    let inside = handle.enter()?;
    call(inside.remote()?)
}

/// Opens a store. Nothing goes over the network before the first call.
///
/// @param config  in; copied, so it may be freed or changed afterwards.
/// @param remote  out, set to NULL first, the store on success; close it with feast_close().
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_CONFIG if the configuration cannot be used; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: any thread, if no other one changes config meanwhile.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_remote_open(
    config: *const feast_config_t,
    remote: *mut *mut feast_remote_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let out = guard::output(remote, ptr::null_mut(), "remote")?;
            let config = guard::object(config, "config")?;
            let handle = feast_remote_t {
                closed: AtomicBool::new(false),
                inside: AtomicUsize::new(0),
                left: (Mutex::new(()), Condvar::new()),
                remote: UnsafeCell::new(Some(Remote::open(&config.config)?)),
            };
            *out = Box::into_raw(Box::new(handle));
            Ok(())
        })
    }
}

/// Fetches the online features that a request asks for and waits for them, at most until the request's timeout
/// or else the store's request_timeout_ms. Waiting for a free connection, connecting and retries all count.
///
/// @param remote    in; borrowed for the call.
/// @param request   in; borrowed for the call, not changed.
/// @param response  out, set to NULL first, the answer on success; free with feast_response_free().
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK, or the code of the last attempt: FEAST_INVALID_ARGUMENT if the request cannot be sent,
///         FEAST_OVERLOADED, FEAST_TIMEOUT, FEAST_CONNECT, FEAST_TLS, FEAST_IO, a 4xx or FEAST_SERVER for the
///         server's refusal, FEAST_DECODE, FEAST_CLOSED.
/// Thread safety: any thread, concurrently, on the same store and the same request, if nobody changes the
///         request meanwhile.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_get_online_features(
    remote: *mut feast_remote_t,
    request: *const feast_request_t,
    response: *mut *mut feast_response_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let out = guard::output(response, ptr::null_mut(), "response")?;
            let request = guard::object(request, "request")?;
            let response = with_remote(remote, |remote| remote.get_online_features(&request.request))?;
            *out = feast_response_t::boxed(response);
            Ok(())
        })
    }
}

/// Closes a store: calls in flight on it return FEAST_CLOSED, are waited for, and every connection is closed.
/// Another store in the process is not touched. The second of two threads that close the same store returns at
/// once. Later calls on the store return FEAST_CLOSED; for that a closed store keeps about 100 bytes until the
/// process ends. In a process forked from the one that opened the store, nothing is closed.
///
/// @param remote  in, may be NULL; transferred: only calls that fail with FEAST_CLOSED are possible afterwards.
/// Thread safety: any thread, also while others are in calls on the store.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_close(remote: *mut feast_remote_t) {
    guard::value((), || {
        // SAFETY: the header asks for NULL or a store of ours; handles are never freed.
        let handle: &'static feast_remote_t = unsafe { remote.as_ref() }?;
        if handle.closed.swap(true, Ordering::SeqCst) {
            return None;
        }
        // SAFETY: shared access only, until nobody is inside.
        let remote = unsafe { &*handle.remote.get() }.as_ref()?;
        if !remote.is_of_this_process() {
            // The parent's threads, locks and sockets: neither wait for those nor say goodbye on these.
            return None;
        }
        CLOSED_HANDLES.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        remote.close();
        let mut left = handle.left.0.lock().unwrap_or_else(PoisonError::into_inner);
        while handle.inside.load(Ordering::SeqCst) != 0 {
            left = handle.left.1.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        drop(left);
        // SAFETY: `closed` is set, so nobody who enters from now on looks at the cell, and all others have left.
        drop(unsafe { &mut *handle.remote.get() }.take());
        Some(())
    });
}
