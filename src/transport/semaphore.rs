//! Who may use a slot, which one, and who is told when that changes. Knows nothing of libcurl.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};
use crate::policy::admission::{Admission, Claim, Refusal, Released, Ticket};
use crate::policy::attempt_times::Attempted;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, AtomicBool, Condvar, Mutex, Ordering, lock, wait};

/// What passes through a semaphore: driven by one thread, and woken by another when the semaphore closes.
pub trait Wakeable {
    /// Wakes the one it came from.
    type Waker: Copy + PartialEq;
    /// A waker of this one.
    fn waker(&self) -> Self::Waker;
    /// Ends what the thread that drives it waits for. Only called while it exists.
    fn wake(waker: Self::Waker);
    /// It has a connection. Only asked while it is not in use. Likewise below.
    fn is_connected(&self) -> bool;
    /// The number of the server that it is for.
    fn upstream(&self) -> u32;
    /// It is not to be kept.
    fn is_retired(&self) -> bool;
}

/// What comes with a permit.
pub struct Lent<S, T> {
    /// What was chosen when the permit was there.
    pub chosen: T,
    /// The slot for that server which was used last; without one the caller makes one and has it
    /// [watched](Semaphore::watch).
    pub slot: Option<S>,
    /// There is no room for another slot unless this one, not used for longest, is closed.
    pub displaced: Option<S>,
}

/// What is chosen when a permit is there.
pub trait Choice {
    /// The number of the server.
    fn upstream(&self) -> u32;
    /// Only a connection that was in use since then will do, or a new one.
    fn used_since(&self) -> Option<Instant>;
}

/// At most `capacity` calls at once, the others in the order that [`Admission`] has.
pub struct Semaphore<S: Wakeable> {
    state: Mutex<State<S>>,
    capacity: usize,
    closing: AtomicBool,
    /// Signalled when `closing` is set, for calls that sleep before a retry.
    closed: Condvar,
    /// Signalled when the reaper has something to look at.
    reaper_wanted: Condvar,
}

struct State<S: Wakeable> {
    admission: Admission,
    next_ticket: Ticket,
    waiting: BTreeMap<Ticket, Waiter>,
    /// One for each slot there is, in use or not.
    wakers: Vec<S::Waker>,
    /// Slots not in use; the last was used last and is taken first, so that the others can grow old.
    idle: Vec<Idle<S>>,
    /// The reaper sleeps with nothing to wait for.
    reaper_idle: bool,
}

struct Idle<S> {
    slot: S,
    since: Instant,
}

enum Waiter {
    /// A thread that sleeps meanwhile.
    Thread(Arc<Sleeper>),
    /// Somebody who has other things to do.
    Listener(Arc<dyn Listener>),
    /// Nobody any more: it has been told, and takes this away.
    Refused(Refusal),
}

struct Sleeper {
    admitted: AtomicBool,
    changed: Condvar,
}

/// Is told that a permit has come free for one that it asked for.
pub trait Listener: Send + Sync {
    /// The permit is taken; it must be [collected](Semaphore::claim) or [given up](Semaphore::cancel_acquire). Called under the
    /// semaphore's lock.
    fn admitted(&self, ticket: Ticket);
    /// The permit is refused, for the time that the call has left; why is to be [asked](Semaphore::cancel_overloaded) with the ticket.
    /// Called likewise.
    fn refused(&self, ticket: Ticket);
}

/// The answer to a question for a permit.
pub enum Acquire<S, T> {
    /// Had at once; as from [`Semaphore::acquire`].
    Admitted(Lent<S, T>),
    /// The listener will be told.
    Queued(Ticket),
}

/// How a semaphore is used now.
pub struct Occupancy {
    /// Calls that wait for a permit.
    pub waiting: usize,
    /// Slots not in use that have a connection.
    pub idle: usize,
    /// Calls with a permit.
    pub in_use: usize,
}

impl<S: Wakeable> Semaphore<S> {
    /// An open semaphore without slots.
    pub fn new(capacity: usize) -> Semaphore<S> {
        let state = State {
            admission: Admission::new(capacity),
            next_ticket: 0,
            waiting: BTreeMap::new(),
            wakers: Vec::new(),
            idle: Vec::new(),
            reaper_idle: false,
        };
        Semaphore {
            state: Mutex::new(state),
            capacity,
            closing: AtomicBool::new(false),
            closed: Condvar::new(),
            reaper_wanted: Condvar::new(),
        }
    }

    /// Waits for a permit until the deadline; it must be [given back](Semaphore::release). `choose` is asked for the server
    /// when the permit is there, under the semaphore's lock. `waited` is told the time in the queue, if there was any, even
    /// in vain.
    pub fn acquire<T: Choice>(
        &self,
        deadline: Deadline,
        claim: Claim,
        choose: impl FnOnce() -> T,
        waited: impl FnOnce(Duration),
    ) -> Result<Lent<S, T>> {
        let mut state = lock(&self.state);
        let (ticket, admitted) = self.take_ticket(&mut state, claim)?;
        if admitted {
            return Ok(state.lend(self.capacity, choose()));
        }
        let start = Instant::now();
        let waiter = Arc::new(Sleeper { admitted: AtomicBool::new(false), changed: Condvar::new() });
        state.waiting.insert(ticket, Waiter::Thread(Arc::clone(&waiter)));
        let mut late = false;
        let outcome = loop {
            let closing = self.is_closing();
            if waiter.admitted.load(Ordering::Acquire) && !closing {
                break Ok(state.lend(self.capacity, choose()));
            }
            let refused = matches!(state.waiting.get(&ticket), Some(Waiter::Refused(_)));
            if closing || late || refused {
                let error = self.leave_overloaded(&mut state, ticket);
                break Err(if closing { Error::closed() } else { error });
            }
            (state, late) = wait(&waiter.changed, state, deadline);
        };
        drop(state);
        waited(start.elapsed());
        outcome
    }

    /// As [`acquire`](Semaphore::acquire) for somebody who does not wait: stands in the same queue as those who do.
    pub fn acquire_queued<T: Choice>(
        &self,
        listener: &Arc<dyn Listener>,
        claim: Claim,
        choose: impl FnOnce() -> T,
    ) -> Result<Acquire<S, T>> {
        let mut state = lock(&self.state);
        let (ticket, admitted) = self.take_ticket(&mut state, claim)?;
        if admitted {
            return Ok(Acquire::Admitted(state.lend(self.capacity, choose())));
        }
        state.waiting.insert(ticket, Waiter::Listener(Arc::clone(listener)));
        Ok(Acquire::Queued(ticket))
    }

    /// A permit that is free now; `None` if there is none, or `choose` does not want it.
    pub fn try_acquire<T: Choice>(&self, choose: impl FnOnce() -> Option<T>) -> Option<Lent<S, T>> {
        let mut state = lock(&self.state);
        if self.is_closing() || state.admission.admitted() >= self.capacity {
            return None;
        }
        let chosen = choose()?;
        let (_, admitted) = self.take_ticket(&mut state, Claim::UNLIKE_OTHERS).ok()?;
        debug_assert!(admitted, "there is one");
        Some(state.lend(self.capacity, chosen))
    }

    /// A number in the queue, and whether its permit was free.
    fn take_ticket(&self, state: &mut State<S>, claim: Claim) -> Result<(Ticket, bool)> {
        if self.is_closing() {
            return Err(Error::closed());
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        Ok((ticket, state.admission.acquire(ticket, claim)))
    }

    /// What comes with a permit that the listener was told of.
    pub fn claim<T: Choice>(&self, choose: impl FnOnce() -> T) -> Lent<S, T> {
        lock(&self.state).lend(self.capacity, choose())
    }

    /// Gives up a permit asked for, whether the listener has been told or not.
    pub fn cancel_acquire(&self, ticket: Ticket) {
        lock(&self.state).leave(ticket);
    }

    /// The error of a call whose time in the queue was up.
    pub fn overloaded(&self) -> Error {
        self.overloaded_with(&lock(&self.state), None)
    }

    /// The same of the call with this ticket, which may have been refused; it waits no longer.
    pub fn cancel_overloaded(&self, ticket: Ticket) -> Error {
        self.leave_overloaded(&mut lock(&self.state), ticket)
    }

    fn leave_overloaded(&self, state: &mut State<S>, ticket: Ticket) -> Error {
        let refusal = state.refusal(ticket);
        state.leave(ticket);
        self.overloaded_with(state, refusal)
    }

    /// Makes a slot known, so that closing wakes it.
    pub fn watch(&self, slot: &S) -> S::Waker {
        let waker = slot.waker();
        lock(&self.state).wakers.push(waker);
        waker
    }

    /// Forgets a slot that was never given back, before it is dropped.
    pub fn unwatch(&self, waker: S::Waker) {
        lock(&self.state).wakers.retain(|&known| known != waker);
    }

    /// Gives a permit back, with the slot that was used in it, and how long that took if it says something of other calls. What
    /// is returned is not kept, and to be dropped.
    pub fn release(&self, slot: Option<S>, attempted: Option<Attempted>) -> Option<S> {
        let since = Instant::now();
        let mut state = lock(&self.state);
        if let Some(attempted) = attempted {
            state.admission.record(attempted);
        }
        let mut retired = None;
        match slot {
            // Asked under the lock, or one that retires now could be missed here and by `take_retired`.
            Some(slot) if slot.is_retired() => retired = Some(state.forget(slot)),
            Some(slot) => state.idle.push(Idle { slot, since }),
            None => (),
        }
        state.pass_on(since);
        if std::mem::take(&mut state.reaper_idle) {
            self.reaper_wanted.notify_one();
        }
        drop(state);
        retired
    }

    /// Takes away the slots that are not to be kept and not in use.
    pub fn take_retired(&self) -> Vec<S> {
        let mut state = lock(&self.state);
        let mut retired = Vec::new();
        for at in (0..state.idle.len()).rev() {
            if state.idle[at].slot.is_retired() {
                let slot = state.idle.remove(at).slot;
                retired.push(state.forget(slot));
            }
        }
        retired
    }

    /// Sleeps before a retry, holding no permit; `false` if the semaphore closes meanwhile.
    pub fn sleep(&self, time: Duration) -> bool {
        let until = Deadline::after(Instant::now(), Some(time));
        let mut state = lock(&self.state);
        let mut over = time.is_zero();
        while !self.is_closing() {
            if over {
                return true;
            }
            (state, over) = wait(&self.closed, state, until);
        }
        false
    }

    /// Makes every call, waiting or with a slot, end soon, and every later one at once.
    pub fn close(&self) {
        let state = lock(&self.state);
        self.closing.store(true, Ordering::Release);
        self.closed.notify_all();
        self.reaper_wanted.notify_all();
        for waiter in state.waiting.values() {
            // Listeners are told by whoever closes the semaphore.
            if let Waiter::Thread(sleeper) = waiter {
                sleeper.changed.notify_all();
            }
        }
        // Under the lock, so that no waker's slot can be dropped.
        state.wakers.iter().for_each(|&waker| S::wake(waker));
    }

    /// Set when the semaphore closes.
    pub fn closing(&self) -> &AtomicBool {
        &self.closing
    }

    /// Whether it has been closed.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Calls that may be admitted at once.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How the semaphore is used now.
    pub fn occupancy(&self) -> Occupancy {
        let state = lock(&self.state);
        Occupancy {
            waiting: state.admission.waiting(),
            idle: state.idle.iter().filter(|idle| idle.slot.is_connected()).count(),
            in_use: state.admission.admitted(),
        }
    }

    /// Waits until slots have not been used for `limit`, and takes them away; `None` when the semaphore closes.
    pub fn wait_for_expired(&self, limit: Duration) -> Option<Vec<S>> {
        let mut state = lock(&self.state);
        while !self.is_closing() {
            let now = Instant::now();
            // Used last means at the end, so the oldest come first.
            let expired =
                state.idle.iter().take_while(|idle| now.duration_since(idle.since) >= limit).count();
            if expired > 0 {
                let old: Vec<S> = state.idle.drain(..expired).map(|idle| idle.slot).collect();
                state.wakers.retain(|&waker| old.iter().all(|slot| slot.waker() != waker));
                return Some(old);
            }
            let oldest = state.idle.first().map(|idle| idle.since);
            let next = oldest.map_or(Deadline::NEVER, |since| Deadline::after(since, Some(limit)));
            state.reaper_idle = oldest.is_none();
            state = wait(&self.reaper_wanted, state, next).0;
        }
        None
    }

    fn overloaded_with(&self, state: &State<S>, refusal: Option<Refusal>) -> Error {
        let until = match refusal {
            None => "until the deadline".to_owned(),
            Some(Refusal { left, least }) => format!(
                "until {left:.1?} before the deadline, and such calls have lately taken {least:.1?} at least, so it \
                 was not sent"
            ),
        };
        let (all, others) = (self.capacity, state.admission.waiting());
        let message = format!(
            "all {all} connections (connection_pool_size) were in use {until}, with {others} other calls waiting"
        );
        Error::new(Code::Overloaded, message)
    }
}

impl<S: Wakeable> State<S> {
    /// What comes with a permit for this server.
    fn lend<T: Choice>(&mut self, capacity: usize, chosen: T) -> Lent<S, T> {
        let upstream = chosen.upstream();
        // With one server it is the last.
        let used_since = chosen.used_since();
        let will_do = |idle: &Idle<S>| {
            idle.slot.upstream() == upstream && used_since.is_none_or(|then| idle.since >= then)
        };
        if let Some(at) = self.idle.iter().rposition(will_do) {
            return Lent { chosen, slot: Some(self.idle.remove(at).slot), displaced: None };
        }
        let full = !self.idle.is_empty() && self.idle.len() + self.admission.admitted() > capacity;
        let displaced = full.then(|| {
            let slot = self.idle.remove(0).slot;
            self.forget(slot)
        });
        Lent { chosen, slot: None, displaced }
    }

    /// Forgets a slot that is about to be dropped.
    fn forget(&mut self, slot: S) -> S {
        let waker = slot.waker();
        self.wakers.retain(|&known| known != waker);
        slot
    }

    /// Why a permit was refused, if it was.
    fn refusal(&self, ticket: Ticket) -> Option<Refusal> {
        match self.waiting.get(&ticket) {
            Some(Waiter::Refused(refusal)) => Some(*refusal),
            _ => None,
        }
    }

    /// A permit asked for is not wanted any more, whether it is there, is refused, or neither.
    fn leave(&mut self, ticket: Ticket) {
        let was_refused = matches!(self.waiting.remove(&ticket), Some(Waiter::Refused(_)));
        if !was_refused && !self.admission.cancel(ticket) {
            self.pass_on(Instant::now());
        }
    }

    /// Gives a permit back and wakes whoever has it now.
    fn pass_on(&mut self, now: Instant) {
        let Released { next, refused } = self.admission.release(now);
        if let Some(next) = next
            && let Some(waiter) = self.waiting.remove(&next)
        {
            match waiter {
                Waiter::Thread(sleeper) => {
                    sleeper.admitted.store(true, Ordering::Release);
                    sleeper.changed.notify_one();
                }
                Waiter::Listener(listener) => listener.admitted(next),
                Waiter::Refused(_) => (),
            }
        }
        for (ticket, refusal) in refused {
            match self.waiting.insert(ticket, Waiter::Refused(refusal)) {
                Some(Waiter::Thread(sleeper)) => sleeper.changed.notify_one(),
                Some(Waiter::Listener(listener)) => listener.refused(ticket),
                Some(Waiter::Refused(_)) | None => (),
            }
        }
    }
}
