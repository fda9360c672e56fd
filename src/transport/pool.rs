//! The slots of one store: made when needed, lent to one call at a time, closed when unused for long.

mod extra_slots;

use std::ops::Deref;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zeroize::Zeroize;

use super::error::TransferError;
use super::http::Http;
use super::names::{Lookup, NameListener, Names};
use super::semaphore::{self, Choice, Lent, Listener, Occupancy, Semaphore, Wakeable};
use super::share::Share;
use super::slot::{Slot, Transfer, Waker};
use super::sys;
use super::worker::Worker;
use crate::config::{Config, Token};
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::policy::admission::{Claim, Ticket};
use crate::policy::attempt_times::Attempted;
use crate::policy::deadline::Deadline;
use crate::process::panics::fault_point;
use crate::process::sync::{Arc, lock};
use crate::wire::endpoint::Endpoint;
use crate::wire::request::RequestHeaders;
pub use extra_slots::{ExtraSlot, ExtraSlots};

/// See the module. Any number of threads may use it at once.
pub struct Pool {
    shared: Arc<Shared>,
    reaper: Mutex<Option<Worker>>,
    /// A reaper was started, or could not be, or is not wanted.
    reaper_tried: AtomicBool,
}

/// What the permits of a pool have in common.
pub struct Shared {
    // Fields are dropped in this order: slots before the share handle they use.
    semaphore: Semaphore<Slot>,
    share: Share,
    names: Arc<Names>,
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

    fn upstream(&self) -> u32 {
        Slot::upstream(self)
    }

    fn is_retired(&self) -> bool {
        Slot::is_retired(self)
    }
}

/// The server that an attempt goes to, chosen when its permit is there.
pub trait Target {
    /// How it is spoken to.
    fn http(&self) -> &Arc<Http>;
    /// Only a connection that was in use since then will do, or a new one.
    fn used_since(&self) -> Option<Instant>;
}

struct Chosen<T>(T);

impl<T: Target> Choice for Chosen<T> {
    fn upstream(&self) -> u32 {
        self.0.http().upstream().number()
    }

    fn used_since(&self) -> Option<Instant> {
        self.0.used_since()
    }
}

/// What a request is sent with, besides its body.
pub struct RequestHead<'a> {
    /// Where it goes.
    pub endpoint: Endpoint,
    /// The bearer token.
    pub token: Option<&'a Token>,
    /// Its own headers, besides the store's.
    pub headers: Option<&'a Arc<RequestHeaders>>,
    /// On a connection of its own: on one that was kept, and has been closed by the server, libcurl would send it again by
    /// itself.
    pub fresh_connection: bool,
}

/// A permit on the wire; given back when dropped.
pub struct Permit<H: Deref<Target = Shared>> {
    shared: H,
    slot: Option<Slot>,
    /// What came of it, if it says something of other calls.
    attempted: Option<Attempted>,
}

/// A permit that does not hang on a borrow of the pool.
pub type OwnedPermit = Permit<Arc<Shared>>;

/// A permit asked for and not had yet; given up when dropped.
pub struct PendingAcquire {
    shared: Arc<Shared>,
    ticket: Option<Ticket>,
}

/// The answer to a question for a permit.
#[allow(clippy::large_enum_variant, reason = "moved once, and nearly always the larger one")]
pub enum Acquire<T> {
    /// Had at once.
    Permit(OwnedPermit, T),
    /// Come back with it when the listener has been told of this ticket.
    Pending(PendingAcquire, Ticket),
}

impl Pool {
    /// An empty pool: connections are made when calls need them.
    pub fn new(config: &Config, lookup: Arc<Lookup>, stats: Arc<Stats>) -> Result<Pool> {
        sys::start()?;
        if let Some(file) = &config.openssl_config {
            sys::configure_openssl(file)?;
        }
        let shared = Shared {
            semaphore: Semaphore::new(config.connection_pool_size),
            share: Share::new()?,
            names: Arc::new(Names::new(lookup, Arc::clone(&stats))),
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

    /// Waits for a permit on the wire until the deadline. The server is chosen when it is there.
    pub fn acquire<T: Target>(
        &self,
        deadline: Deadline,
        claim: Claim,
        choose: impl FnOnce() -> T,
    ) -> Result<(Permit<&Shared>, T)> {
        let shared = &*self.shared;
        let lent =
            shared.semaphore.acquire(deadline, claim, || Chosen(choose()), |waited| shared.waited(waited))?;
        self.permit(shared, lent)
    }

    /// A permit that is free now; `None` if there is none, or `choose` does not want it.
    pub fn try_acquire<T: Target>(&self, choose: impl FnOnce() -> Option<T>) -> Option<(OwnedPermit, T)> {
        let lent = self.shared.semaphore.try_acquire(|| choose().map(Chosen))?;
        self.permit(Arc::clone(&self.shared), lent).ok()
    }

    /// Asks for a permit on the wire, in the same queue, without waiting for it.
    pub fn acquire_queued<T: Target>(
        &self,
        listener: &Arc<dyn Listener>,
        claim: Claim,
        choose: impl FnOnce() -> T,
    ) -> Result<Acquire<T>> {
        match self.shared.semaphore.acquire_queued(listener, claim, || Chosen(choose()))? {
            semaphore::Acquire::Admitted(lent) => {
                let (permit, chosen) = self.permit(Arc::clone(&self.shared), lent)?;
                Ok(Acquire::Permit(permit, chosen))
            }
            semaphore::Acquire::Queued(ticket) => Ok(Acquire::Pending(
                PendingAcquire { shared: Arc::clone(&self.shared), ticket: Some(ticket) },
                ticket,
            )),
        }
    }

    /// The permit that the listener has been told of, after so long a wait.
    pub fn claim<T: Target>(
        &self,
        mut pending: PendingAcquire,
        waited: Duration,
        choose: impl FnOnce() -> T,
    ) -> Result<(OwnedPermit, T)> {
        pending.ticket = None;
        let shared = Arc::clone(&pending.shared);
        shared.waited(waited);
        let lent = shared.semaphore.claim(|| Chosen(choose()));
        self.permit(shared, lent)
    }

    fn permit<H: Deref<Target = Shared>, T: Target>(
        &self,
        shared: H,
        lent: Lent<Slot, Chosen<T>>,
    ) -> Result<(Permit<H>, T)> {
        let Lent { chosen: Chosen(chosen), slot, displaced } = lent;
        // From here on `permit` gives the permit back, whatever happens.
        let mut permit = Permit { shared, slot, attempted: None };
        if displaced.is_some_and(|slot| slot.is_connected()) {
            Stats::count(&permit.shared.stats.connections_closed_displaced);
        }
        fault_point();
        if permit.slot.is_none() {
            permit.make_slot(chosen.http())?;
            self.start_reaper();
        }
        Ok((permit, chosen))
    }

    /// For requests that need no permit.
    pub fn extra_slots(&self) -> ExtraSlots {
        ExtraSlots(Arc::downgrade(&self.shared))
    }

    /// The store's look-ups.
    pub fn names(&self) -> Arc<Names> {
        Arc::clone(&self.shared.names)
    }

    /// The error of a call whose time in the queue was up.
    pub fn overloaded(&self) -> Error {
        self.shared.semaphore.overloaded()
    }

    /// Sleeps before a retry, holding no permit; `false` if the store closes meanwhile.
    pub fn sleep(&self, time: Duration) -> bool {
        self.shared.semaphore.sleep(time)
    }

    /// Connections that there may be.
    pub fn size(&self) -> usize {
        self.shared.semaphore.capacity()
    }

    /// How the pool is used now.
    pub fn occupancy(&self) -> Occupancy {
        self.shared.semaphore.occupancy()
    }

    /// One exchange with another server, on a connection of its own that is not kept: a POST of a form, or a GET.
    /// Ends when the store closes.
    pub fn exchange(&self, http: &Http, form: Option<&str>, deadline: Deadline) -> Result<Transfer> {
        let shared = &*self.shared;
        let mut slot = Slot::new(&Arc::new(http.clone()), &shared.share, &shared.names)?;
        slot.set_headers(None, None, form.map(|_| "application/x-www-form-urlencoded"))?;
        let _watched = Watched { semaphore: &shared.semaphore, waker: shared.semaphore.watch(&slot) };
        let form = form.map(|form| form.as_bytes().to_vec());
        let mut transfer = slot.perform(form, Vec::new(), deadline, shared.semaphore.closing());
        transfer.request.zeroize();
        Ok(transfer)
    }

    /// Whether it has been closed.
    pub fn is_closing(&self) -> bool {
        self.shared.semaphore.is_closing()
    }

    /// Makes every call, waiting or on the wire, return `CLOSED` soon, and every later one at once.
    pub fn close(&self) {
        self.shared.semaphore.close();
        self.shared.names.close();
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
        while let Some(old) = self.semaphore.wait_for_expired(limit) {
            let connections = old.iter().filter(|slot| slot.is_connected()).count() as u64;
            self.stats.connections_closed_idle.fetch_add(connections, Ordering::Relaxed);
            drop(old); // closes the connections; not under the semaphore's lock
        }
    }
}

impl<H: Deref<Target = Shared>> Permit<H> {
    /// One attempt on this permit's connection; see [`Slot::perform`].
    pub fn perform(
        &mut self,
        head: &RequestHead<'_>,
        request: Vec<u8>,
        body: Vec<u8>,
        deadline: Deadline,
    ) -> Result<Transfer> {
        let (slot, shared) = self.ready_slot(head)?;
        let request = (!head.endpoint.is_get()).then_some(request);
        Ok(slot.perform(request, body, deadline, shared.semaphore.closing()))
    }

    /// Begins an attempt; see [`Slot::begin`].
    pub fn begin(
        &mut self,
        head: &RequestHead<'_>,
        request: Vec<u8>,
        body: Vec<u8>,
        deadline: Deadline,
        listener: &Arc<dyn NameListener>,
    ) -> Result<std::result::Result<(), TransferError>> {
        let (slot, _) = self.ready_slot(head)?;
        slot.report_sockets()?;
        Ok(slot.begin((!head.endpoint.is_get()).then_some(request), body, deadline, Some(listener)))
    }

    fn make_slot(&mut self, http: &Arc<Http>) -> Result<()> {
        let slot = Slot::new(http, &self.shared.share, &self.shared.names)?;
        self.shared.semaphore.watch(&slot);
        self.slot = Some(slot);
        Ok(())
    }

    fn ready_slot(&mut self, head: &RequestHead<'_>) -> Result<(&mut Slot, &Shared)> {
        let stats = &self.shared.stats;
        let unusable = match &self.slot {
            Some(slot) if slot.is_too_old() => Some(&stats.connections_closed_aged),
            Some(slot) if slot.is_suspect() => Some(&stats.connections_closed_suspect),
            Some(slot) if slot.has_unasked_input() => Some(&stats.connections_closed_by_server),
            _ => None,
        };
        let is_unwanted = || head.fresh_connection && self.slot.as_ref().is_some_and(Slot::is_connected);
        if unusable.is_some() || is_unwanted() {
            if let Some(closed) = unusable {
                Stats::count(closed);
            }
            let http = self.slot.as_ref().map(|slot| Arc::clone(slot.http()));
            self.close_connection();
            if let Some(http) = http {
                self.make_slot(&http)?;
            }
        }
        let Some(slot) = &mut self.slot else {
            return Err(Error::new(Code::Internal, "a permit without a slot"));
        };
        slot.set_endpoint(head.endpoint)?;
        if !slot.has_headers_for(head.token, head.headers) {
            slot.set_headers(head.token, head.headers, None)?;
        }
        Ok((slot, &self.shared))
    }

    /// Closes the connection between attempts; the next call on this permit makes another one.
    pub fn close_connection(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.shared.semaphore.unwatch(slot.waker());
        }
    }

    /// An attempt has ended that says something of what others will take.
    pub fn note(&mut self, attempted: Option<Attempted>) {
        self.attempted = attempted;
    }

    /// The slot, for an attempt that was begun.
    pub fn slot(&mut self) -> Option<&mut Slot> {
        self.slot.as_mut()
    }
}

impl<H: Deref<Target = Shared>> Drop for Permit<H> {
    fn drop(&mut self) {
        let mut slot = self.slot.take();
        // Left in the middle of an attempt, by a panic.
        if let Some(busy) = slot.take_if(|slot| slot.is_busy()) {
            self.shared.semaphore.unwatch(busy.waker());
        }
        drop(self.shared.semaphore.release(slot, self.attempted));
    }
}

/// A slot outside of the pool, which the semaphore forgets before it is dropped, by a panic too.
struct Watched<'a> {
    semaphore: &'a Semaphore<Slot>,
    waker: Waker,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.semaphore.unwatch(self.waker);
    }
}

impl PendingAcquire {
    /// The error of a call that has waited so long, and was refused or has no time left; it waits no longer.
    pub fn overloaded(&mut self, waited: Duration) -> Error {
        self.shared.waited(waited);
        match self.ticket.take() {
            Some(ticket) => self.shared.semaphore.cancel_overloaded(ticket),
            None => self.shared.semaphore.overloaded(),
        }
    }

    fn cancel_acquire(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.semaphore.cancel_acquire(ticket);
        }
    }
}

impl Drop for PendingAcquire {
    fn drop(&mut self) {
        self.cancel_acquire();
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
