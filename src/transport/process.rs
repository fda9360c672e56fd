//! Tells a process from the ones forked from it, without asking the kernel at every call.

use std::sync::atomic::{AtomicU32, Ordering};

use once_cell::sync::OnceCell;

use crate::error::{Code, Error, Result};

static GENERATION: AtomicU32 = AtomicU32::new(0);

extern "C" fn in_the_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Begins to count forks. The handler stays registered; so does the library (`-z nodelete`).
pub fn watch_forks() -> Result<()> {
    static WATCHING: OnceCell<()> = OnceCell::new();
    WATCHING
        .get_or_try_init(|| {
            // SAFETY: the handler only touches an atomic, which is allowed between fork and exec.
            match unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) } {
                0 => Ok(()),
                _ => Err(Error::new(Code::Internal, "no memory to watch for forks")),
            }
        })
        .copied()
}

/// How many forks lie between this process and the one that first called [`watch_forks`].
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}
