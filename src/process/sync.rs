//! Locks, condition variables and atomics of the code whose interleavings are tested: std's.
//!
//! `tests/interleavings/` compiles the files that use this module a second time, with a module of the same
//! name over shuttle's scheduler, which tries orders of events that a real machine rarely shows.

pub use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
pub use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use std::sync::PoisonError;
use std::time::Instant;

use crate::policy::deadline::Deadline;

/// Locks. Poison is passed over: a panic cannot leave our data half changed, and must not spread.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits to be notified, or until the deadline, or for no reason at all. `true` if the deadline has passed.
pub fn wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Deadline,
) -> (MutexGuard<'a, T>, bool) {
    let Some(remaining) = deadline.remaining(Instant::now()) else {
        return (condvar.wait(guard).unwrap_or_else(PoisonError::into_inner), false);
    };
    if remaining.is_zero() {
        return (guard, true);
    }
    let guard = condvar.wait_timeout(guard, remaining).unwrap_or_else(PoisonError::into_inner).0;
    (guard, deadline.passed(Instant::now()))
}
