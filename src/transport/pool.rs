//! The slots of one store: made when needed, lent to one call at a time, closed when unused for long.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::gate::{Gate, Occupancy, Wakeable};
use super::http::Http;
use super::share::Share;
use super::slot::{Slot, Transfer, Waker, trim};
use super::sys;
use crate::auth::Token;
use crate::config::{Config, Environment};
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::stats::Stats;
use crate::sync::{Arc, lock};

/// See the module. Any number of threads may use it at once.
pub struct Pool {
    shared: Arc<Shared>,
    reaper: Mutex<Option<JoinHandle<()>>>,
    /// A reaper was started, or could not be, or is not wanted.
    reaper_tried: AtomicBool,
}

struct Shared {
    // Fields are dropped in this order: slots before the share handle they use.
    gate: Gate<Slot>,
    /// Buffers of finished calls.
    buffers: Mutex<Vec<Vec<u8>>>,
    share: Share,
    http: Http,
    capacity: usize,
    idle_timeout: Option<Duration>,
    stats: Arc<Stats>,
}

impl Wakeable for Slot {
    type Waker = Waker;

    fn waker(&self) -> Waker {
        Slot::waker(self)
    }

    fn wake(waker: Waker) {
        waker.wake();
    }
}

/// A place on the wire; given back when dropped.
pub struct Admitted<'a> {
    pool: &'a Pool,
    slot: Option<Slot>,
}

impl Pool {
    /// An empty pool: connections are made when calls need them.
    pub fn new(config: &Config, environment: &Environment, stats: Arc<Stats>) -> Result<Pool> {
        sys::start()?;
        let capacity = config.connection_pool_size;
        let shared = Shared {
            gate: Gate::new(capacity),
            buffers: Mutex::new(Vec::new()),
            share: Share::new()?,
            http: Http::to_server(config, environment)?,
            capacity,
            idle_timeout: config.connection_idle_timeout,
            stats,
        };
        let never_idle_for_long = config.connection_idle_timeout.is_none();
        Ok(Pool {
            shared: Arc::new(shared),
            reaper: Mutex::new(None),
            reaper_tried: AtomicBool::new(never_idle_for_long),
        })
    }

    /// Waits for a place on the wire, in the order of arrival, until the deadline.
    pub fn enter(&self, deadline: Deadline) -> Result<Admitted<'_>> {
        let shared = &*self.shared;
        let slot = shared.gate.enter(deadline, |waited| {
            Stats::count(&shared.stats.queue_waits);
            shared.stats.queue.record(waited);
        })?;
        // From here on `admitted` gives the place back, whatever happens.
        let mut admitted = Admitted { pool: self, slot };
        if admitted.slot.is_none() {
            let slot = Slot::new(&shared.http, &shared.share)?;
            shared.gate.watch(&slot);
            admitted.slot = Some(slot);
        }
        Ok(admitted)
    }

    /// Sleeps before a retry, holding no place; `false` if the store closes meanwhile.
    pub fn sleep(&self, time: Duration) -> bool {
        self.shared.gate.sleep(time)
    }

    /// How the pool is used now.
    pub fn occupancy(&self) -> Occupancy {
        self.shared.gate.occupancy()
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

    /// One exchange with another server, on a connection of its own that is not kept: a POST of a form, or a GET.
    /// Ends when the store closes.
    pub fn exchange(&self, http: &Http, form: Option<&str>, deadline: Deadline) -> Result<Transfer> {
        let shared = &*self.shared;
        let mut slot = Slot::new(http, &shared.share)?;
        slot.set_headers(http, None, form.map(|_| "application/x-www-form-urlencoded"))?;
        let waker = shared.gate.watch(&slot);
        let transfer = slot.perform(form.map(str::as_bytes), Vec::new(), deadline, shared.gate.closing());
        shared.gate.unwatch(waker);
        Ok(transfer)
    }

    /// Makes every call, waiting or on the wire, return `CLOSED` soon, and every later one at once.
    pub fn close(&self) {
        self.shared.gate.close();
    }

    fn start_reaper(&self) {
        let shared = Arc::clone(&self.shared);
        let started = without_signals(|| {
            std::thread::Builder::new().name("feast-reaper".to_owned()).spawn(move || shared.reap())
        });
        // Without a thread, idle connections still end at their age limit when the next call looks at them.
        *lock(&self.reaper) = started.ok();
    }
}

impl Shared {
    /// The reaper's life: closes each idle connection at its time, and sleeps in between.
    fn reap(&self) {
        let Some(limit) = self.idle_timeout else { return };
        while let Some(old) = self.gate.wait_for_expired(limit) {
            self.stats.connections_closed_idle.fetch_add(old.len() as u64, Ordering::Relaxed);
            drop(old); // closes the connections; not under the gate's lock
        }
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
    pub fn perform(
        &mut self,
        request: &[u8],
        token: Option<&Token>,
        body: Vec<u8>,
        deadline: Deadline,
    ) -> Result<Transfer> {
        let shared = &self.pool.shared;
        let Some(slot) = &mut self.slot else {
            return Err(Error::new(Code::Internal, "a place without a slot"));
        };
        if !slot.has_headers_for(token) {
            slot.set_headers(&shared.http, token, None)?;
        }
        Ok(slot.perform(Some(request), body, deadline, shared.gate.closing()))
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.pool.shared.gate.give_back(self.slot.take());
        if !self.pool.reaper_tried.load(Ordering::Relaxed)
            && !self.pool.reaper_tried.swap(true, Ordering::Relaxed)
        {
            self.pool.start_reaper();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
        let reaper = lock(&self.reaper).take();
        if let Some(reaper) = reaper {
            let _ = reaper.join();
        }
    }
}
