//! Which sockets a multi handle waits for, and until when, as libcurl tells through its socket and timer callbacks
//! (curl/docs/libcurl/opts/CURLMOPT_SOCKETFUNCTION.md, CURLMOPT_TIMERFUNCTION.md).

use std::ffi::{c_int, c_long, c_void};
use std::time::{Duration, Instant};

use super::poller::Epoll;
use super::sys::*;
use crate::sync::Arc;

/// Written to by libcurl while its multi handle is at work.
pub struct Sockets {
    /// The handle that the attempts use.
    easy: *mut CURL,
    wanted: Vec<Wanted>,
    /// By which libcurl's own threads call; announced and withdrawn for each transfer, and always the same. Once watched it
    /// stays so, also while the slot is not in use: a call that comes then must not end the watch.
    wakeup: Option<curl_socket_t>,
    timer: Option<Instant>,
    /// The connection's, as far as it is watched; from call to call, until it is closed.
    kept: Option<Kept>,
}

struct Kept {
    epoll: Arc<Epoll>,
    fd: curl_socket_t,
    write: bool,
}

struct Wanted {
    fd: curl_socket_t,
    read: bool,
    write: bool,
    state: State,
    /// It is the wakeup.
    lasting: bool,
}

#[derive(PartialEq)]
enum State {
    /// libcurl has just begun to want it.
    New,
    /// It is watched for just this.
    Watched,
    /// An event has come, and libcurl has not got all it wants.
    Fired,
}

extern "C" fn on_socket(
    easy: *mut CURL,
    fd: curl_socket_t,
    what: c_int,
    sockets: *mut c_void,
    _socket: *mut c_void,
) -> c_int {
    // SAFETY: libcurl passes the SOCKETDATA pointer, which nobody else uses while libcurl is at work.
    let sockets = unsafe { &mut *sockets.cast::<Sockets>() };
    let first = easy != sockets.easy && sockets.wakeup.is_none();
    if first {
        sockets.wakeup = Some(fd);
    } else if sockets.wakeup == Some(fd) {
        return 0;
    }
    if what == CURL_POLL_REMOVE {
        sockets.wanted.retain(|known| known.fd != fd);
        return 0;
    }
    let (read, write) = (what & CURL_POLL_IN != 0, what & CURL_POLL_OUT != 0);
    let wanted = Wanted { fd, read, write, state: State::New, lasting: first };
    match sockets.wanted.iter_mut().find(|known| known.fd == fd) {
        Some(known) => *known = wanted,
        None => sockets.wanted.push(wanted),
    }
    0
}

extern "C" fn on_close(sockets: *mut c_void, fd: curl_socket_t) -> c_int {
    // SAFETY: as in `on_socket`, for CLOSESOCKETDATA; libcurl has made the socket and leaves it to us to close.
    unsafe {
        (*sockets.cast::<Sockets>()).forget_if(|kept| kept.fd == fd);
        libc::close(fd)
    }
}

extern "C" fn on_timer(_multi: *mut CURLM, milliseconds: c_long, sockets: *mut c_void) -> c_int {
    // SAFETY: as in `on_socket`, for TIMERDATA.
    let sockets = unsafe { &mut *sockets.cast::<Sockets>() };
    let wait = u64::try_from(milliseconds).ok().map(Duration::from_millis);
    sockets.timer = wait.and_then(|wait| Instant::now().checked_add(wait));
    0
}

impl Sockets {
    /// Of a multi handle that drives this easy handle.
    pub fn new(easy: *mut CURL) -> Sockets {
        Sockets { easy, wanted: Vec::new(), wakeup: None, timer: None, kept: None }
    }

    /// Has libcurl close sockets by way of `sockets`.
    ///
    /// # Safety
    /// The easy handle is live, and `sockets` until it and its multi handle are freed.
    pub unsafe fn install(sockets: *mut Sockets) -> CURLcode {
        type OnClose = extern "C" fn(*mut c_void, curl_socket_t) -> c_int;
        // SAFETY: each option is given the type that its manual page names.
        unsafe {
            let easy = (*sockets).easy;
            match curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close as OnClose) {
                CURLE_OK => curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets.cast::<c_void>()),
                code => code,
            }
        }
    }

    /// Has libcurl write to `sockets` from now on.
    ///
    /// # Safety
    /// `multi` is live, and `sockets` until it is freed.
    pub unsafe fn report_to(sockets: *mut Sockets, multi: *mut CURLM) -> CURLMcode {
        type OnSocket = extern "C" fn(*mut CURL, curl_socket_t, c_int, *mut c_void, *mut c_void) -> c_int;
        type OnTimer = extern "C" fn(*mut CURLM, c_long, *mut c_void) -> c_int;
        let sockets = sockets.cast::<c_void>();
        // SAFETY: each option is given the type that its manual page names.
        unsafe {
            let codes = [
                curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets),
                curl_multi_setopt(multi, CURLMOPT_TIMERDATA, sockets),
                curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket as OnSocket),
                curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer as OnTimer),
            ];
            codes.into_iter().find(|&code| code != CURLM_OK).unwrap_or(CURLM_OK)
        }
    }

    /// When libcurl wants to be called although no socket is ready.
    pub fn timer(&self) -> Option<Instant> {
        self.timer
    }

    /// Libcurl is about to be called because of its timer; it says when to call again.
    pub fn timer_fired(&mut self) {
        self.timer = None;
    }

    /// The event that this socket was watched for has come.
    pub fn fired(&mut self, fd: curl_socket_t) {
        let fired = self.wanted.iter_mut().find(|socket| socket.fd == fd && !socket.lasting);
        if let Some(socket) = fired {
            socket.state = State::Fired;
        }
    }

    /// Has what is not watched yet watched; `false` if the kernel refuses.
    pub fn watch(&mut self, epoll: &Arc<Epoll>, slot: u32) -> bool {
        let kept = &mut self.kept;
        self.wanted.iter_mut().all(|socket| {
            let Wanted { fd, read, write, lasting, .. } = *socket;
            let watched = match socket.state {
                State::Watched => true,
                // libcurl has tried to read: what comes from now on is an event, whatever came before.
                State::New if !write && kept.as_ref().is_some_and(|kept| kept.fd == fd && !kept.write) => {
                    true
                }
                State::New | State::Fired => epoll.watch(slot, fd, read, write),
            };
            if watched && socket.state != State::Watched {
                socket.state = State::Watched;
                if !lasting && kept.as_ref().is_none_or(|kept| kept.fd != fd || kept.write != write) {
                    *kept = Some(Kept { epoll: Arc::clone(epoll), fd, write });
                }
            }
            watched
        })
    }

    /// Ends the watch that is kept from call to call: somebody else will wait.
    pub fn forget(&mut self) {
        self.forget_if(|_| true);
    }

    fn forget_if(&mut self, condition: impl FnOnce(&mut Kept) -> bool) {
        if let Some(kept) = self.kept.take_if(condition) {
            kept.epoll.forget(kept.fd);
        }
    }
}
