//! The slots of one store: who may use one, which one, and when an unused one is closed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::share::Share;
use super::slot::{Settings, Slot, Transfer, Waker, trim};
use super::sys;
use crate::admission::{Admission, Ticket};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::stats::Stats;

/// See the module. Any number of threads may use it at once.
pub struct Pool {
    shared: Arc<Shared>,
    reaper: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    // Fields are dropped in this order: slots before the share handle they use.
    gate: Mutex<Gate>,
    /// Buffers of finished calls.
    buffers: Mutex<Vec<Vec<u8>>>,
    share: Share,
    settings: Settings,
    capacity: usize,
    idle_timeout: Option<Duration>,
    stats: Arc<Stats>,
    closing: AtomicBool,
    /// Signalled when `closing` is set, for calls that sleep before a retry.
    closed: Condvar,
    /// Signalled when the reaper has something to look at.
    reaper_wanted: Condvar,
}

struct Gate {
    admission: Admission,
    next_ticket: Ticket,
    waiting: HashMap<Ticket, Arc<Waiter>>,
    /// One for each slot there is, in use or not.
    wakers: Vec<Waker>,
    /// Slots not in use; the last was used last and is taken first, so that the others can grow old.
    idle: Vec<Idle>,
    /// The reaper sleeps with nothing to wait for.
    reaper_idle: bool,
    /// A reaper was started, or could not be.
    reaper_tried: bool,
}

struct Idle {
    slot: Slot,
    since: Instant,
}

#[derive(Default)]
struct Waiter {
    admitted: AtomicBool,
    changed: Condvar,
}

/// A place on the wire; given back when dropped.
pub struct Admitted<'a> {
    pool: &'a Pool,
    slot: Option<Slot>,
}

impl Pool {
    /// An empty pool: connections are made when calls need them.
    pub fn new(config: &Config, stats: Arc<Stats>) -> Result<Pool> {
        sys::start()?;
        let capacity = config.connection_pool_size;
        let gate = Gate {
            admission: Admission::new(capacity),
            next_ticket: 0,
            waiting: HashMap::new(),
            wakers: Vec::new(),
            idle: Vec::new(),
            reaper_idle: false,
            reaper_tried: false,
        };
        let shared = Shared {
            gate: Mutex::new(gate),
            buffers: Mutex::new(Vec::new()),
            share: Share::new()?,
            settings: Settings::new(config)?,
            capacity,
            idle_timeout: config.connection_idle_timeout,
            stats,
            closing: AtomicBool::new(false),
            closed: Condvar::new(),
            reaper_wanted: Condvar::new(),
        };
        Ok(Pool { shared: Arc::new(shared), reaper: Mutex::new(None) })
    }

    /// Waits for a place on the wire, in the order of arrival, until the deadline.
    pub fn enter(&self, deadline: Deadline) -> Result<Admitted<'_>> {
        let shared = &*self.shared;
        let mut gate = shared.lock();
        if shared.is_closing() {
            return Err(Error::closed());
        }
        let ticket = gate.next_ticket;
        gate.next_ticket += 1;
        if !gate.admission.enter(ticket) {
            let start = Instant::now();
            let waited = shared.wait_for_place(gate, ticket, deadline);
            Stats::count(&shared.stats.queue_waits);
            shared.stats.queue.record(start.elapsed());
            gate = waited?;
        }
        let idle = gate.idle.pop();
        drop(gate);
        // From here on `admitted` gives the place back, whatever happens.
        let mut admitted = Admitted { pool: self, slot: idle.map(|idle| idle.slot) };
        if admitted.slot.is_none() {
            let slot = Slot::new(&shared.settings, &shared.share)?;
            shared.lock().wakers.push(slot.waker());
            admitted.slot = Some(slot);
        }
        Ok(admitted)
    }

    /// Sleeps before a retry, holding no place; `false` if the store closes meanwhile.
    pub fn sleep(&self, wait: Duration) -> bool {
        let shared = &*self.shared;
        let until = Deadline::after(Instant::now(), Some(wait));
        let mut gate = shared.lock();
        while !shared.is_closing() {
            match until.remaining(Instant::now()) {
                Some(Duration::ZERO) => return true,
                remaining => gate = wait_on(&shared.closed, gate, remaining),
            }
        }
        false
    }

    /// Calls that wait for a place now, slots not in use, and slots in use.
    pub fn occupancy(&self) -> (usize, usize, usize) {
        let gate = self.shared.lock();
        (gate.admission.waiting(), gate.idle.len(), gate.wakers.len() - gate.idle.len())
    }

    /// A buffer of an earlier call, or a new one: allocating costs less than waiting for a lock would.
    pub fn buffer(&self) -> Vec<u8> {
        self.shared.buffers.try_lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default()
    }

    /// Keeps a call's buffer for another call, if that takes no waiting.
    pub fn keep_buffer(&self, mut buffer: Vec<u8>) {
        trim(&mut buffer);
        if let Ok(mut kept) = self.shared.buffers.try_lock()
            // A call has a request and an answer.
            && kept.len() < 2 * self.shared.capacity
        {
            kept.push(buffer);
        }
    }

    /// Makes every call, waiting or on the wire, return `CLOSED` soon, and every later one at once.
    pub fn close(&self) {
        let shared = &*self.shared;
        let gate = shared.lock();
        shared.closing.store(true, Ordering::Release);
        shared.closed.notify_all();
        shared.reaper_wanted.notify_all();
        gate.waiting.values().for_each(|waiter| waiter.changed.notify_all());
        // Under the lock, so that no waker's slot can be dropped; waking is one write to an eventfd.
        gate.wakers.iter().for_each(|waker| waker.wake());
    }

    fn give_back(&self, slot: Option<Slot>) {
        let shared = &*self.shared;
        let since = Instant::now();
        let mut gate = shared.lock();
        if let Some(slot) = slot {
            gate.idle.push(Idle { slot, since });
        }
        gate.leave();
        if std::mem::take(&mut gate.reaper_idle) {
            shared.reaper_wanted.notify_one();
        }
        if shared.idle_timeout.is_some() && !std::mem::replace(&mut gate.reaper_tried, true) {
            drop(gate);
            self.start_reaper();
        }
    }

    fn start_reaper(&self) {
        let shared = Arc::clone(&self.shared);
        let started = without_signals(|| {
            std::thread::Builder::new().name("feast-reaper".to_owned()).spawn(move || shared.reap())
        });
        // Without a thread, idle connections still end at their age limit when the next call looks at them.
        *self.reaper.lock().unwrap_or_else(PoisonError::into_inner) = started.ok();
    }
}

impl Gate {
    /// Gives a place back and wakes whoever has it now.
    fn leave(&mut self) {
        if let Some(next) = self.admission.leave()
            && let Some(waiter) = self.waiting.remove(&next)
        {
            waiter.admitted.store(true, Ordering::Release);
            waiter.changed.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Gate> {
        // The gate's code does not panic half way through a change.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn wait_for_place<'a>(
        &'a self,
        mut gate: MutexGuard<'a, Gate>,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Result<MutexGuard<'a, Gate>> {
        let waiter = Arc::new(Waiter::default());
        gate.waiting.insert(ticket, Arc::clone(&waiter));
        loop {
            let admitted = waiter.admitted.load(Ordering::Acquire);
            let closing = self.is_closing();
            if admitted && !closing {
                return Ok(gate);
            }
            let remaining = deadline.remaining(Instant::now());
            if closing || remaining == Some(Duration::ZERO) {
                gate.waiting.remove(&ticket);
                if !gate.admission.give_up(ticket) {
                    gate.leave();
                }
                return Err(if closing { Error::closed() } else { self.overloaded(&gate) });
            }
            gate = wait_on(&waiter.changed, gate, remaining);
        }
    }

    fn overloaded(&self, gate: &Gate) -> Error {
        Error::new(
            Code::Overloaded,
            format!(
                "all {} connections (connection_pool_size) were in use until the deadline, with {} other calls \
                 waiting",
                self.capacity,
                gate.admission.waiting()
            ),
        )
    }

    /// The reaper's life: closes each idle connection at its time, and sleeps in between.
    fn reap(&self) {
        let Some(limit) = self.idle_timeout else { return };
        let mut gate = self.lock();
        while !self.is_closing() {
            let now = Instant::now();
            // Used last means at the end, so the oldest come first.
            let expired = gate.idle.iter().take_while(|idle| now.duration_since(idle.since) >= limit).count();
            if expired > 0 {
                let old: Vec<Idle> = gate.idle.drain(..expired).collect();
                gate.wakers.retain(|&waker| old.iter().all(|idle| idle.slot.waker() != waker));
                drop(gate);
                self.stats.connections_closed_idle.fetch_add(expired as u64, Ordering::Relaxed);
                drop(old); // closes the connections; not under the lock
                gate = self.lock();
                continue;
            }
            let next = gate.idle.first().map(|idle| limit.saturating_sub(now.duration_since(idle.since)));
            gate.reaper_idle = next.is_none();
            gate = wait_on(&self.reaper_wanted, gate, next);
        }
    }
}

fn wait_on<'a>(
    condvar: &Condvar,
    gate: MutexGuard<'a, Gate>,
    timeout: Option<Duration>,
) -> MutexGuard<'a, Gate> {
    match timeout {
        Some(timeout) => condvar.wait_timeout(gate, timeout).unwrap_or_else(PoisonError::into_inner).0,
        None => condvar.wait(gate).unwrap_or_else(PoisonError::into_inner),
    }
}

/// Runs `start` with every signal blocked, so that the thread it starts never takes one of the host's.
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: both sets are initialised before use; pthread_sigmask changes this thread's mask only, and it is
    // put back below.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let started = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        started
    }
}

impl Admitted<'_> {
    /// One attempt on this place's connection; see [`Slot::perform`].
    pub fn perform(&mut self, request: &[u8], body: Vec<u8>, deadline: Deadline) -> Result<Transfer> {
        match &mut self.slot {
            Some(slot) => Ok(slot.perform(request, body, deadline, &self.pool.shared.closing)),
            None => Err(Error::new(Code::Internal, "a place without a slot")),
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.pool.give_back(self.slot.take());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
        let reaper = self.reaper.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reaper) = reaper {
            let _ = reaper.join();
        }
    }
}
