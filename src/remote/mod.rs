//! The open store, and the calls made on it.
//!
//! A *call* is what a program asked for: it has a deadline and one end, a return or an event (`call.rs`). An *exchange* is
//! one HTTP request and its answer: the whole of a call, or a part of a large one (`exchange.rs`). An *attempt* is an
//! exchange tried once, on one connection to one server. A blocking call of one exchange stays on its caller's thread (`blocking.rs`);
//! all others are carried by the store's `driver`.

mod attempt;
mod blocking;
mod call;
mod driver;
mod events;
mod exchange;
mod failure;
mod health;
mod inner;
mod merge;
mod origin;
mod search;
mod server_kind;
mod store;
mod submit;
mod tried;
mod types;
mod waiter;
mod write;
mod write_state;

use std::time::Duration;

use once_cell::sync::OnceCell;

use crate::auth::Auth;
use crate::config::{AuthKind, Config, Environment};
use crate::error::{Code, Error, Result};
use crate::observe::log::{self, Level};
use crate::observe::servers::ServerFigures;
use crate::observe::statistics::{self, Snapshot, Stats};
use crate::policy::hedge::Hedge;
use crate::process::fork;
use crate::process::sync::{Arc, Mutex};
use crate::servers::Servers;
use crate::transport::{EventFd, Http, Lookup, Poller, Pool, Worker, lookup, watch_forks};
use driver::handle::{Command, DriverHandle};
pub use events::{Answer, Event, EventQueue, Taken};
use health::WarmingUp;
use inner::Inner;
use merge::Merging;
use search::SearchMemory;
use store::Store;
pub use submit::CallHandle;
pub use write::Written;

/// A connection pool to one feature server, or to several that have the same features. Used by any number of threads at once.
pub struct Remote {
    inner: Arc<Inner>,
    /// Started by the first call that needs it.
    driver: OnceCell<Driver>,
    max_rows_per_request: usize,
    max_rows_per_write: usize,
    searches: SearchMemory,
    warming_up: WarmingUp,
    max_async_requests: usize,
    generation: u32,
}

struct Driver {
    handle: Arc<DriverHandle>,
    /// Taken when the store is dropped.
    worker: Option<Worker>,
}

impl Remote {
    /// Opens a store. Nothing goes over the network before the first call.
    pub fn open(config: &Config) -> Result<Remote> {
        Remote::open_in(config, &Environment::of_process())
    }

    /// As [`open`](Remote::open), with variables and files looked up elsewhere.
    pub fn open_in(config: &Config, environment: &Environment) -> Result<Remote> {
        Remote::open_with_lookup(config, environment, Arc::new(lookup))
    }

    /// As [`open_in`](Remote::open_in), with names looked up in another way.
    pub fn open_with_lookup(
        config: &Config,
        environment: &Environment,
        lookup: Arc<Lookup>,
    ) -> Result<Remote> {
        config.validate()?;
        warn_of(config);
        watch_forks()?;
        let stats = Arc::new(Stats::default());
        let pool = Pool::new(config, lookup, Arc::clone(&stats))?;
        let ways = Http::to_servers(config, environment)?;
        let proxies = ways.first().map(Http::proxies).unwrap_or_default();
        let mask = config.mask(&proxies, environment);
        let inner = Inner {
            servers: Servers::new(config, ways, pool.extra_slots(), pool.names(), &stats)?,
            pool,
            auth: Auth::new(config, environment)?,
            store: Arc::new(Store::new(config, mask, stats)),
            merging: Merging::new(config),
            hedging: (config.hedge_percent > 0.0).then(|| Mutex::new(Hedge::new(config.hedge_percent))),
        };
        Ok(Remote {
            inner: Arc::new(inner),
            driver: OnceCell::new(),
            max_rows_per_request: config.max_rows_per_request,
            max_rows_per_write: config.max_rows_per_write,
            searches: SearchMemory::default(),
            warming_up: WarmingUp::default(),
            max_async_requests: config.max_async_requests,
            generation: fork::generation(),
        })
    }

    /// As [`open`](Remote::open), with something else in place of the waiting before retries, for tests that must not
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

    fn driver(&self) -> Result<&Arc<DriverHandle>> {
        let driver = self.driver.get_or_try_init(|| {
            let event_fd = Arc::new(EventFd::new()?);
            let mut poller = Poller::new(Arc::clone(&event_fd))?;
            let handle = Arc::new(DriverHandle::new(self.max_async_requests, event_fd));
            let (inner, own_handle) = (Arc::clone(&self.inner), Arc::clone(&handle));
            let run = move || driver::run(&inner, &own_handle, &mut poller);
            match Worker::start("feast-driver", run) {
                Some(worker) => Ok(Driver { handle, worker: Some(worker) }),
                None => {
                    let error = Error::new(Code::Internal, "no thread to be had for asynchronous calls");
                    Err(Error { retriable: true, ..error })
                }
            }
        })?;
        Ok(&driver.handle)
    }

    /// Makes every call return `CLOSED`: those under way soon, later ones at once. Dropping the store then
    /// closes its connections.
    pub fn close(&self) {
        self.inner.pool.close();
        self.inner.servers.close();
        self.inner.auth.close();
        if let Some(driver) = self.driver.get() {
            driver.handle.close();
        }
    }

    /// The next attempts of all calls use this bearer token.
    pub fn set_token(&self, token: &str) -> Result<()> {
        self.check_process()?;
        self.inner.auth.set_token(token)?;
        if let Some(driver) = self.driver.get() {
            driver.handle.send(Command::TokenSet);
        }
        Ok(())
    }

    /// Calls that wait for a free connection now.
    pub fn waiting(&self) -> usize {
        self.inner.pool.occupancy().waiting
    }

    /// The store's figures as JSON; see STATISTICS.md.
    pub fn stats_json(&self) -> String {
        self.inner.store.stats.to_json(&self.now(), &self.servers())
    }

    /// The same for Prometheus' text.
    pub fn snapshot(&self) -> Snapshot {
        self.inner.store.stats.snapshot(&self.now(), self.servers())
    }

    /// What is known of each server.
    pub fn servers(&self) -> Vec<ServerFigures> {
        self.inner.servers.figures()
    }

    /// The servers' URLs as they may be shown.
    pub fn server(&self) -> &str {
        &self.inner.store.server
    }

    /// Momentary values, by name.
    fn now(&self) -> Vec<(&'static str, u64)> {
        let (pool, store) = (self.inner.pool.occupancy(), &self.inner.store);
        let requests = self.driver.get().map_or(0, |driver| driver.handle.unfinished());
        let values = [
            requests as u64,
            pool.waiting as u64,
            pool.idle as u64,
            pool.in_use as u64,
            self.inner.pool.size() as u64,
            store.budget.tokens(),
            store.started_at,
            std::process::id().into(),
        ];
        statistics::NOW.iter().map(|(name, _)| *name).zip(values).collect()
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
    if config.auth.kind != AuthKind::None
        && !config.paths.iter().all(|path| path.to_ascii_lowercase().starts_with("https:"))
    {
        log::write(Level::Warning, || format!("{}: tokens are sent without TLS", config.shown_path()));
    }
}
