//! A file descriptor that is readable while it rings (eventfd(2)).

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::names::NameListener;
use crate::error::{Code, Error, Result};

/// See the module. Any thread may ring or silence it.
pub struct EventFd(OwnedFd);

impl NameListener for EventFd {
    fn looked_up(&self) {
        self.notify();
    }
}

impl EventFd {
    /// Silent.
    pub fn new() -> Result<EventFd> {
        // SAFETY: no pointers; the descriptor is checked and owned from here on.
        unsafe {
            match libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) {
                -1 => Err(out_of_descriptors()),
                fd => Ok(EventFd(OwnedFd::from_raw_fd(fd))),
            }
        }
    }

    /// Makes it readable.
    pub fn notify(&self) {
        let one = 1u64;
        // SAFETY: eight readable bytes. It can only fail when it rings already 2^64 - 2 times.
        unsafe { libc::write(self.fd(), (&raw const one).cast(), size_of::<u64>()) };
    }

    /// Makes it not readable.
    pub fn clear(&self) {
        let mut count = 0u64;
        // SAFETY: eight writable bytes. It fails when it does not ring, which is what is wanted.
        unsafe { libc::read(self.fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }

    /// To wait for; owned by the event_fd.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The usual reason why the kernel refuses a descriptor.
pub fn out_of_descriptors() -> Error {
    let why = std::io::Error::last_os_error();
    let message = format!("no file descriptor to be had ({why}); see `ulimit -n`");
    Error { retriable: true, ..Error::new(Code::Internal, message) }
}
