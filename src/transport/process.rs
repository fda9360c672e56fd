//! Tells a process from the ones forked from it, and lets no fork happen amid work that takes OpenSSL's locks: a child
//! would find those locked for ever.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use crate::error::{Code, Error, Result};

static GENERATION: AtomicU32 = AtomicU32::new(0);
/// Threads amid such work.
static AT_WORK: AtomicU32 = AtomicU32::new(0);
/// Threads in fork().
static FORKING: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// This thread is at work. `Cell<bool>` needs no destructor at thread exit.
    static THIS_ONE: Cell<bool> = const { Cell::new(false) };
    /// This thread is in fork(): the host's handlers may call us.
    static THIS_FORKS: Cell<bool> = const { Cell::new(false) };
}

/// What a fork waits at most, and what waits for a fork: the host's handlers may wait for locks that callers of ours hold. A thread amid such work may be kept from a processor for long where there are many; a child
/// that hangs for ever is worse than a fork that takes a while.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Between two looks; the work takes microseconds, or some milliseconds in a handshake.
const A_MOMENT: Duration = Duration::from_micros(20);

extern "C" fn before_a_fork() {
    FORKING.fetch_add(1, Ordering::SeqCst);
    THIS_FORKS.set(true);
    // Who forks in a signal handler would wait for itself.
    if THIS_ONE.get() {
        return;
    }
    let start = Instant::now();
    while AT_WORK.load(Ordering::SeqCst) > 0 && start.elapsed() < LONGEST_WAIT {
        std::thread::sleep(A_MOMENT);
    }
}

extern "C" fn in_the_parent() {
    THIS_FORKS.set(false);
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

extern "C" fn in_the_child() {
    THIS_FORKS.set(false);
    FORKING.store(0, Ordering::SeqCst);
    AT_WORK.store(0, Ordering::SeqCst);
    GENERATION.fetch_add(1, Ordering::SeqCst);
}

/// While it lives no fork happens.
pub struct AtWork(());

/// Waits while a fork happens, and then lets none happen. Short work only; not to be nested.
pub fn hold_off_forks() -> AtWork {
    let mut start = None;
    loop {
        AT_WORK.fetch_add(1, Ordering::SeqCst);
        let at_work = AtWork(());
        if FORKING.load(Ordering::SeqCst) == 0
            || THIS_FORKS.get()
            || start.get_or_insert_with(Instant::now).elapsed() > LONGEST_WAIT
        {
            THIS_ONE.set(true);
            return at_work;
        }
        drop(at_work);
        std::thread::sleep(A_MOMENT);
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        THIS_ONE.set(false);
        // In the child of a fork that did not wait long enough the count begins anew.
        let _ = AT_WORK.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

/// Begins to watch forks. The handlers stay registered; so does the library (`-z nodelete`).
pub fn watch_forks() -> Result<()> {
    static WATCHING: OnceCell<()> = OnceCell::new();
    WATCHING
        .get_or_try_init(|| {
            // SAFETY: the handlers touch atomics, look at the clock and sleep, which is allowed around fork.
            match unsafe {
                libc::pthread_atfork(Some(before_a_fork), Some(in_the_parent), Some(in_the_child))
            } {
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
