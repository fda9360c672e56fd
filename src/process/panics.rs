//! No panic of ours reaches the host, neither as unwinding nor as words on its stderr.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::{Code, Error, Result};

thread_local! {
    /// This thread is in code of ours. `Cell<bool>` needs no destructor at thread exit.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`; a panic becomes an error and prints nothing.
pub fn contained<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    silence_panics();
    let outer = INSIDE.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    outcome.unwrap_or_else(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        // A payload's own destructor may panic too; it is not worth the risk.
        std::mem::forget(payload);
        Err(Error::new(Code::Panic, format!("a bug in libfeast_remote: {words}")))
    })
}

/// A place where a test can have a panic happen, with the feature `fault-injection`; else nothing.
#[inline(always)]
pub fn fault_point() {
    #[cfg(feature = "fault-injection")]
    injected::count_down();
}

/// Panics that tests ask for.
#[cfg(feature = "fault-injection")]
pub mod injected {
    use std::sync::atomic::{AtomicI64, Ordering};

    static LEFT: AtomicI64 = AtomicI64::new(-1);

    /// The `k`-th [`fault_point`](super::fault_point) that is passed from now on, on whatever thread, panics; from 0.
    pub fn panic_at(k: i64) {
        LEFT.store(k, Ordering::SeqCst);
    }

    /// No panic from now on. Whether there was one.
    pub fn disarm() -> bool {
        LEFT.swap(-1, Ordering::SeqCst) < 0
    }

    #[allow(clippy::panic)] // what it is for
    pub(super) fn count_down() {
        let step = |left: i64| (left >= 0).then(|| left - 1);
        if LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step) == Ok(0) {
            panic!("injected");
        }
    }
}

/// The default hook writes to the host's stderr. Panics of other code keep the hook they had.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !INSIDE.try_with(Cell::get).unwrap_or(false) {
                before(info);
            }
        }));
    });
}
