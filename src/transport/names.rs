//! The addresses of the names that connections are made to.
//!
//! A look-up cannot be ended (getaddrinfo), and libcurl would start a thread for each transfer that needs one, and throw
//! away what comes too late. Here there is one look-up of a name at a time, on a thread of the store's; its answer is for all
//! who wait for it, and for who comes later. After a while another one is sought, and the old one used meanwhile.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use super::worker::Worker;
use crate::observe::log::{self, Level};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, Condvar, Mutex, lock, wait};

/// After so long an answer is sought anew, as libcurl does it (CURLOPT_DNS_CACHE_TIMEOUT).
const FRESH_FOR: Duration = Duration::from_secs(60);

/// After so long it is when a connection to its addresses fails.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// An address that did not answer is tried after the others for so long.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// The addresses of a host's name, or why there are none.
pub type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// As the system has it (getaddrinfo). IPv6 addresses are left out where the machine has no way to them and there are others.
pub fn lookup(host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
    let all: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    // Nothing is sent: the kernel looks for a route.
    let has_route = |address: &SocketAddr| {
        let any = (std::net::Ipv6Addr::UNSPECIFIED, 0);
        UdpSocket::bind(any).and_then(|socket| socket.connect(address)).is_ok()
    };
    let (v4, v6): (Vec<_>, Vec<_>) = all.iter().partition(|address| address.is_ipv4());
    let reachable = v4.is_empty() || v6.iter().any(|address| has_route(address));
    Ok(all.iter().filter(|address| reachable || address.is_ipv4()).map(SocketAddr::ip).collect())
}

/// Told that a look-up has ended that it waits for.
pub trait NameListener: Send + Sync {
    /// See above.
    fn looked_up(&self);
}

/// What is known of a name.
#[derive(Debug, PartialEq)]
pub enum Known {
    /// Its addresses, in the order in which to try them.
    Addresses(Vec<IpAddr>),
    /// They are being looked up; the number of the look-up.
    Sought(u64),
}

/// See the module. Any number of threads may use it at once.
pub struct Names {
    state: Arc<State>,
}

struct State {
    lookup: Arc<Lookup>,
    stats: Arc<Stats>,
    table: Mutex<Table>,
    changed: Condvar,
}

struct Table {
    names: HashMap<String, Name>,
    /// Those that wait for a thread.
    queue: VecDeque<(String, u16)>,
    /// Running, and how many of them are in a look-up.
    threads: usize,
    looking_up: usize,
    most_threads: usize,
    workers: Vec<Worker>,
    /// Addresses that did not answer, and when.
    silent: HashMap<IpAddr, Instant>,
    closing: bool,
}

#[derive(Default)]
struct Name {
    addresses: Vec<IpAddr>,
    /// When they were found.
    found: Option<Instant>,
    under_way: bool,
    /// Look-ups that have ended.
    ended: u64,
    /// Why the last one brought nothing.
    failure: String,
    listeners: Vec<Arc<dyn NameListener>>,
}

impl Names {
    /// Nothing is looked up yet; later by so many threads at most.
    pub fn new(most_threads: usize, lookup: Arc<Lookup>, stats: Arc<Stats>) -> Names {
        let table = Table {
            names: HashMap::new(),
            queue: VecDeque::new(),
            threads: 0,
            looking_up: 0,
            most_threads,
            workers: Vec::new(),
            silent: HashMap::new(),
            closing: false,
        };
        Names { state: Arc::new(State { lookup, stats, table: Mutex::new(table), changed: Condvar::new() }) }
    }

    /// What is known of a host's name. If nothing is, a look-up has begun, and the listener is told when it ends; if what is
    /// known is old, another one has begun, too.
    pub fn ask(
        &self,
        host: &str,
        port: u16,
        now: Instant,
        listener: Option<&Arc<dyn NameListener>>,
    ) -> Known {
        let mut table = lock(&self.state.table);
        let name = table.name(host);
        let addresses = name.addresses.clone();
        if addresses.is_empty() {
            name.listeners.extend(listener.cloned());
            let number = name.ended + 1;
            self.begin(&mut table, host, port);
            return Known::Sought(number);
        }
        if name.is_older_than(FRESH_FOR, now) {
            self.begin(&mut table, host, port);
        }
        Known::Addresses(table.in_order(addresses, now))
    }

    /// What the look-up of this number has brought, or why it has brought nothing; `None` while it is under way.
    pub fn answer(&self, host: &str, number: u64, now: Instant) -> Option<Result<Vec<IpAddr>, String>> {
        lock(&self.state.table).answer(host, number, now)
    }

    /// Waits for it; `None` by the deadline, or if the store closes.
    pub fn wait(&self, host: &str, number: u64, deadline: Deadline) -> Option<Result<Vec<IpAddr>, String>> {
        let mut table = lock(&self.state.table);
        loop {
            let answer = table.answer(host, number, Instant::now());
            if answer.is_some() || table.closing {
                return answer;
            }
            let passed;
            (table, passed) = wait(&self.state.changed, table, deadline);
            if passed {
                return table.answer(host, number, Instant::now());
            }
        }
    }

    /// A connection to its addresses could not be made: perhaps there are others by now.
    pub fn doubt(&self, host: &str, port: u16, now: Instant) {
        let mut table = lock(&self.state.table);
        if table.name(host).is_older_than(TRUSTED_FOR, now) {
            self.begin(&mut table, host, port);
        }
    }

    /// A connection to this address was made, or could not be.
    pub fn note(&self, address: IpAddr, answers: bool, now: Instant) {
        let mut table = lock(&self.state.table);
        if answers {
            table.silent.remove(&address);
        } else {
            table.silent.retain(|_, since| now.saturating_duration_since(*since) < SILENT_FOR);
            table.silent.insert(address, now);
        }
    }

    /// Nobody waits any more.
    pub fn close(&self) {
        let mut table = lock(&self.state.table);
        table.closing = true;
        table.queue.clear();
        drop(table);
        self.state.changed.notify_all();
    }

    fn begin(&self, table: &mut Table, host: &str, port: u16) {
        if table.closing || std::mem::replace(&mut table.name(host).under_way, true) {
            return;
        }
        table.queue.push_back((host.to_owned(), port));
        if table.threads < table.most_threads {
            let (ended, running) = table.workers.drain(..).partition(Worker::has_ended);
            table.workers = running;
            ended.into_iter().for_each(Worker::join);
            let state = Arc::clone(&self.state);
            match Worker::start("feast-names", move || state.run()) {
                Some(worker) => {
                    table.threads += 1;
                    table.workers.push(worker);
                }
                None if table.threads == 0 => {
                    table.queue.clear();
                    table.name(host).ended(Err("this process may have no more threads".to_owned()));
                }
                None => (),
            }
        }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.close();
        let mut table = lock(&self.state.table);
        // A look-up may take as long as it likes.
        while table.threads > table.looking_up {
            (table, _) = wait(&self.state.changed, table, Deadline::NEVER);
        }
        let workers = std::mem::take(&mut table.workers);
        let none_looks_up = table.looking_up == 0;
        drop(table);
        if none_looks_up {
            workers.into_iter().for_each(Worker::join);
        }
    }
}

impl State {
    fn run(&self) {
        let mut table = lock(&self.table);
        while let Some((host, port)) = table.queue.pop_front() {
            table.looking_up += 1;
            drop(table);
            let found = (self.lookup)(&host, port);
            Stats::count(&self.stats.name_lookups);
            let found = match found {
                Ok(addresses) if !addresses.is_empty() => Ok(addresses),
                failed => {
                    Stats::count(&self.stats.name_lookups_failed);
                    Err(failed.err().map_or("it has no address".to_owned(), |error| error.to_string()))
                }
            };
            if let Err(why) = &found {
                log::write(Level::Warning, || format!("looking up {host}: {why}"));
            }
            table = lock(&self.table);
            table.looking_up -= 1;
            let name = table.name(&host);
            name.ended(found);
            let listeners = std::mem::take(&mut name.listeners);
            drop(table);
            self.changed.notify_all();
            listeners.iter().for_each(|listener| listener.looked_up());
            table = lock(&self.table);
        }
        table.threads -= 1;
        self.changed.notify_all();
    }
}

impl Table {
    fn name(&mut self, host: &str) -> &mut Name {
        self.names.entry(host.to_owned()).or_default()
    }

    fn answer(&self, host: &str, number: u64, now: Instant) -> Option<Result<Vec<IpAddr>, String>> {
        let name = self.names.get(host).filter(|name| name.ended >= number)?;
        if name.addresses.is_empty() {
            return Some(Err(name.failure.clone()));
        }
        Some(Ok(self.in_order(name.addresses.clone(), now)))
    }

    /// Those that did not answer lately come last.
    fn in_order(&self, mut addresses: Vec<IpAddr>, now: Instant) -> Vec<IpAddr> {
        let is_silent = |address: &IpAddr| {
            self.silent.get(address).is_some_and(|since| now.saturating_duration_since(*since) < SILENT_FOR)
        };
        addresses.sort_by_key(is_silent);
        addresses
    }
}

impl Name {
    fn is_older_than(&self, age: Duration, now: Instant) -> bool {
        self.found.is_some_and(|found| now.saturating_duration_since(found) >= age)
    }

    /// A look-up has. What was known before stays known if it has brought nothing.
    fn ended(&mut self, found: Result<Vec<IpAddr>, String>) {
        self.under_way = false;
        self.ended += 1;
        match found {
            Ok(addresses) => self.addresses = addresses,
            Err(why) => self.failure = why,
        }
        // After a failure, too, or each connection would ask.
        if !self.addresses.is_empty() {
            self.found = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
