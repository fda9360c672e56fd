//! The slots of one store: made when needed, lent to one call at a time, closed when unused for long.

use std::ops::Deref;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroize::Zeroize;

use super::fault::Fault;
use super::gate::{self, Gate, Listener, Occupancy, Wakeable};
use super::http::Http;
use super::share::Share;
use super::slot::{Slot, Transfer, Waker};
use super::sys;
use super::worker::Worker;
use crate::admission::Ticket;
use crate::auth::Token;
use crate::config::{Config, Environment};
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::panics::fault_point;
use crate::stats::Stats;
use crate::sync::{Arc, lock};

/// See the module. Any number of threads may use it at once.
pub struct Pool {
    shared: Arc<Shared>,
    reaper: Mutex<Option<Worker>>,
    /// A reaper was started, or could not be, or is not wanted.
    reaper_tried: AtomicBool,
}

/// What the places of a pool have in common.
pub struct Shared {
    // Fields are dropped in this order: slots before the share handle they use.
    gate: Gate<Slot>,
    share: Share,
    http: Http,
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

    fn is_connected(&self) -> bool {
        Slot::is_connected(self)
    }
}

/// A place on the wire; given back when dropped.
pub struct Place<H: Deref<Target = Shared>> {
    shared: H,
    slot: Option<Slot>,
}

/// A place that does not hang on a borrow of the pool.
pub type OwnPlace = Place<Arc<Shared>>;

/// A place asked for and not had yet; given up when dropped.
pub struct Wish {
    shared: Arc<Shared>,
    ticket: Option<Ticket>,
}

/// The answer to a question for a place.
pub enum Asked {
    /// Had at once.
    Place(OwnPlace),
    /// Come back with it when the listener has been told of this ticket.
    Wish(Wish, Ticket),
}

impl Pool {
    /// An empty pool: connections are made when calls need them.
    pub fn new(config: &Config, environment: &Environment, stats: Arc<Stats>) -> Result<Pool> {
        sys::start()?;
        let shared = Shared {
            gate: Gate::new(config.connection_pool_size),
            share: Share::new()?,
            http: Http::to_server(config, environment)?,
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

    /// How the server is spoken to.
    pub fn http(&self) -> &Http {
        &self.shared.http
    }

    /// Waits for a place on the wire, in the order of arrival, until the deadline.
    pub fn enter(&self, deadline: Deadline) -> Result<Place<&Shared>> {
        let shared = &*self.shared;
        let slot = shared.gate.enter(deadline, |waited| shared.waited(waited))?;
        self.place(shared, slot)
    }

    /// Asks for a place on the wire, in the same order, without waiting for it.
    pub fn ask(&self, listener: &Arc<dyn Listener>) -> Result<Asked> {
        match self.shared.gate.ask(listener)? {
            gate::Asked::Admitted(slot) => self.place(Arc::clone(&self.shared), slot).map(Asked::Place),
            gate::Asked::Queued(ticket) => {
                Ok(Asked::Wish(Wish { shared: Arc::clone(&self.shared), ticket: Some(ticket) }, ticket))
            }
        }
    }

    /// The place that the listener has been told of, after so long a wait.
    pub fn collect(&self, mut wish: Wish, waited: Duration) -> Result<OwnPlace> {
        wish.ticket = None;
        let shared = Arc::clone(&wish.shared);
        shared.waited(waited);
        let slot = shared.gate.collect();
        self.place(shared, slot)
    }

    fn place<H: Deref<Target = Shared>>(&self, shared: H, slot: Option<Slot>) -> Result<Place<H>> {
        // From here on `place` gives the place back, whatever happens.
        let mut place = Place { shared, slot };
        fault_point();
        if place.slot.is_none() {
            place.make_slot()?;
            self.start_reaper();
        }
        Ok(place)
    }

    /// Sleeps before a retry, holding no place; `false` if the store closes meanwhile.
    pub fn sleep(&self, time: Duration) -> bool {
        self.shared.gate.sleep(time)
    }

    /// Connections that there may be.
    pub fn size(&self) -> usize {
        self.shared.gate.capacity()
    }

    /// How the pool is used now.
    pub fn occupancy(&self) -> Occupancy {
        self.shared.gate.occupancy()
    }

    /// One exchange with another server, on a connection of its own that is not kept: a POST of a form, or a GET.
    /// Ends when the store closes.
    pub fn exchange(&self, http: &Http, form: Option<&str>, deadline: Deadline) -> Result<Transfer> {
        let shared = &*self.shared;
        let mut slot = Slot::new(http, &shared.share)?;
        slot.set_headers(http, None, form.map(|_| "application/x-www-form-urlencoded"))?;
        let _watched = Watched { gate: &shared.gate, waker: shared.gate.watch(&slot) };
        let form = form.map(|form| form.as_bytes().to_vec());
        let mut transfer = slot.perform(form, Vec::new(), deadline, shared.gate.closing());
        transfer.request.zeroize();
        Ok(transfer)
    }

    /// Whether it has been closed.
    pub fn is_closing(&self) -> bool {
        self.shared.gate.is_closing()
    }

    /// Makes every call, waiting or on the wire, return `CLOSED` soon, and every later one at once.
    pub fn close(&self) {
        self.shared.gate.close();
    }

    fn start_reaper(&self) {
        if self.reaper_tried.load(Ordering::Relaxed) || self.reaper_tried.swap(true, Ordering::Relaxed) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        // Without a thread, idle connections still end at their age limit when the next call looks at them.
        *lock(&self.reaper) = Worker::start("feast-reaper", move || shared.reap());
    }
}

impl Shared {
    fn waited(&self, time: Duration) {
        Stats::count(&self.stats.queue_waits);
        self.stats.queue.record(time);
    }

    /// The reaper's life: closes each idle connection at its time, and sleeps in between.
    fn reap(&self) {
        let Some(limit) = self.idle_timeout else { return };
        while let Some(old) = self.gate.wait_for_expired(limit) {
            let connections = old.iter().filter(|slot| slot.is_connected()).count() as u64;
            self.stats.connections_closed_idle.fetch_add(connections, Ordering::Relaxed);
            drop(old); // closes the connections; not under the gate's lock
        }
    }
}

impl<H: Deref<Target = Shared>> Place<H> {
    /// One attempt on this place's connection; see [`Slot::perform`].
    pub fn perform(
        &mut self,
        request: Vec<u8>,
        token: Option<&Token>,
        body: Vec<u8>,
        deadline: Deadline,
    ) -> Result<Transfer> {
        let (slot, shared) = self.ready_slot(token)?;
        Ok(slot.perform(Some(request), body, deadline, shared.gate.closing()))
    }

    /// Begins an attempt; see [`Slot::begin`].
    pub fn begin(
        &mut self,
        request: Vec<u8>,
        token: Option<&Token>,
        body: Vec<u8>,
    ) -> Result<std::result::Result<(), Fault>> {
        let (slot, _) = self.ready_slot(token)?;
        slot.report_sockets()?;
        Ok(slot.begin(Some(request), body))
    }

    fn make_slot(&mut self) -> Result<()> {
        let slot = Slot::new(&self.shared.http, &self.shared.share)?;
        self.shared.gate.watch(&slot);
        self.slot = Some(slot);
        Ok(())
    }

    fn ready_slot(&mut self, token: Option<&Token>) -> Result<(&mut Slot, &Shared)> {
        if self.slot.as_ref().is_some_and(Slot::has_unasked_input) {
            self.close_connection();
            Stats::count(&self.shared.stats.connections_closed_by_server);
            self.make_slot()?;
        }
        let Some(slot) = &mut self.slot else {
            return Err(Error::new(Code::Internal, "a place without a slot"));
        };
        if !slot.has_headers_for(token) {
            slot.set_headers(&self.shared.http, token, None)?;
        }
        Ok((slot, &self.shared))
    }

    /// Closes the connection between attempts; the next call on this place makes another one.
    pub fn close_connection(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.shared.gate.unwatch(slot.waker());
        }
    }

    /// The slot, for an attempt that was begun.
    pub fn slot(&mut self) -> Option<&mut Slot> {
        self.slot.as_mut()
    }
}

impl<H: Deref<Target = Shared>> Drop for Place<H> {
    fn drop(&mut self) {
        let mut slot = self.slot.take();
        // Left in the middle of an attempt, by a panic.
        if let Some(busy) = slot.take_if(|slot| slot.is_busy()) {
            self.shared.gate.unwatch(busy.waker());
        }
        self.shared.gate.give_back(slot);
    }
}

/// A slot outside of the pool, which the gate forgets before it is dropped, by a panic too.
struct Watched<'a> {
    gate: &'a Gate<Slot>,
    waker: Waker,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.gate.unwatch(self.waker);
    }
}

impl Wish {
    /// The error of a call that has waited so long; it waits no longer.
    pub fn in_vain(&mut self, waited: Duration) -> Error {
        self.withdraw();
        self.shared.waited(waited);
        self.shared.gate.overloaded()
    }

    fn withdraw(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.gate.withdraw(ticket);
        }
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
        let reaper = lock(&self.reaper).take();
        if let Some(reaper) = reaper {
            reaper.join();
        }
    }
}
