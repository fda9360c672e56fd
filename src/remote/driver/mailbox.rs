//! What other threads have for a driver: calls, through a bounded queue without locks, and word of what happened.

use crossbeam_queue::ArrayQueue;

use crate::process::sync::{AtomicBool, Mutex, Ordering, fence, lock};
use crate::transport::EventFd;

/// See the module. `C` is a call, `W` a word.
pub struct Mailbox<C, W> {
    calls: ArrayQueue<C>,
    words: Mutex<Vec<W>>,
    /// The driver sleeps, or is about to: who has something for it rings.
    asleep: AtomicBool,
}

impl<C, W> Mailbox<C, W> {
    /// Room for so many calls that have not been taken out.
    pub fn new(capacity: usize) -> Mailbox<C, W> {
        Mailbox {
            calls: ArrayQueue::new(capacity),
            words: Mutex::new(Vec::new()),
            asleep: AtomicBool::new(false),
        }
    }

    /// Puts a call in, or gives it back if there is no room.
    pub fn submit(&self, call: C, event_fd: &EventFd) -> Result<(), C> {
        self.calls.push(call)?;
        self.rouse(event_fd);
        Ok(())
    }

    /// Puts a word in.
    pub fn tell(&self, word: W, event_fd: &EventFd) {
        lock(&self.words).push(word);
        self.rouse(event_fd);
    }

    /// The next call.
    pub fn take_call(&self) -> Option<C> {
        self.calls.pop()
    }

    /// All words, in order.
    pub fn take_commands(&self) -> Vec<W> {
        std::mem::take(&mut *lock(&self.words))
    }

    /// Whether the driver may wait for the event_fd: if not, something has come.
    pub fn may_sleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        // Either the driver sees here what was put in, or who put it in sees that the driver sleeps, and rings.
        fence(Ordering::SeqCst);
        let empty = self.calls.is_empty() && lock(&self.words).is_empty();
        if !empty {
            self.woke();
        }
        empty
    }

    /// The driver sleeps no more.
    pub fn woke(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    fn rouse(&self, event_fd: &EventFd) {
        fence(Ordering::SeqCst);
        // Looked at before it is changed: mostly the driver is awake, and a load leaves the cache line shared.
        if self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst) {
            event_fd.notify();
        }
    }
}
