//! As src/process/sync.rs, over shuttle's scheduler.
#![allow(unused_imports, dead_code)] // each of the tests uses a part

pub use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
pub use shuttle::sync::{Arc, Condvar, Mutex};

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

use shuttle::rand::Rng;

use crate::policy::deadline::Deadline;

/// Knows its mutex, so that `wait` can let go of it without a notification to end the wait.
pub struct MutexGuard<'a, T>(&'a Mutex<T>, shuttle::sync::MutexGuard<'a, T>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.1
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.1
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Shuttle's tasks are one thread for std, which then sees poison where there is none.
    MutexGuard(mutex, mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A deadline that exists may pass at any moment; without one, a lost wake-up is a deadlock, which shuttle
/// reports.
pub fn wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Deadline,
) -> (MutexGuard<'a, T>, bool) {
    let MutexGuard(mutex, inner) = guard;
    if deadline == Deadline::NEVER {
        return (MutexGuard(mutex, condvar.wait(inner).unwrap_or_else(PoisonError::into_inner)), false);
    }
    drop(inner);
    shuttle::thread::yield_now();
    (lock(mutex), shuttle::rand::thread_rng().gen_bool(0.5))
}

/// Runs a scenario in so many orders of its events, half of them at random, half with few but well-placed changes
/// (Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding bugs).
pub fn in_many_orders(schedules: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let scenario = std::sync::Arc::new(scenario);
    let again = std::sync::Arc::clone(&scenario);
    let config = || {
        let mut config = shuttle::Config::new();
        // A debug build of the driver needs more than shuttle's 32 KiB.
        config.stack_size = 256 * 1024;
        config
    };
    let random = shuttle::scheduler::RandomScheduler::new(schedules);
    shuttle::Runner::new(random, config()).run(move || scenario());
    let few_changes = shuttle::scheduler::PctScheduler::new(3, schedules);
    shuttle::Runner::new(few_changes, config()).run(move || again());
}
