//! A value that one thread takes away while others may be using it.

use std::cell::UnsafeCell;

use crate::error::{Error, Result};
use crate::policy::deadline::Deadline;
use crate::process::sync::{AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, lock, wait};

/// See the module. The shell stays when the value is gone, so that late callers are told so.
pub struct Closable<T> {
    closed: AtomicBool,
    /// Callers that may be using the value.
    inside: AtomicUsize,
    left: (Mutex<()>, Condvar),
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is only taken out when `closed` is set and nobody is inside; see `with` and `close`.
unsafe impl<T: Send + Sync> Sync for Closable<T> {}

struct Inside<'a, T>(&'a Closable<T>);

impl<T> Closable<T> {
    /// Open, with a value.
    pub fn new(value: T) -> Closable<T> {
        Closable {
            closed: AtomicBool::new(false),
            inside: AtomicUsize::new(0),
            left: (Mutex::new(()), Condvar::new()),
            value: UnsafeCell::new(Some(value)),
        }
    }

    /// Closed from the beginning.
    pub fn closed() -> Closable<T> {
        Closable {
            closed: AtomicBool::new(true),
            inside: AtomicUsize::new(0),
            left: (Mutex::new(()), Condvar::new()),
            value: UnsafeCell::new(None),
        }
    }

    /// Runs `call` on the value and holds it meanwhile; `CLOSED` if it is going or gone.
    pub fn with<R>(&self, call: impl FnOnce(&T) -> Result<R>) -> Result<R> {
        // Late callers are not even counted, or a crowd of them could keep `close` waiting.
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::closed());
        }
        // Counted before looking again: whoever closes sets `closed` first and then waits for the count, so one
        // of the two sees the other.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let _inside = Inside(self);
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::closed());
        }
        // SAFETY: while `_inside` lives `close` does not touch the cell.
        call(unsafe { &*self.value.get() }.as_ref().ok_or_else(Error::closed)?)
    }

    /// Lets no more callers in, tells those inside to leave by `hurry`, waits for them and returns the value; `None` if
    /// it was closed before.
    pub fn close(&self, hurry: impl FnOnce(&T)) -> Option<T> {
        if self.closed.swap(true, Ordering::SeqCst) {
            return None;
        }
        // SAFETY: shared access only, until nobody is inside; nobody else gets this far.
        hurry(unsafe { &*self.value.get() }.as_ref()?);
        let mut left = lock(&self.left.0);
        while self.inside.load(Ordering::SeqCst) != 0 {
            left = wait(&self.left.1, left, Deadline::NEVER).0;
        }
        drop(left);
        // SAFETY: `closed` is set, so nobody who comes from now on looks at the cell, and all others have left.
        unsafe { &mut *self.value.get() }.take()
    }
}

impl<T> Drop for Inside<'_, T> {
    fn drop(&mut self) {
        if self.0.inside.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.closed.load(Ordering::SeqCst) {
            let _guard = lock(&self.0.left.0);
            self.0.left.1.notify_all();
        }
    }
}
