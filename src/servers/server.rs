//! One server, and what is known of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::observe::servers::ServerFigures;
use crate::policy::outlier::{Outcome, Outlier, State};
use crate::policy::retry::RETRY_AFTER_MAX;
use crate::process::sync::{Mutex, lock};
use crate::server_name::ServerName;
use crate::transport::{Http, Target};

/// What a request costs a server besides its rows, in rows: a real feature server takes about as long for it.
const WORK_OF_A_REQUEST: u64 = 90;

/// A server that owes so many answers that others have given instead is given no more requests until one of these has ended.
const MOST_OWED: u32 = 5;

/// See the module.
pub struct Server {
    http: Arc<Http>,
    /// Its URL as it may be shown, and its address if that is what makes it one of several.
    name: ServerName,
    url: String,
    address: Option<IpAddr>,
    /// In rows, of the requests that it has not answered yet.
    work: AtomicU64,
    requests: AtomicU32,
    /// Those of them that another attempt has answered.
    owed: AtomicU32,
    /// The number of the time that it recovers from with a request under way, from 1; 0: none.
    trial: AtomicU64,
    outlier: Mutex<Outlier>,
    // What those who choose look at, as the outlier has it.
    available: AtomicBool,
    recovering: AtomicBool,
    failing: AtomicBool,
    /// A success changes nothing.
    clean: AtomicBool,
    /// Until when it wants no requests, in nanoseconds after it became a server; from its last Retry-After.
    busy_until: AtomicU64,
    since: Instant,
    attempts: AtomicU64,
    failures: AtomicU64,
    times_set_aside: AtomicU64,
}

impl Server {
    /// The server that a URL names.
    pub fn named(http: Http) -> Server {
        let url = http.shown_base();
        Server::new(http, url.clone(), url, None)
    }

    /// One of the addresses of it.
    pub fn at_address(http: Http, address: IpAddr) -> Server {
        let url = http.shown_base();
        Server::new(http, format!("{url} ({address})"), url, Some(address))
    }

    fn new(http: Http, name: String, url: String, address: Option<IpAddr>) -> Server {
        Server {
            http: Arc::new(http),
            name: ServerName::new(&name),
            url,
            address,
            work: AtomicU64::new(0),
            requests: AtomicU32::new(0),
            owed: AtomicU32::new(0),
            trial: AtomicU64::new(0),
            outlier: Mutex::new(Outlier::default()),
            available: AtomicBool::new(true),
            recovering: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            clean: AtomicBool::new(true),
            busy_until: AtomicU64::new(0),
            since: Instant::now(),
            attempts: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            times_set_aside: AtomicU64::new(0),
        }
    }

    /// How it is spoken to.
    pub fn http(&self) -> &Arc<Http> {
        &self.http
    }

    /// As it may be shown.
    pub fn name(&self) -> &ServerName {
        &self.name
    }

    /// The address that makes it one of several.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Work under way, in rows.
    pub fn work(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }

    /// Whether it may be given a request although it is one of several.
    pub fn is_usable(&self) -> bool {
        let in_service = self.available.load(Ordering::Relaxed)
            || (self.recovering.load(Ordering::Relaxed)
                && self.trial.load(Ordering::Relaxed) != self.times_set_aside());
        let answers = self.owed.load(Ordering::Relaxed) < MOST_OWED && !self.failing.load(Ordering::Relaxed);
        in_service && answers && !self.is_busy()
    }

    /// Whether it has asked for a pause that is not over.
    pub fn is_busy(&self) -> bool {
        let until = self.busy_until.load(Ordering::Relaxed);
        until > 0 && self.since.elapsed().as_nanos() < u128::from(until)
    }

    /// Whether it is given requests as any other.
    pub fn is_available(&self) -> bool {
        self.available.load(Ordering::Acquire)
    }

    fn state(&self) -> State {
        if self.is_available() {
            State::Available
        } else if self.recovering.load(Ordering::Relaxed) {
            State::Recovering
        } else {
            State::SetAside
        }
    }

    /// It wants no requests for so long.
    pub fn pause(&self, time: Duration) {
        let until = self.since.elapsed().saturating_add(time.min(RETRY_AFTER_MAX)).as_nanos();
        let until = u64::try_from(until).unwrap_or(u64::MAX);
        self.busy_until.fetch_max(until, Ordering::Relaxed);
    }

    /// Counts an attempt that began at `begun` and has ended. `true` if the server is to be set aside, or kept if it is the last one;
    /// with `alone` that is not asked.
    pub fn record(&self, outcome: Outcome, begun: Instant, alone: bool) -> bool {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        if matches!(outcome, Outcome::Unreachable | Outcome::Failure | Outcome::Timeout) {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        let changes = match outcome {
            Outcome::Nothing => false,
            Outcome::Success => !self.clean.load(Ordering::Acquire),
            _ => true,
        };
        if alone || !changes {
            return false;
        }
        let mut outlier = lock(&self.outlier);
        let sets_aside = outlier.record(outcome, begun, Instant::now());
        self.show(&outlier);
        sets_aside
    }

    /// Sets it aside, if it is not; for how long.
    pub fn set_aside(&self, random: f64) -> Option<Duration> {
        let mut outlier = lock(&self.outlier);
        // Another attempt may have ended in the same moment.
        if outlier.state() == State::SetAside {
            return None;
        }
        self.times_set_aside.fetch_add(1, Ordering::Relaxed);
        let time = outlier.set_aside(Instant::now(), random);
        self.show(&outlier);
        Some(time)
    }

    /// It has failed and is the last one.
    pub fn keep(&self, random: f64) {
        lock(&self.outlier).keep(Instant::now(), random);
    }

    /// When to ask it whether it is well.
    pub fn check_at(&self) -> Option<Instant> {
        // The common case costs no lock.
        if self.clean.load(Ordering::Acquire) { None } else { lock(&self.outlier).check_at() }
    }

    /// Times that it was set aside: a check belongs to one of them.
    pub fn times_set_aside(&self) -> u64 {
        self.times_set_aside.load(Ordering::Relaxed)
    }

    /// It was asked whether it is well, when it had been set aside so many times.
    pub fn checked(&self, is_well: bool, times_set_aside: u64, random: f64) {
        let mut outlier = lock(&self.outlier);
        if times_set_aside == self.times_set_aside() {
            outlier.checked(is_well, Instant::now(), random);
            self.show(&outlier);
        }
    }

    fn show(&self, outlier: &Outlier) {
        self.failing.store(outlier.is_failing(), Ordering::Relaxed);
        self.recovering.store(outlier.state() == State::Recovering, Ordering::Relaxed);
        self.available.store(outlier.state() == State::Available, Ordering::Release);
        self.clean.store(outlier.is_clean(), Ordering::Release);
    }

    /// What is known of it now.
    pub fn figures(&self) -> ServerFigures {
        ServerFigures {
            url: self.url.clone(),
            address: self.address.map(|address| address.to_string()).unwrap_or_default(),
            state: self.state(),
            outstanding: self.requests.load(Ordering::Relaxed).into(),
            attempts: self.attempts.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            times_set_aside: self.times_set_aside.load(Ordering::Relaxed),
            connections: self.http.upstream().connections().into(),
        }
    }
}

/// An attempt's claim on a server: its work is counted as under way until this is dropped.
pub struct Assignment {
    server: Arc<Server>,
    work: u64,
    is_owed: bool,
    /// See the server's.
    trial: u64,
    used_since: Option<Instant>,
}

impl Assignment {
    /// Of a request to the only server, whose work is compared with nobody's.
    pub fn to_only(server: &Arc<Server>) -> Assignment {
        server.requests.fetch_add(1, Ordering::Relaxed);
        Assignment { server: Arc::clone(server), work: 0, is_owed: false, trial: 0, used_since: None }
    }

    /// Of a request without rows.
    pub fn new(server: &Arc<Server>) -> Assignment {
        server.requests.fetch_add(1, Ordering::Relaxed);
        server.work.fetch_add(WORK_OF_A_REQUEST, Ordering::Relaxed);
        let work = WORK_OF_A_REQUEST;
        let trial = if server.recovering.load(Ordering::Relaxed) { server.times_set_aside() } else { 0 };
        if trial > 0 {
            server.trial.store(trial, Ordering::Relaxed);
        }
        Assignment { server: Arc::clone(server), work, is_owed: false, trial, used_since: None }
    }

    /// The server.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The attempt goes out on a connection on which something was answered since then: behind a balancer, or among the workers
    /// of one machine, that is not with the instance that has kept another attempt waiting since. Or else on a new one.
    pub fn on_connection_used_since(mut self, then: Instant) -> Assignment {
        self.used_since = Some(then);
        self
    }

    /// Another attempt has answered the request.
    pub fn mark_as_owed(&mut self) {
        if !std::mem::replace(&mut self.is_owed, true) {
            self.server.owed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The request asks for so many rows.
    pub fn add_rows(&mut self, rows: usize) {
        if self.work > 0 {
            self.work += rows as u64;
            self.server.work.fetch_add(rows as u64, Ordering::Relaxed);
        }
    }
}

impl Target for Assignment {
    fn http(&self) -> &Arc<Http> {
        &self.server.http
    }

    fn used_since(&self) -> Option<Instant> {
        self.used_since
    }
}

impl Drop for Assignment {
    fn drop(&mut self) {
        if self.work > 0 {
            self.server.work.fetch_sub(self.work, Ordering::Relaxed);
        }
        self.server.requests.fetch_sub(1, Ordering::Relaxed);
        if self.is_owed {
            self.server.owed.fetch_sub(1, Ordering::Relaxed);
        }
        if self.trial > 0 {
            // It fails where one of another time is under way.
            let _ = self.server.trial.compare_exchange(self.trial, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}
