//! What other threads have for a driver: exchanges, through a bounded queue without locks, and commands.

use crossbeam_queue::ArrayQueue;

use crate::process::sync::{AtomicBool, Mutex, Ordering, fence, lock};
use crate::transport::EventFd;

/// See the module. `E` is an exchange, `C` a command.
pub struct Mailbox<E, C> {
    exchanges: ArrayQueue<E>,
    commands: Mutex<Vec<C>>,
    /// The driver sleeps, or is about to: who has something for it notifies it.
    asleep: AtomicBool,
}

impl<E, C> Mailbox<E, C> {
    /// Room for so many exchanges that have not been taken out.
    pub fn new(capacity: usize) -> Mailbox<E, C> {
        Mailbox {
            exchanges: ArrayQueue::new(capacity),
            commands: Mutex::new(Vec::new()),
            asleep: AtomicBool::new(false),
        }
    }

    /// Puts an exchange in, or gives it back if there is no room.
    pub fn submit(&self, exchange: E, event_fd: &EventFd) -> Result<(), E> {
        self.put(exchange)?;
        self.wake(event_fd);
        Ok(())
    }

    /// As [`submit`](Mailbox::submit), without waking the driver.
    pub fn put(&self, exchange: E) -> Result<(), E> {
        self.exchanges.push(exchange)
    }

    /// Puts a command in.
    pub fn send(&self, command: C, event_fd: &EventFd) {
        lock(&self.commands).push(command);
        self.wake(event_fd);
    }

    /// The next exchange.
    pub fn take_exchange(&self) -> Option<E> {
        self.exchanges.pop()
    }

    /// All commands, in order.
    pub fn take_commands(&self) -> Vec<C> {
        std::mem::take(&mut *lock(&self.commands))
    }

    /// Whether the driver may wait for the event_fd: if not, something has come.
    pub fn may_sleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        // Either the driver sees here what was put in, or who put it in sees that the driver sleeps, and notifies it.
        fence(Ordering::SeqCst);
        let empty = self.exchanges.is_empty() && lock(&self.commands).is_empty();
        if !empty {
            self.woke();
        }
        empty
    }

    /// The driver sleeps no more.
    pub fn woke(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Wakes the driver, if it sleeps.
    pub fn wake(&self, event_fd: &EventFd) {
        fence(Ordering::SeqCst);
        // Looked at before it is changed: mostly the driver is awake, and a load leaves the cache line shared.
        if self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst) {
            event_fd.notify();
        }
    }
}
