//! Waits for many slots' sockets at once (epoll(7)), and for a bell.
//!
//! Each watch is by the edge, and stays when its event has come: the next call on a kept connection finds it there. A
//! socket of a slot that is not in use, or in use by another thread, disturbs once: then it is [forgotten](Poller::forget).
//! What is left of a watch needs no clearing away: the kernel forgets it when the socket is closed.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::bell::{Bell, out_of_descriptors};
use crate::error::Result;
use crate::sync::Arc;

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

/// What to watch a slot's socket for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interest {
    /// Its number.
    pub slot: u32,
    /// How many sockets it has made: another one may have got this one's number.
    pub made: u32,
    /// The socket.
    pub fd: RawFd,
    pub read: bool,
    pub write: bool,
}

/// See the module. One thread waits; any may ring the bell, which ends its wait, or else the next one.
pub struct Poller {
    epoll: OwnedFd,
    bell: Arc<Bell>,
    ready: Vec<Ready>,
    /// What is watched, by descriptor, as far as it may be forgotten.
    watched: HashMap<RawFd, Interest>,
}

/// What the bell's event carries; no slot has this number.
const BELL: u64 = u64::MAX;

impl Poller {
    /// Watches this bell only.
    pub fn new(bell: Arc<Bell>) -> Result<Poller> {
        // SAFETY: no pointers; the descriptor is checked and owned from here on.
        let epoll = unsafe {
            match libc::epoll_create1(libc::EPOLL_CLOEXEC) {
                -1 => return Err(out_of_descriptors()),
                fd => OwnedFd::from_raw_fd(fd),
            }
        };
        let poller = Poller { epoll, bell, ready: Vec::with_capacity(AT_A_TIME), watched: HashMap::new() };
        match poller.control(libc::EPOLL_CTL_ADD, poller.bell.fd(), libc::EPOLLIN as u32, BELL) {
            true => Ok(poller),
            false => Err(out_of_descriptors()),
        }
    }

    /// Whether a socket is watched for just this.
    pub fn watches(&self, interest: &Interest) -> bool {
        self.watched.get(&interest.fd) == Some(interest)
    }

    /// Watches a socket; an event comes also if it is ready already. `false` if the kernel refuses. A `lasting` watch is
    /// not forgotten.
    pub fn watch(&mut self, interest: Interest, lasting: bool) -> bool {
        let Interest { slot, fd, read, write, .. } = interest;
        let mut events = libc::EPOLLET;
        if read {
            events |= libc::EPOLLIN | libc::EPOLLRDHUP;
        }
        if write {
            events |= libc::EPOLLOUT;
        }
        let data = u64::from(slot) << 32 | u64::from(fd.cast_unsigned());
        let watched = self.control(libc::EPOLL_CTL_MOD, fd, events as u32, data)
            || self.control(libc::EPOLL_CTL_ADD, fd, events as u32, data);
        if watched && !lasting {
            self.watched.insert(fd, interest);
        }
        watched
    }

    /// Nobody waits for what this socket has to say.
    pub fn forget(&mut self, ready: Ready) {
        if self.watched.get(&ready.fd).is_some_and(|watched| watched.slot == ready.slot) {
            self.watched.remove(&ready.fd);
            self.control(libc::EPOLL_CTL_DEL, ready.fd, 0, 0);
        }
    }

    fn control(&self, operation: i32, fd: RawFd, events: u32, data: u64) -> bool {
        let mut event = libc::epoll_event { events, u64: data };
        // SAFETY: a live event; a descriptor that is none of ours makes the call fail.
        unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd, &mut event) == 0 }
    }

    /// Waits until a socket is ready, the bell rings or the time is up; `None`: no limit. The bell is silent
    /// afterwards.
    pub fn wait(&mut self, limit: Option<Duration>) -> &[Ready] {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; AT_A_TIME];
        // Rounded up, or the last millisecond would be spent spinning.
        let milliseconds =
            limit.map_or(-1, |limit| i32::try_from(limit.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        // SAFETY: as many writable events as said. An interrupted wait is one without events.
        let count = unsafe {
            libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), AT_A_TIME as i32, milliseconds)
        };
        self.ready.clear();
        for event in events.iter().take(usize::try_from(count).unwrap_or(0)) {
            if event.u64 == BELL {
                self.bell.silence();
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
        Poller::new(Arc::new(Bell::new().unwrap())).unwrap()
    }

    fn reading(socket: &UnixStream) -> Interest {
        Interest { slot: 7, made: 1, fd: socket.as_raw_fd(), read: true, write: false }
    }

    #[test]
    fn a_watch_stays_and_tells_of_what_comes_once() {
        let (mut theirs, mut ours) = UnixStream::pair().unwrap();
        let mut poller = poller();
        let interest = reading(&ours);
        assert!(!poller.watches(&interest));
        assert!(poller.watch(interest, false));
        assert!(poller.watches(&interest));
        for _ in 0..3 {
            assert!(poller.wait(NOW).is_empty());
            theirs.write_all(b"xx").unwrap();
            let ready = poller.wait(NOW);
            assert!(matches!(ready, [Ready { slot: 7, readable: true, .. }]), "{ready:?}");
            // Half of it is left, and nobody said that it is wanted.
            ours.read_exact(&mut [0]).unwrap();
            assert!(poller.wait(NOW).is_empty());
            assert!(poller.watch(interest, false));
            assert_eq!(poller.wait(NOW).len(), 1);
            ours.read_exact(&mut [0]).unwrap();
        }
    }

    #[test]
    fn a_forgotten_socket_does_not_disturb_again() {
        let (mut theirs, ours) = UnixStream::pair().unwrap();
        let mut poller = poller();
        let interest = reading(&ours);
        assert!(poller.watch(interest, false));
        theirs.write_all(b"x").unwrap();
        let ready = poller.wait(NOW)[0];
        // That of another slot, which had the descriptor's number before, is not meant.
        poller.forget(Ready { slot: 6, ..ready });
        assert!(poller.watches(&interest));
        poller.forget(ready);
        assert!(!poller.watches(&interest));
        theirs.write_all(b"x").unwrap();
        assert!(poller.wait(NOW).is_empty());
        assert!(poller.watch(interest, false));
        assert_eq!(poller.wait(NOW).len(), 1);
    }

    #[test]
    fn another_socket_with_the_same_number_is_not_taken_for_the_old_one() {
        let (_theirs, old) = UnixStream::pair().unwrap();
        let (mut theirs, new) = UnixStream::pair().unwrap();
        let mut poller = poller();
        let interest = reading(&old);
        assert!(poller.watch(interest, false));
        // SAFETY: both are open; `old` gets the new socket, as if it had been closed and its number used again.
        assert_ne!(unsafe { libc::dup2(new.as_raw_fd(), old.as_raw_fd()) }, -1);
        let another = Interest { made: 2, ..interest };
        assert!(!poller.watches(&another));
        assert!(poller.watch(another, false));
        theirs.write_all(b"x").unwrap();
        assert_eq!(poller.wait(NOW).len(), 1);
    }
}
