//! Tells a process from the ones forked from it, and lets no fork happen amid work that takes OpenSSL's locks: a child
//! would find those locked for ever.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

static GENERATION: AtomicU32 = AtomicU32::new(0);
/// Threads amid such work.
static IN_SECTIONS: AtomicU32 = AtomicU32::new(0);
/// Threads in fork().
static FORKING: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// This thread is amid such work. `Cell<bool>` needs no destructor at thread exit.
    static IN_SECTION: Cell<bool> = const { Cell::new(false) };
    /// This thread is in fork(): the host's handlers may call us.
    static THIS_FORKS: Cell<bool> = const { Cell::new(false) };
}

/// What a fork waits at most, and what waits for a fork: the host's handlers may wait for locks that callers of ours hold. A
/// thread amid such work may be kept from a processor for long where there are many; a child that hangs for ever is worse
/// than a fork that takes a while.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Between two looks; the work takes microseconds, or some milliseconds in a handshake.
const A_MOMENT: Duration = Duration::from_micros(20);

/// For pthread_atfork(3): before a fork.
pub extern "C" fn before() {
    FORKING.fetch_add(1, Ordering::SeqCst);
    THIS_FORKS.set(true);
    // Who forks in a signal handler would wait for itself.
    if IN_SECTION.get() {
        return;
    }
    let start = Instant::now();
    while IN_SECTIONS.load(Ordering::SeqCst) > 0 && start.elapsed() < LONGEST_WAIT {
        std::thread::sleep(A_MOMENT);
    }
}

/// For pthread_atfork(3): after it, in the parent.
pub extern "C" fn in_parent() {
    THIS_FORKS.set(false);
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// For pthread_atfork(3): after it, in the child.
pub extern "C" fn in_child() {
    THIS_FORKS.set(false);
    FORKING.store(0, Ordering::SeqCst);
    IN_SECTIONS.store(0, Ordering::SeqCst);
    GENERATION.fetch_add(1, Ordering::SeqCst);
}

/// While it lives no fork happens.
pub struct ForkGuard(());

/// Waits while a fork happens, and then lets none happen. Short work only; not to be nested.
pub fn prevent_fork() -> ForkGuard {
    let mut start = None;
    loop {
        IN_SECTIONS.fetch_add(1, Ordering::SeqCst);
        let guard = ForkGuard(());
        if FORKING.load(Ordering::SeqCst) == 0
            || THIS_FORKS.get()
            || start.get_or_insert_with(Instant::now).elapsed() > LONGEST_WAIT
        {
            IN_SECTION.set(true);
            return guard;
        }
        drop(guard);
        std::thread::sleep(A_MOMENT);
    }
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        IN_SECTION.set(false);
        // In the child of a fork that did not wait long enough the count begins anew.
        let _ = IN_SECTIONS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

/// How many forks lie between this process and the one that first called [`watch`](crate::transport::fork::watch).
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}
