//! One multi handle, run by its events: libcurl says which sockets and which moment it waits for, and is called
//! back when one of them comes (curl/docs/libcurl/libcurl-multi.md, "multi_socket").
//!
//! Compared with curl_multi_perform and curl_multi_poll this looks at the transfer that has something to do and at
//! nothing else: no list of sockets is gathered for each poll, no wake-up pipe is read for each step.

use std::ffi::{c_int, c_long, c_void};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::sys::*;
use crate::error::{Code, Error, Result};

/// When libcurl wants to be called without an event.
#[derive(Clone, Copy)]
enum Timer {
    Never,
    Now,
    At(Instant),
}

/// What libcurl waits for; its callbacks write here.
struct Wishes {
    /// libcurl's sockets. The first place is the caller's own descriptor, which ends a wait.
    sockets: Vec<libc::pollfd>,
    timer: Timer,
}

/// A multi handle and what it waits for. Driven by one thread at a time.
pub struct Events {
    multi: *mut CURLM,
    /// Boxed: libcurl holds its address while this moves.
    wishes: *mut Wishes,
}

extern "C" fn on_socket(
    _: *mut CURL,
    socket: curl_socket_t,
    what: c_int,
    wishes: *mut c_void,
    _: *mut c_void,
) -> c_int {
    // SAFETY: libcurl passes the SOCKETDATA pointer; callbacks run within calls on the multi handle, while nobody
    // else looks at the wishes.
    let sockets = unsafe { &mut (*wishes.cast::<Wishes>()).sockets };
    let known = sockets[1..].iter().position(|known| known.fd == socket).map(|at| at + 1);
    let events = match what {
        CURL_POLL_IN => libc::POLLIN,
        CURL_POLL_OUT => libc::POLLOUT,
        CURL_POLL_INOUT => libc::POLLIN | libc::POLLOUT,
        _ => 0,
    };
    match (known, events) {
        (Some(at), 0) => drop(sockets.swap_remove(at)),
        (Some(at), events) => sockets[at].events = events,
        (None, 0) => (),
        (None, events) => sockets.push(libc::pollfd { fd: socket, events, revents: 0 }),
    }
    0
}

extern "C" fn on_timer(_: *mut CURLM, timeout_ms: c_long, wishes: *mut c_void) -> c_int {
    // SAFETY: as in `on_socket`.
    let timer = unsafe { &mut (*wishes.cast::<Wishes>()).timer };
    *timer = match u64::try_from(timeout_ms) {
        Err(_) => Timer::Never,
        Ok(0) => Timer::Now,
        Ok(ms) => Instant::now().checked_add(Duration::from_millis(ms)).map_or(Timer::Never, Timer::At),
    };
    0
}

impl Events {
    /// A multi handle without transfers. Waiting ends when `interrupt` is readable, too.
    pub fn new(interrupt: RawFd) -> Result<Events> {
        // SAFETY: a plain constructor; `drop` copes with NULL.
        let multi = unsafe { curl_multi_init() };
        let first = libc::pollfd { fd: interrupt, events: libc::POLLIN, revents: 0 };
        let wishes = Box::into_raw(Box::new(Wishes { sockets: vec![first], timer: Timer::Never }));
        let events = Events { multi, wishes };
        if multi.is_null() {
            return Err(Error::new(Code::Internal, "out of file descriptors or memory"));
        }
        let on_socket: curl_socket_callback = on_socket;
        let on_timer: curl_multi_timer_callback = on_timer;
        // SAFETY: every option gets the type that its manual page names; the wishes live until `drop` has freed the
        // multi handle. QUICK_EXIT is unknown to libcurl before 8.14 and may be refused; without it, closing waits
        // for a name lookup that is under way.
        let codes = unsafe {
            curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1 as c_long);
            [
                curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket),
                curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, wishes.cast::<c_void>()),
                curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer),
                curl_multi_setopt(multi, CURLMOPT_TIMERDATA, wishes.cast::<c_void>()),
                curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1 as c_long),
            ]
        };
        if codes.iter().any(|&code| code != CURLM_OK) {
            return Err(Error::new(Code::Internal, "libcurl refused an option of a multi handle"));
        }
        Ok(events)
    }

    /// The handle, for adding and removing transfers and reading their messages.
    pub fn multi(&self) -> *mut CURLM {
        self.multi
    }

    /// Runs what is due by the clock. The number of transfers that go on, or libcurl's error.
    pub fn run_due(&mut self) -> std::result::Result<c_int, CURLMcode> {
        // SAFETY: no call on the multi handle is running.
        let wishes = unsafe { &mut *self.wishes };
        let due = match wishes.timer {
            Timer::Never => false,
            Timer::Now => true,
            Timer::At(moment) => moment <= Instant::now(),
        };
        if !due {
            return Ok(1);
        }
        // libcurl sets it again if it wants more.
        wishes.timer = Timer::Never;
        self.act(CURL_SOCKET_TIMEOUT, 0)
    }

    /// Waits for events, at most so long, and runs what they are for.
    pub fn wait_and_run(&mut self, most: Duration) -> std::result::Result<c_int, CURLMcode> {
        // SAFETY: no call on the multi handle is running.
        let wishes = unsafe { &mut *self.wishes };
        let wait = match wishes.timer {
            Timer::Never => most,
            Timer::Now => Duration::ZERO,
            Timer::At(moment) => most.min(moment.saturating_duration_since(Instant::now())),
        };
        // Rounded up, or the last millisecond would be spent spinning.
        let wait_ms = c_int::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX);
        // SAFETY: an array of initialised pollfds, and its length.
        let ready =
            unsafe { libc::poll(wishes.sockets.as_mut_ptr(), wishes.sockets.len() as libc::nfds_t, wait_ms) };
        if ready <= 0 {
            return Ok(1); // the time is up, or a signal came
        }
        // Acting changes the list, so each socket is looked up anew; one that was replaced loses its event, which
        // poll reports again.
        let mut running = 1;
        for at in (1..wishes.sockets.len()).rev() {
            // SAFETY: as above; the call of the last turn has returned.
            let Some(socket) = (unsafe { &mut (*self.wishes).sockets }).get_mut(at) else { continue };
            let revents = std::mem::take(&mut socket.revents);
            if revents == 0 {
                continue;
            }
            let bit = |flags, bit| if revents & flags != 0 { bit } else { 0 };
            let what = bit(libc::POLLIN | libc::POLLHUP, CURL_CSELECT_IN)
                | bit(libc::POLLOUT, CURL_CSELECT_OUT)
                | bit(libc::POLLERR | libc::POLLNVAL, CURL_CSELECT_ERR);
            let fd = socket.fd;
            running = self.act(fd, what)?;
        }
        Ok(running)
    }

    fn act(&mut self, socket: curl_socket_t, what: c_int) -> std::result::Result<c_int, CURLMcode> {
        let mut running: c_int = 0;
        // SAFETY: the multi handle is live and driven by this thread only.
        let code = unsafe { curl_multi_socket_action(self.multi, socket, what, &mut running) };
        if code == CURLM_OK { Ok(running) } else { Err(code) }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // SAFETY: created by `new`, used by nobody else, freed once; libcurl ignores NULL. The callbacks may be called
        // while the handle is freed, so the wishes go last.
        unsafe {
            curl_multi_cleanup(self.multi);
            drop(Box::from_raw(self.wishes));
        }
    }
}
