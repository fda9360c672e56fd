//! Waits for many slots' sockets at once (epoll(7)), and for a event_fd.
//!
//! Each watch is by the edge, and stays when its event has come: the next call on a kept connection finds it there. So
//! a socket that nobody waits for disturbs once for each thing it has to say. What is left of a watch needs no clearing
//! away: the kernel forgets it when the socket is closed.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::event_fd::{EventFd, out_of_descriptors};
use crate::error::Result;
use crate::process::sync::Arc;

/// Events taken from the kernel at a time.
const AT_A_TIME: usize = 64;

/// A socket is ready.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// Of the slot it was watched for.
    pub slot: u32,
    /// The socket.
    pub fd: RawFd,
    /// Can be read, or has failed.
    pub readable: bool,
    /// Can be written to, or has failed.
    pub writable: bool,
}

/// What the kernel watches; may be told by whoever owns the slot.
pub struct Epoll(OwnedFd);

impl Epoll {
    /// Watches a slot's socket, or goes on watching it for something else. An event comes also if it is ready already.
    /// `false` if the kernel refuses.
    pub fn watch(&self, slot: u32, fd: RawFd, read: bool, write: bool) -> bool {
        let mut events = libc::EPOLLET;
        if read {
            events |= libc::EPOLLIN | libc::EPOLLRDHUP;
        }
        if write {
            events |= libc::EPOLLOUT;
        }
        let data = u64::from(slot) << 32 | u64::from(fd.cast_unsigned());
        self.control(libc::EPOLL_CTL_MOD, fd, events as u32, data)
            || self.control(libc::EPOLL_CTL_ADD, fd, events as u32, data)
    }

    /// Watches a socket no more.
    pub fn forget(&self, fd: RawFd) {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, 0);
    }

    fn control(&self, operation: i32, fd: RawFd, events: u32, data: u64) -> bool {
        let mut event = libc::epoll_event { events, u64: data };
        // SAFETY: a live event; a descriptor that is none of ours makes the call fail.
        unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd, &mut event) == 0 }
    }
}

/// See the module. One thread waits; any may ring the event_fd, which ends its wait, or else the next one.
pub struct Poller {
    epoll: Arc<Epoll>,
    event_fd: Arc<EventFd>,
    ready: Vec<Ready>,
}

/// What the event_fd's event carries; no slot has this number.
const EVENT_FD: u64 = u64::MAX;

impl Poller {
    /// Watches this event_fd only.
    pub fn new(event_fd: Arc<EventFd>) -> Result<Poller> {
        // SAFETY: no pointers; the descriptor is checked and owned from here on.
        let epoll = unsafe {
            match libc::epoll_create1(libc::EPOLL_CLOEXEC) {
                -1 => return Err(out_of_descriptors()),
                fd => Epoll(OwnedFd::from_raw_fd(fd)),
            }
        };
        if !epoll.control(libc::EPOLL_CTL_ADD, event_fd.fd(), libc::EPOLLIN as u32, EVENT_FD) {
            return Err(out_of_descriptors());
        }
        Ok(Poller { epoll: Arc::new(epoll), event_fd, ready: Vec::with_capacity(AT_A_TIME) })
    }

    /// To be told what to watch.
    pub fn epoll(&self) -> &Arc<Epoll> {
        &self.epoll
    }

    /// Waits until a socket is ready, the event_fd rings or the time is up; `None`: no limit. The event_fd is silent
    /// afterwards.
    pub fn wait(&mut self, limit: Option<Duration>) -> &[Ready] {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; AT_A_TIME];
        // Rounded up, or the last millisecond would be spent spinning.
        let milliseconds =
            limit.map_or(-1, |limit| i32::try_from(limit.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        // SAFETY: as many writable events as said. An interrupted wait is one without events.
        let count = unsafe {
            libc::epoll_wait(self.epoll.0.as_raw_fd(), events.as_mut_ptr(), AT_A_TIME as i32, milliseconds)
        };
        self.ready.clear();
        for event in events.iter().take(usize::try_from(count).unwrap_or(0)) {
            if event.u64 == EVENT_FD {
                self.event_fd.clear();
                continue;
            }
            let failed = event.events & (libc::EPOLLERR | libc::EPOLLHUP) as u32 != 0;
            let has = |bits: i32| failed || event.events & bits as u32 != 0;
            self.ready.push(Ready {
                slot: (event.u64 >> 32) as u32,
                fd: (event.u64 as u32).cast_signed(),
                readable: has(libc::EPOLLIN | libc::EPOLLRDHUP),
                writable: has(libc::EPOLLOUT),
            });
        }
        &self.ready
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    fn poller() -> Poller {
        Poller::new(Arc::new(EventFd::new().unwrap())).unwrap()
    }

    #[test]
    fn a_watch_stays_and_tells_of_what_comes_once() {
        let (mut theirs, mut ours) = UnixStream::pair().unwrap();
        let mut poller = poller();
        let fd = ours.as_raw_fd();
        assert!(poller.epoll().watch(7, fd, true, false));
        for _ in 0..3 {
            assert!(poller.wait(NOW).is_empty());
            theirs.write_all(b"xx").unwrap();
            let ready = poller.wait(NOW);
            assert!(matches!(ready, [Ready { slot: 7, readable: true, .. }]), "{ready:?}");
            // Half of it is left, and nobody said that it is wanted.
            ours.read_exact(&mut [0]).unwrap();
            assert!(poller.wait(NOW).is_empty());
            assert!(poller.epoll().watch(7, fd, true, false));
            assert_eq!(poller.wait(NOW).len(), 1);
            ours.read_exact(&mut [0]).unwrap();
        }
    }

    #[test]
    fn a_forgotten_socket_says_nothing_until_it_is_watched_again() {
        let (mut theirs, ours) = UnixStream::pair().unwrap();
        let mut poller = poller();
        let fd = ours.as_raw_fd();
        assert!(poller.epoll().watch(7, fd, true, false));
        poller.epoll().forget(fd);
        theirs.write_all(b"x").unwrap();
        assert!(poller.wait(NOW).is_empty());
        assert!(poller.epoll().watch(7, fd, true, false));
        assert_eq!(poller.wait(NOW).len(), 1);
    }
}
