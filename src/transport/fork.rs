//! Has forks watched: what [`process::fork`](crate::process::fork) does around them is registered with the C library here.

use once_cell::sync::OnceCell;

use crate::error::{Code, Error, Result};
use crate::process::fork;

/// Begins to watch forks. The handlers stay registered; so does the library (`-z nodelete`).
pub fn watch() -> Result<()> {
    static WATCHING: OnceCell<()> = OnceCell::new();
    WATCHING
        .get_or_try_init(|| {
            // SAFETY: the handlers touch atomics, look at the clock and sleep, which is allowed around fork.
            match unsafe {
                libc::pthread_atfork(Some(fork::before), Some(fork::in_parent), Some(fork::in_child))
            } {
                0 => Ok(()),
                _ => Err(Error::new(Code::Internal, "no memory to watch for forks")),
            }
        })
        .copied()
}
