//! A thread that waits for a call which the driver carries.

use crate::policy::deadline::Deadline;
use crate::process::sync::{Condvar, Mutex, lock, wait};

/// Takes one outcome from whoever has it to the one thread that waits for it.
pub struct Waiter<T> {
    outcome: Mutex<Option<T>>,
    changed: Condvar,
}

impl<T> Waiter<T> {
    /// Nothing has come yet.
    pub fn new() -> Waiter<T> {
        Waiter { outcome: Mutex::new(None), changed: Condvar::new() }
    }

    /// Ends the wait.
    pub fn complete(&self, outcome: T) {
        *lock(&self.outcome) = Some(outcome);
        self.changed.notify_one();
    }

    /// Waits for the outcome; `None` if it has not come by the deadline.
    pub fn wait(&self, deadline: Deadline) -> Option<T> {
        let mut outcome = lock(&self.outcome);
        loop {
            if let Some(outcome) = outcome.take() {
                return Some(outcome);
            }
            let late;
            (outcome, late) = wait(&self.changed, outcome, deadline);
            if late {
                return outcome.take();
            }
        }
    }
}
