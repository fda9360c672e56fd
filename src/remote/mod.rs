//! The open store. One call is admission, attempts under one deadline, and decoding; on the caller's thread, or carried
//! by the store's driver.

mod call;
mod driver;
mod events;
mod pending;
mod store;

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use crate::auth::{Auth, Token};
use crate::columns::{Dense, Matrix, Response};
use crate::config::{AuthKind, Config, Environment};
use crate::error::{Code, Error, Result};
use crate::observe::log::{self, Level};
use crate::observe::statistics::{self, Stats};
use crate::policy::deadline::Deadline;
use crate::process::fork;
use crate::process::panics::fault_point;
use crate::process::sync::Arc;
use crate::transport::{EventFd, Poller, Pool, Worker};
use crate::wire::answer::frame::Layout;
use crate::wire::answer::{decode, join};
use crate::wire::request::Request;
use call::{Call, Next};
use driver::handle::{DriverHandle, Submission};
pub use events::{Event, EventQueue};
use pending::Pending;
use store::Store;

/// A connection pool to one feature server. Used by any number of threads at once.
pub struct Remote {
    inner: Arc<Inner>,
    /// Started by the first call that needs it.
    driver: OnceCell<Driver>,
    max_rows_per_request: usize,
    max_async_requests: usize,
    generation: u32,
}

/// What the store's threads share.
struct Inner {
    pool: Pool,
    auth: Auth,
    store: Arc<Store>,
}

struct Driver {
    handle: Arc<DriverHandle>,
    /// Taken when the store is dropped.
    worker: Option<Worker>,
}

/// An asynchronous call under way, for cancelling it. May outlive the store.
pub struct Handle {
    /// Neither the call's queue nor its store is kept by it.
    pending: Weak<Pending>,
    handle: Weak<DriverHandle>,
    generation: u32,
}

/// Numbers of the requests of asynchronous calls, in all stores.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

impl Handle {
    /// Ends the call soon, if it has not ended; its event comes in any case.
    pub fn cancel(&self) {
        if self.generation != fork::generation() {
            return;
        }
        if let (Some(pending), Some(handle)) = (self.pending.upgrade(), self.handle.upgrade())
            && pending.cancel()
        {
            handle.cancel(pending.numbers());
        }
    }
}

impl Remote {
    /// Opens a store. Nothing goes over the network before the first call.
    pub fn open(config: &Config) -> Result<Remote> {
        Remote::open_in(config, &Environment::of_process())
    }

    /// As [`open`](Remote::open), with variables and files looked up elsewhere.
    pub fn open_in(config: &Config, environment: &Environment) -> Result<Remote> {
        config.validate()?;
        warn_of(config);
        crate::transport::watch_forks()?;
        let stats = Arc::new(Stats::default());
        let pool = Pool::new(config, environment, Arc::clone(&stats))?;
        let mask = config.mask(&pool.http().proxies(), environment);
        let inner = Inner {
            pool,
            auth: Auth::new(config, environment)?,
            store: Arc::new(Store::new(config, mask, stats)),
        };
        Ok(Remote {
            inner: Arc::new(inner),
            driver: OnceCell::new(),
            max_rows_per_request: config.max_rows_per_request,
            max_async_requests: config.max_async_requests,
            generation: fork::generation(),
        })
    }

    /// As [`open`](Remote::open), with something else in permit of the waiting before retries, for tests that must not
    /// take its time.
    pub fn open_with_pause(
        config: &Config,
        pause: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Result<Remote> {
        let mut remote = Remote::open(config)?;
        let store = Arc::get_mut(&mut remote.inner).and_then(|inner| Arc::get_mut(&mut inner.store));
        if let Some(store) = store {
            store.pause = Some(Box::new(pause));
        }
        Ok(remote)
    }

    /// Fetches the features that `request` asks for, and waits for them.
    pub fn get_online_features(&self, request: &Request) -> Result<Response> {
        if self.is_split(request) {
            return self.wait_for_parts(request, Event::into_response);
        }
        self.fetch(request, |answer, layout| join::decode(answer, request, layout))
    }

    /// Fetches the features that `request` asks for straight into a row-major matrix, in the order asked.
    pub fn get_online_features_into(
        &self,
        request: &Request,
        dense: &mut Dense<'_, f32, impl Matrix<f32>>,
    ) -> Result<()> {
        dense.check_stride(request.features().map_or(1, <[_]>::len))?;
        if self.is_split(request) {
            return self.wait_for_parts(request, |event| event.into_matrix(dense));
        }
        self.fetch(request, |answer, layout| join::decode_into(answer, request, layout, dense))
    }

    /// Asks for the features without waiting for them: an event with this tag comes to the queue, whatever happens.
    /// Nothing is sent on the caller's thread, and nothing waited for.
    pub fn submit(&self, request: &Request, queue: &Arc<EventQueue>, tag: usize) -> Result<Handle> {
        self.submit_with(request, queue, tag, DriverHandle::reserve)
    }

    fn submit_with(
        &self,
        request: &Request,
        queue: &Arc<EventQueue>,
        tag: usize,
        reserve: impl FnOnce(&DriverHandle, usize) -> Result<()>,
    ) -> Result<Handle> {
        request.check()?;
        self.check_process()?;
        if self.inner.pool.is_closing() {
            return Err(Error::closed());
        }
        let start = Instant::now();
        let store = &self.inner.store;
        let handle = &self.driver()?.handle;
        queue.serve(handle)?;
        let count = request.parts(self.max_rows_per_request);
        reserve(handle, count).inspect_err(|error| {
            if error.code == Code::Overloaded {
                Stats::count(&store.stats.calls_overloaded);
            }
        })?;
        let mut reserved = Reserved { handle, count };
        fault_point();
        let bodies = request.encode_parts(count, || store.buffer())?;
        Stats::count(&store.stats.calls);
        let first = NUMBERS.fetch_add(count as u64, Ordering::Relaxed);
        let numbers = first..first + count as u64;
        let pending =
            Pending::new(Arc::clone(store), Arc::clone(queue), tag, request.question(), start, numbers);
        for (part, body) in pending.parts().zip(bodies) {
            let call = Call::new(store, request.timeout(), start);
            reserved.count -= 1;
            handle.submit(Box::new(Submission { part, call, request: body }));
        }
        let (pending, handle) = (Arc::downgrade(&pending), Arc::downgrade(handle));
        Ok(Handle { pending, handle, generation: self.generation })
    }

    /// Whether a request has so many rows that it goes out as several.
    fn is_split(&self, request: &Request) -> bool {
        request.parts(self.max_rows_per_request) > 1
    }

    /// A call of several requests: they go out at once, carried by the driver.
    fn wait_for_parts<T>(&self, request: &Request, read: impl FnOnce(Event) -> Result<T>) -> Result<T> {
        let queue = Arc::new(EventQueue::new()?);
        // The caller's thread waits, so there are no more of these calls than threads.
        self.submit_with(request, &queue, 0, DriverHandle::reserve_beyond)?;
        let mut event = None;
        // The event comes by the call's deadline.
        queue.poll(1, Deadline::NEVER, |only| event = Some(only));
        read(event.ok_or_else(|| Error::new(Code::Internal, "a call without an event"))?)
    }

    fn driver(&self) -> Result<&Driver> {
        self.driver.get_or_try_init(|| {
            let event_fd = Arc::new(EventFd::new()?);
            let mut poller = Poller::new(Arc::clone(&event_fd))?;
            let handle = Arc::new(DriverHandle::new(self.max_async_requests, event_fd));
            let (inner, own_desk) = (Arc::clone(&self.inner), Arc::clone(&handle));
            let live = move || driver::live(&inner, &own_desk, &mut poller);
            match Worker::start("feast-driver", live) {
                Some(worker) => Ok(Driver { handle, worker: Some(worker) }),
                None => {
                    let error = Error::new(Code::Internal, "no thread to be had for asynchronous calls");
                    Err(Error { retriable: true, ..error })
                }
            }
        })
    }

    fn fetch<T>(
        &self,
        request: &Request,
        decode: impl FnMut(&[Vec<u8>], &mut Layout) -> Result<T>,
    ) -> Result<T> {
        request.check()?;
        self.check_process()?;
        let store = &self.inner.store;
        let start = Instant::now();
        let mut body = store.buffer();
        request.encode(&mut body)?;
        fault_point();
        let (answer, attempts, token) = self.exchange(body, request.timeout(), start)?;
        let decoded = store.decode([answer], attempts, token.as_ref(), request, decode)?;
        store.stats.total.record(start.elapsed());
        Ok(decoded)
    }

    /// Sends a JSON body as it is and returns the server's JSON as it is.
    pub fn get_online_features_json(&self, body: &[u8], timeout: Option<Duration>) -> Result<Vec<u8>> {
        self.check_process()?;
        let start = Instant::now();
        let mut request = self.inner.store.buffer();
        if request.try_reserve_exact(body.len()).is_err() {
            return Err(Error::new(Code::Internal, format!("no memory for a body of {} bytes", body.len())));
        }
        request.extend_from_slice(body);
        let (answer, attempts, token) = self.exchange(request, timeout, start)?;
        let store = &self.inner.store;
        if let Err(error) = decode::check(&answer) {
            Stats::count(&store.stats.calls_failed);
            let read = |bodies: &[Vec<u8>]| decode::check(&bodies[0]).err();
            return Err(store.of_an_answer(error, attempts, token.as_ref(), &[answer], read));
        }
        store.stats.total.record(start.elapsed());
        Ok(answer)
    }

    /// Makes every call return `CLOSED`: those under way soon, later ones at once. Dropping the store then
    /// closes its connections.
    pub fn close(&self) {
        self.inner.pool.close();
        if let Some(driver) = self.driver.get() {
            driver.handle.close();
        }
    }

    /// Calls that wait for a free connection now.
    pub fn waiting(&self) -> usize {
        self.inner.pool.occupancy().waiting
    }

    /// The store's figures as JSON; see STATISTICS.md.
    pub fn stats_json(&self) -> String {
        let (pool, store) = (self.inner.pool.occupancy(), &self.inner.store);
        let requests = self.driver.get().map_or(0, |driver| driver.handle.unfinished());
        let values = [
            requests as u64,
            pool.waiting as u64,
            pool.idle as u64,
            pool.in_use as u64,
            store.budget.tokens(),
        ];
        let now: Vec<(&str, u64)> = statistics::NOW.iter().map(|(name, _)| *name).zip(values).collect();
        store.stats.to_json(&now)
    }

    /// Whether the store was opened by this process, and not by one that this process was forked from: its
    /// connections belong to the other one.
    pub fn is_of_this_process(&self) -> bool {
        self.generation == fork::generation()
    }

    fn check_process(&self) -> Result<()> {
        if self.is_of_this_process() {
            return Ok(());
        }
        Err(Error::argument(
            "this store was opened before a fork and belongs to the parent process; open another one here",
        ))
    }

    /// The body of the HTTP 200 that `request` was answered with, the attempts it took, and the last one's token.
    fn exchange(
        &self,
        request: Vec<u8>,
        timeout: Option<Duration>,
        start: Instant,
    ) -> Result<(Vec<u8>, u32, Option<Token>)> {
        let stats = &self.inner.store.stats;
        Stats::count(&stats.calls);
        self.attempt_until_answered(request, timeout, start)
            .inspect_err(|_| Stats::count(&stats.calls_failed))
    }

    fn attempt_until_answered(
        &self,
        mut request: Vec<u8>,
        timeout: Option<Duration>,
        start: Instant,
    ) -> Result<(Vec<u8>, u32, Option<Token>)> {
        let Inner { pool, auth, store } = &*self.inner;
        let mut call = Call::new(store, timeout, start);
        loop {
            let token =
                auth.token(pool, call.deadline()).map_err(|error| call.without_token(store, error))?;
            let mut permit =
                pool.acquire(call.deadline()).map_err(|error| call.without_permit(store, error))?;
            let deadline = call.begin_attempt(store, Instant::now());
            let mut transfer = permit
                .perform(request, token.as_ref(), store.buffer(), deadline)
                .map_err(|error| call.without_permit(store, error))?;
            drop(permit);
            fault_point();
            request = std::mem::take(&mut transfer.request);
            match call.after_attempt(store, auth, token.as_ref(), transfer) {
                Next::Answered(body) => {
                    store.keep_buffer(request);
                    return Ok((body, call.attempts(), token));
                }
                Next::Again(wait) if self.wait(wait) => (),
                Next::Again(_) => return Err(call.ended_by(Error::closed())),
                Next::Failed(error) => {
                    store.keep_buffer(request);
                    return Err(error);
                }
            }
        }
    }

    /// `false` if the store closes meanwhile.
    fn wait(&self, wait: Duration) -> bool {
        match &self.inner.store.pause {
            Some(pause) => {
                pause(wait);
                true
            }
            None => self.inner.pool.sleep(wait),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // In a fork's child the thread is not there.
        if let Some(driver) = self.driver.take()
            && self.is_of_this_process()
        {
            self.inner.pool.close();
            driver.handle.close();
            driver.handle.exit();
            if let Some(worker) = driver.worker {
                worker.join();
            }
        }
    }
}

/// Room at the handle for requests that have not been submitted yet.
struct Reserved<'a> {
    handle: &'a DriverHandle,
    count: usize,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.handle.release(self.count);
    }
}

/// What a configuration permits and hardly anybody wants.
fn warn_of(config: &Config) {
    if !config.verify_ssl {
        log::write(Level::Warning, || {
            format!("{}: verify_ssl is false, any server is trusted", config.shown_path())
        });
    }
    if config.auth.kind == AuthKind::Oidc && !config.auth.verify_ssl {
        log::write(Level::Warning, || {
            "auth.verify_ssl is false, any identity provider is trusted".to_owned()
        });
    }
    if config.auth.auth_discovery_url.starts_with("http:") {
        log::write(Level::Warning, || "auth.auth_discovery_url: credentials are sent without TLS".to_owned());
    }
    if config.auth.kind != AuthKind::None && !config.path.starts_with("https:") {
        log::write(Level::Warning, || format!("{}: tokens are sent without TLS", config.shown_path()));
    }
}
