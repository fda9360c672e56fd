//! `feast_remote_t`: the open store, and how closing it meets the calls of other threads.

use std::ffi::c_char;
use std::ptr;
use std::sync::Mutex;

use super::closable::Closable;
use super::config::feast_config_t;
use super::error::{feast_error_t, feast_status_t};
use super::per_process::PerProcess;
use super::request::feast_request_t;
use super::response::feast_response_t;
use super::{guard, object};
use crate::config::{Config, Environment};
use crate::error::Result;
use crate::process::fork;
use crate::process::sync::{Arc, lock};
use crate::remote::Remote;

/// An open store: connections to one feature server, or to several. Opaque; close with feast_close(). Any number
/// of threads may use it at once, and any process forked from the one that opened it.
pub struct feast_remote_t {
    store: PerProcess<Closable<Store>>,
}

struct Store {
    remote: Remote,
    opened_with: Arc<Opening>,
}

/// For opening it anew after a fork.
struct Opening {
    config: Config,
    environment: Environment,
}

/// Handles are small and stay: a call on a closed one is told CLOSED instead of reading freed memory. They are
/// listed here so that leak checkers see them as held.
static CLOSED_HANDLES: Mutex<Vec<Closed>> = Mutex::new(Vec::new());

/// As C knows it: a reference to what stands behind the mark would not count as holding the object.
struct Closed(#[allow(dead_code, reason = "for leak checkers to see")] *mut feast_remote_t);

// SAFETY: never followed.
unsafe impl Send for Closed {}

impl feast_remote_t {
    /// The store of this process; opened anew if it has none and the one that it comes from was not closed.
    fn of_this_process(&self) -> Result<&Closable<Store>> {
        self.store.get_or_make(|parents| {
            let opened_with = parents.with(|store| Ok(Arc::clone(&store.opened_with)))?;
            let remote = Remote::open_in(&opened_with.config, &opened_with.environment)?;
            Ok(Closable::new(Store { remote, opened_with }))
        })
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
    unsafe { guard::object(remote, "remote") }?.of_this_process()?.with(|store| call(&store.remote))
}

/// Opens a store. Nothing goes over the network before the first call, tokens included. Environment variables (for
/// tokens and proxies, see CONFIGURATION.md) are looked up now: call it while no other thread changes the environment.
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
            let config = config.config.clone();
            let (remote, environment) =
                Environment::of_process().recorded(|environment| Remote::open_in(&config, environment));
            let store = Store { remote: remote?, opened_with: Arc::new(Opening { config, environment }) };
            *out = object::give(feast_remote_t { store: PerProcess::new(Closable::new(store)) });
            Ok(())
        })
    }
}

/// Fetches the online features that a request asks for and waits for them, at most until the request's timeout
/// or else the store's request_timeout_ms. Waiting for a free connection, connecting and retries all count.
///
/// Features come in the order asked, with as many rows as were asked for, in the order of the server's answer, which is that
/// of the request: Feast promises it, and it is not compared.
///
/// @param remote    in; borrowed for the call.
/// @param request   in; borrowed for the call, not changed.
/// @param response  out, set to NULL first, the answer on success; free with feast_response_free().
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK, or the code of the last attempt: FEAST_INVALID_ARGUMENT if the request cannot be sent,
///         FEAST_OVERLOADED, FEAST_TIMEOUT, FEAST_CONNECT, FEAST_TLS, FEAST_IO, a 4xx or FEAST_SERVER for the
///         server's refusal (FEAST_UNAUTHENTICATED also for an identity provider's), FEAST_DECODE, FEAST_WRONG_TYPE for a
///         value that does not fit its declared type, FEAST_CLOSED.
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

/// Sets the bearer token of a store, at any time and as often as one likes: the next attempt of each call uses it, also that
/// of a call that is under way, and it goes before what keys such as auth.token say. With the key auth set to host calls wait
/// for it: a call made before the first one, and one that was answered with a 401 until a newer one is set, both until
/// their deadlines. Otherwise a 401 is final, unless a newer one has been set meanwhile. A process forked from this one
/// sets its own.
///
/// @param remote  in; borrowed for the call.
/// @param token   in, NUL-terminated, what stands behind the word Bearer in the header Authorization; copied. The same text
///                again is not a newer token.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an empty token or one with a character that a header cannot have,
///         or if header.Authorization is configured; FEAST_CLOSED.
/// Thread safety: any thread, also while others are in calls on the store.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_remote_set_token(
    remote: *mut feast_remote_t,
    token: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let token = guard::text(token, "token")?;
            with_remote(remote, |remote| remote.set_token(token))
        })
    }
}

/// Closes a store: calls in flight on it return FEAST_CLOSED, are waited for, and every connection is closed.
/// Another store in the process is not touched. The second of two threads that close the same store returns at
/// once. Later calls on the store return FEAST_CLOSED; for that a closed store keeps about 100 bytes until the
/// process ends. In a process forked from the one that opened the store, the parent's connections are left alone.
///
/// @param remote  in, may be NULL; transferred: only calls that fail with FEAST_CLOSED are possible afterwards.
/// Thread safety: any thread, also while others are in calls on the store.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_close(remote: *mut feast_remote_t) {
    let _uncancelled = guard::Uncancelled::now();
    guard::value((), || {
        // SAFETY: the header asks for NULL or a store of ours; handles are never freed.
        let handle = unsafe { object::borrow(remote) }?;
        // What the parent process opened stays as it is: its threads, locks and sockets are not ours.
        let store = handle.store.get_or_make(|_| Ok(Closable::closed())).ok()?;
        if let Some(closed) = store.close(|store| store.remote.close()) {
            // In a fork's child this may be locked for ever, and there are no more stores than the parent has.
            let handles = if fork::generation() == 0 {
                Some(lock(&CLOSED_HANDLES))
            } else {
                CLOSED_HANDLES.try_lock().ok()
            };
            if let Some(mut handles) = handles {
                handles.push(Closed(remote));
            }
            drop(closed);
        }
        Some(())
    });
}
