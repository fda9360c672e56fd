//! Events on their way from a store's driver to the program that asked for them.

use std::collections::VecDeque;

use crate::policy::deadline::Deadline;
use crate::process::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering, lock, wait};
use crate::transport::EventFd;

/// Any number of threads put events in and take them out, in the order in which they came.
pub struct Queue<E> {
    state: Mutex<State<E>>,
    changed: Condvar,
    /// Rings while there is something to take out, from when somebody first asked for its descriptor.
    event_fd: EventFd,
    /// Nobody will take anything out any more.
    closed: AtomicBool,
}

struct State<E> {
    events: VecDeque<E>,
    /// Threads that sleep in `poll`, and those of them that have been notified and have not got up yet: who is about to
    /// look need not be called again, which costs more than anything else here.
    sleepers: usize,
    notified: usize,
    /// Polls that shall return with nothing.
    wakes: usize,
    fd_wanted: bool,
    fd_readable: bool,
}

impl<E> Queue<E> {
    /// Empty.
    pub fn new(event_fd: EventFd) -> Queue<E> {
        let state = State {
            events: VecDeque::new(),
            sleepers: 0,
            notified: 0,
            wakes: 0,
            fd_wanted: false,
            fd_readable: false,
        };
        Queue { state: Mutex::new(state), changed: Condvar::new(), event_fd, closed: AtomicBool::new(false) }
    }

    /// Puts an event in, without telling anybody: [`announce`](Queue::announce) must follow soon. A closed queue drops it.
    pub fn push(&self, event: E) {
        let mut state = lock(&self.state);
        if self.is_closed() {
            drop(state);
            drop(event);
            return;
        }
        state.events.push_back(event);
    }

    /// Tells those who wait for events that there are some.
    pub fn announce(&self) {
        let state = lock(&self.state);
        if !state.events.is_empty() {
            self.tell(state);
        }
    }

    /// Makes a `poll` that waits now, or else the next one that finds nothing, return with nothing.
    pub fn wake(&self) {
        let mut state = lock(&self.state);
        state.wakes += 1;
        self.tell(state);
    }

    fn tell(&self, mut state: MutexGuard<'_, State<E>>) {
        if state.fd_wanted && !state.fd_readable {
            state.fd_readable = true;
            self.event_fd.notify();
        }
        let wanted = (state.events.len() + state.wakes).min(state.sleepers).saturating_sub(state.notified);
        state.notified += wanted;
        // First, or who is called would only wait for the lock.
        drop(state);
        (0..wanted).for_each(|_| self.changed.notify_one());
    }

    /// Takes out up to `most` events; waits until the deadline for the first one.
    pub fn poll(&self, most: usize, deadline: Deadline, mut out: impl FnMut(E)) {
        let mut taken = Vec::new();
        let mut state = lock(&self.state);
        let mut late = false;
        while state.events.is_empty() && state.wakes == 0 && !self.is_closed() && !late {
            state.sleepers += 1;
            (state, late) = wait(&self.changed, state, deadline);
            state.sleepers -= 1;
            state.notified = state.notified.saturating_sub(1);
        }
        let first = state.events.pop_front();
        match first {
            None => state.wakes = state.wakes.saturating_sub(1),
            Some(_) => {
                let more = state.events.len().min(most.saturating_sub(1));
                taken.extend(state.events.drain(..more));
            }
        }
        if state.fd_readable && state.events.is_empty() && state.wakes == 0 {
            state.fd_readable = false;
            self.event_fd.clear();
        }
        drop(state);
        first.into_iter().chain(taken).for_each(&mut out);
    }

    /// A descriptor that is readable while there are events, or a wake that nobody has seen; owned by the queue.
    pub fn fd(&self) -> i32 {
        let mut state = lock(&self.state);
        state.fd_wanted = true;
        if (!state.events.is_empty() || state.wakes > 0) && !state.fd_readable {
            state.fd_readable = true;
            self.event_fd.notify();
        }
        self.event_fd.fd()
    }

    /// Drops what is in it and will come, and ends every wait.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        self.closed.store(true, Ordering::Release);
        let events = std::mem::take(&mut state.events);
        self.changed.notify_all();
        drop(state);
        drop(events);
    }

    /// Whether it has been closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
