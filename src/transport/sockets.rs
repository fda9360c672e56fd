//! Which sockets a multi handle waits for, and until when, as libcurl tells through its socket and timer callbacks
//! (curl/docs/libcurl/opts/CURLMOPT_SOCKETFUNCTION.md, CURLMOPT_TIMERFUNCTION.md).

use std::ffi::{c_int, c_long, c_void};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use super::poller::Epoll;
use super::sys::*;
use crate::process::sync::Arc;

/// Written to by libcurl while its multi handle is at work.
pub struct Sockets {
    /// The handle that the attempts use.
    easy: *mut CURL,
    wanted: Vec<Wanted>,
    /// By which libcurl's own threads call; announced and withdrawn for each transfer, and always the same. Once watched it
    /// stays so, also while the slot is not in use: a call that comes then must not end the watch.
    wakeup: Option<curl_socket_t>,
    timer: Option<Instant>,
    /// Made for connections and not closed. Others, such as the pairs by which older versions hear of name lookups, come
    /// and go without our being told.
    made: Vec<curl_socket_t>,
    /// The addresses that they were made for, in order, since the attempt began.
    tried: Vec<IpAddr>,
    /// The one of these that was watched last; it stays so from call to call.
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

#[derive(Clone, Copy, PartialEq)]
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
    // Not what closes a connection: some versions tell that in the name of a handle of their own, too.
    let first = easy != sockets.easy
        && sockets.wakeup.is_none()
        && what != CURL_POLL_REMOVE
        && !sockets.made.contains(&fd);
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
    match sockets.wanted.iter_mut().find(|known| known.fd == fd) {
        Some(known) => {
            let state = if known.state == State::Fired { State::Fired } else { State::New };
            *known = Wanted { read, write, state, ..*known };
        }
        None => sockets.wanted.push(Wanted { fd, read, write, state: State::New, lasting: first }),
    }
    0
}

extern "C" fn on_open(
    sockets: *mut c_void,
    _purpose: curlsocktype,
    address: *mut curl_sockaddr,
) -> curl_socket_t {
    // SAFETY: as in `on_socket`, for OPENSOCKETDATA.
    let sockets = unsafe { &mut *sockets.cast::<Sockets>() };
    // SAFETY: the address is libcurl's, whole, and there for the time of this call. The socket is made as libcurl would.
    let (fd, ip) = unsafe {
        let curl_sockaddr { family, socktype, protocol, .. } = *address;
        (
            libc::socket(family, socktype | libc::SOCK_CLOEXEC, protocol),
            ip_address(family, &raw const (*address).addr),
        )
    };
    if fd == -1 {
        return CURL_SOCKET_BAD;
    }
    sockets.made.push(fd);
    sockets.tried.extend(ip);
    fd
}

/// What a socket is connected to, if it is; an address, if it is one of IP.
fn peer_of(fd: curl_socket_t) -> Option<Option<IpAddr>> {
    // SAFETY: the kernel writes an address as long as there is room for, which is enough for each, and its length.
    unsafe {
        let mut address: libc::sockaddr_storage = std::mem::zeroed();
        let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        let peer = (&raw mut address).cast::<libc::sockaddr>();
        (libc::getpeername(fd, peer, &mut length) == 0)
            .then(|| ip_address(c_int::from(address.ss_family), peer))
    }
}

/// # Safety
/// The address is as long as its family's are, which may be more than the type says.
unsafe fn ip_address(family: c_int, generic: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: what is read is of the family's type, as the caller says.
    unsafe {
        match family {
            libc::AF_INET => {
                let address = generic.cast::<libc::sockaddr_in>().read_unaligned();
                Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))))
            }
            libc::AF_INET6 => {
                let address = generic.cast::<libc::sockaddr_in6>().read_unaligned();
                Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)))
            }
            _ => None,
        }
    }
}

extern "C" fn on_close(sockets: *mut c_void, fd: curl_socket_t) -> c_int {
    // SAFETY: as in `on_socket`, for CLOSESOCKETDATA.
    let sockets = unsafe { &mut *sockets.cast::<Sockets>() };
    sockets.made.retain(|&made| made != fd);
    sockets.forget_if(|kept| kept.fd == fd);
    // SAFETY: libcurl has made the socket and leaves it to us to close.
    unsafe { libc::close(fd) }
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
        Sockets {
            easy,
            wanted: Vec::new(),
            wakeup: None,
            timer: None,
            made: Vec::new(),
            tried: Vec::new(),
            kept: None,
        }
    }

    /// Has libcurl make and close connections' sockets in the sight of `sockets`.
    ///
    /// # Safety
    /// The easy handle is live, and `sockets` until it and its multi handle are freed.
    pub unsafe fn install(sockets: *mut Sockets) -> CURLcode {
        type OnOpen = extern "C" fn(*mut c_void, curlsocktype, *mut curl_sockaddr) -> curl_socket_t;
        type OnClose = extern "C" fn(*mut c_void, curl_socket_t) -> c_int;
        let data = sockets.cast::<c_void>();
        // SAFETY: each option is given the type that its manual page names.
        unsafe {
            let easy = (*sockets).easy;
            let codes = [
                curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open as OnOpen),
                curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, data),
                curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close as OnClose),
                curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, data),
            ];
            codes.into_iter().find(|&code| code != CURLE_OK).unwrap_or(CURLE_OK)
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

    /// The connections that there are, or are being made.
    pub fn connections(&self) -> &[curl_socket_t] {
        &self.made
    }

    /// An attempt begins.
    pub fn begin(&mut self) {
        self.tried.clear();
    }

    /// The addresses that the attempt has tried to connect to.
    pub fn tried(&self) -> &[IpAddr] {
        &self.tried
    }

    /// Whether there is something to read from its connections, an end or an error too.
    pub fn have_input(&self) -> bool {
        self.made.iter().any(|&fd| {
            let mut asked = libc::pollfd { fd, events: libc::POLLIN | libc::POLLRDHUP, revents: 0 };
            // SAFETY: one entry, as said; it does not wait. Interrupted by a signal it fails, which is no input.
            unsafe { libc::poll(&mut asked, 1, 0) > 0 }
        })
    }

    /// Whether one of its sockets has reached the other side.
    pub fn is_any_connected(&self) -> bool {
        self.made.iter().any(|&fd| peer_of(fd).is_some())
    }

    /// The address of the other side that one of its sockets has reached.
    pub fn peer(&self) -> Option<IpAddr> {
        self.made.iter().find_map(|&fd| peer_of(fd)?)
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
    ///
    /// A kept connection's watch stands, and an event may have come of it that nobody waited for: a call on it must not
    /// come to its first wait before libcurl has tried to read. That is so with one transfer a multi handle, which tries as
    /// soon as it has sent.
    pub fn watch(&mut self, epoll: &Arc<Epoll>, slot: u32) -> bool {
        let (made, kept) = (&self.made, &mut self.kept);
        self.wanted.iter_mut().filter(|socket| socket.state != State::Watched).all(|socket| {
            let Wanted { fd, read, write, .. } = *socket;
            let is_kept = kept.as_ref().is_some_and(|kept| kept.fd == fd && !kept.write && !write);
            if !(is_kept && socket.state == State::New) {
                if !epoll.watch(slot, fd, read, write) {
                    return false;
                }
                if !is_kept && made.contains(&fd) {
                    *kept = Some(Kept { epoll: Arc::clone(epoll), fd, write });
                }
            }
            socket.state = State::Watched;
            true
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::ptr;

    use super::super::event_fd::EventFd;
    use super::super::poller::Poller;
    use super::*;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    /// libcurl's part.
    fn wants(sockets: &mut Sockets, fd: curl_socket_t, what: c_int) {
        on_socket(ptr::null_mut(), fd, what, (&raw mut *sockets).cast(), ptr::null_mut());
    }

    #[test]
    fn a_connection_closed_in_another_handles_name_is_not_taken_for_the_wakeup() {
        let mut poller = Poller::new(Arc::new(EventFd::new().unwrap())).unwrap();
        let mut sockets = Sockets::new(ptr::null_mut());
        let (mut server, connection) = UnixStream::pair().unwrap();
        let (mut waker, wakeup) = UnixStream::pair().unwrap();
        let (fd, another) = (connection.as_raw_fd(), ptr::without_provenance_mut(8));
        let data = (&raw mut sockets).cast();
        sockets.made.push(fd);
        for what in [CURL_POLL_IN, CURL_POLL_REMOVE] {
            on_socket(another, fd, what, data, ptr::null_mut());
        }
        wants(&mut sockets, fd, CURL_POLL_IN);
        assert!(sockets.watch(poller.epoll(), 1));
        server.write_all(b"x").unwrap();
        assert_eq!(poller.wait(NOW).len(), 1);
        on_socket(another, wakeup.as_raw_fd(), CURL_POLL_IN, data, ptr::null_mut());
        on_socket(another, wakeup.as_raw_fd(), CURL_POLL_REMOVE, data, ptr::null_mut());
        assert!(sockets.watch(poller.epoll(), 1));
        waker.write_all(b"x").unwrap();
        assert_eq!(poller.wait(NOW).len(), 1, "the wakeup stays watched");
    }

    #[test]
    fn a_descriptor_of_libcurls_own_is_not_taken_for_the_connection_that_gets_its_number() {
        let mut poller = Poller::new(Arc::new(EventFd::new().unwrap())).unwrap();
        let mut sockets = Sockets::new(ptr::null_mut());
        let (_lookup, number) = UnixStream::pair().unwrap();
        let (mut server, connection) = UnixStream::pair().unwrap();
        let fd = number.as_raw_fd();
        wants(&mut sockets, fd, CURL_POLL_IN);
        assert!(sockets.watch(poller.epoll(), 1));
        wants(&mut sockets, fd, CURL_POLL_REMOVE);
        // Closed, and its number given to a connection.
        // SAFETY: both are open descriptors of this test's.
        assert_ne!(unsafe { libc::dup2(connection.as_raw_fd(), fd) }, -1);
        sockets.made.push(fd);
        wants(&mut sockets, fd, CURL_POLL_IN);
        assert!(sockets.watch(poller.epoll(), 1));
        server.write_all(b"x").unwrap();
        assert_eq!(poller.wait(NOW).len(), 1);
    }

    #[test]
    fn a_kept_connection_is_watched_once_and_no_more_when_it_is_forgotten() {
        let mut poller = Poller::new(Arc::new(EventFd::new().unwrap())).unwrap();
        let mut sockets = Sockets::new(ptr::null_mut());
        let (mut server, connection) = UnixStream::pair().unwrap();
        let fd = connection.as_raw_fd();
        sockets.made.push(fd);
        for _ in 0..3 {
            wants(&mut sockets, fd, CURL_POLL_IN);
            assert!(sockets.watch(poller.epoll(), 1));
            server.write_all(b"x").unwrap();
            assert_eq!(poller.wait(NOW).len(), 1);
            sockets.fired(fd);
            wants(&mut sockets, fd, CURL_POLL_REMOVE);
        }
        sockets.forget();
        server.write_all(b"x").unwrap();
        assert!(poller.wait(NOW).is_empty());
        // Forgotten, it is watched anew, which tells of what is unread.
        wants(&mut sockets, fd, CURL_POLL_IN);
        assert!(sockets.watch(poller.epoll(), 1));
        assert_eq!(poller.wait(NOW).len(), 1);
    }
}
