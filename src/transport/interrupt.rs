//! Ends the waiting of every thread that has its descriptor among those it polls. Once, for good.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

use crate::error::{Code, Error, Result};

/// An eventfd (eventfd(2)) that nobody reads: written once, it stays readable.
pub struct Interrupt(File);

impl Interrupt {
    /// Not set yet.
    pub fn new() -> Result<Interrupt> {
        // SAFETY: a plain system call; the descriptor it returns is ours alone.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            let why = std::io::Error::last_os_error();
            return Err(Error::new(Code::Internal, format!("no file descriptor for a store: {why}")));
        }
        // SAFETY: as above.
        Ok(Interrupt(unsafe { File::from_raw_fd(fd) }))
    }

    /// Readable once [`set`](Interrupt::set).
    pub fn descriptor(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// From now on nobody waits.
    pub fn set(&self) {
        // It fails only when the count is full, and then it is readable too.
        let _ = (&self.0).write(&1u64.to_ne_bytes());
    }
}
