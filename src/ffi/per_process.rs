//! A value that belongs to one process: who is forked gets one of its own, and never touches the parent's.
//!
//! Without locks, since a lock that another thread held at the fork stays locked in the child for ever.

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::error::Result;
use crate::process::fork;

/// See the module. Made in one process, used by it and its descendants.
pub struct PerProcess<T> {
    first: Generation<T>,
}

struct Generation<T> {
    number: u32,
    value: T,
    /// Of a descendant; in each process the chain holds its ancestors and itself.
    next: AtomicPtr<Generation<T>>,
}

// SAFETY: the pointers own what they point to; the values are shared between threads.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}

impl<T> PerProcess<T> {
    /// The value of this process.
    pub fn new(value: T) -> PerProcess<T> {
        PerProcess { first: Generation::new(value) }
    }

    /// The value of this process, made now from that of the last ancestor that had one if need be.
    pub fn get_or_make(&self, make: impl FnOnce(&T) -> Result<T>) -> Result<&T> {
        let mut last = self.last();
        if last.number == fork::generation() {
            return Ok(&last.value);
        }
        let made = Box::into_raw(Box::new(Generation::new(make(&last.value)?)));
        match last.next.compare_exchange(std::ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => last = self.last(),
            Err(_) => {
                // Another thread was faster.
                last = self.last();
                // SAFETY: made above and given to nobody.
                drop(unsafe { Box::from_raw(made) });
            }
        }
        Ok(&last.value)
    }

    fn last(&self) -> &Generation<T> {
        let mut last = &self.first;
        // SAFETY: what `next` points to is never freed or moved.
        while let Some(next) = unsafe { last.next.load(Ordering::Acquire).as_ref() } {
            last = next;
        }
        last
    }
}

impl<T> Generation<T> {
    fn new(value: T) -> Generation<T> {
        Generation { number: fork::generation(), value, next: AtomicPtr::new(std::ptr::null_mut()) }
    }
}
