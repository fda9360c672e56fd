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
use crate::process::panics::contained;
use crate::process::sync::{Arc, Condvar, Mutex, lock, wait};

/// After so long an answer is sought anew, as libcurl does it (CURLOPT_DNS_CACHE_TIMEOUT).
const FRESH_FOR: Duration = Duration::from_secs(60);

/// After so long it is when a connection to its addresses fails.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Threads at most, but one more for each name whose look-up is stuck.
const MOST_THREADS: usize = 2;

/// A look-up that takes longer keeps no other name from its own.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// An address that did not answer is not tried for so long, if there are others.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// The addresses of a host's name, or why there are none.
pub type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// As the system has it (getaddrinfo). IPv6 addresses are left out where the machine has no way to them and there are others.
pub fn lookup(host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
    let all: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    // Nothing is sent: the kernel looks for a route.
    let has_route = |address: &&SocketAddr| {
        let any = (std::net::Ipv6Addr::UNSPECIFIED, 0);
        UdpSocket::bind(any).and_then(|socket| socket.connect(address)).is_ok()
    };
    let (v4, v6): (Vec<_>, Vec<_>) = all.iter().partition(|address| address.is_ipv4());
    let reachable = v4.is_empty() || v6.iter().any(has_route);
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
    /// Its addresses, but those that did not answer lately where there are others.
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
    /// Waited for, or under way since then.
    under_way: bool,
    begun: Option<Instant>,
    /// Look-ups that have ended.
    ended: u64,
    /// Why the last one brought nothing.
    failure: String,
    listeners: Vec<Arc<dyn NameListener>>,
}

impl Names {
    /// Nothing is looked up yet.
    pub fn new(lookup: Arc<Lookup>, stats: Arc<Stats>) -> Names {
        let table = Table {
            names: HashMap::new(),
            queue: VecDeque::new(),
            threads: 0,
            looking_up: 0,
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
            if let Some(listener) = listener {
                name.listen(listener);
            }
            let number = name.ended + 1;
            self.begin(&mut table, host, port, now);
            return Known::Sought(number);
        }
        if name.is_older_than(FRESH_FOR, now) {
            self.begin(&mut table, host, port, now);
        }
        Known::Addresses(table.answering(addresses, now))
    }

    /// Has a name looked up, or takes the look-up that is under way, and waits for it: all the addresses that are known then, or why
    /// there are none. `None` if the store closes.
    pub fn look_up(&self, host: &str, port: u16) -> Option<Result<Vec<IpAddr>, String>> {
        let number = {
            let mut table = lock(&self.state.table);
            let number = table.name(host).ended + 1;
            self.begin(&mut table, host, port, Instant::now());
            number
        };
        self.wait(host, number, Deadline::NEVER)
    }

    /// What the look-up of this number has brought, or why it has brought nothing; `None` while it is under way.
    pub fn answer(&self, host: &str, number: u64, now: Instant) -> Option<Result<Vec<IpAddr>, String>> {
        let mut table = lock(&self.state.table);
        self.start_threads(&mut table, now);
        let found = table.found(host, number)?;
        Some(found.map(|addresses| table.answering(addresses, now)))
    }

    /// When to ask for that again, if a look-up that began at `since` has not begun because others are stuck.
    pub fn next_look(since: Instant) -> Instant {
        since + STUCK_AFTER
    }

    /// Waits for it: all its addresses, or why there are none; `None` by the deadline, or if the store closes.
    pub fn wait(&self, host: &str, number: u64, deadline: Deadline) -> Option<Result<Vec<IpAddr>, String>> {
        let mut table = lock(&self.state.table);
        loop {
            let now = Instant::now();
            self.start_threads(&mut table, now);
            let found = table.found(host, number);
            if found.is_some() || table.closing || deadline.passed(now) {
                return found;
            }
            let look = Deadline::after(now, Some(STUCK_AFTER));
            (table, _) = wait(&self.state.changed, table, deadline.min(look));
        }
    }

    /// A connection to its addresses could not be made: perhaps there are others by now.
    pub fn doubt(&self, host: &str, port: u16, now: Instant) {
        let mut table = lock(&self.state.table);
        if table.name(host).is_older_than(TRUSTED_FOR, now) {
            self.begin(&mut table, host, port, now);
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
        table.names.values_mut().for_each(|name| name.listeners.clear());
        drop(table);
        self.state.changed.notify_all();
    }

    fn begin(&self, table: &mut Table, host: &str, port: u16, now: Instant) {
        if !table.closing && !std::mem::replace(&mut table.name(host).under_way, true) {
            table.queue.push_back((host.to_owned(), port));
        }
        self.start_threads(table, now);
    }

    /// For what is in the queue, as far as there may be more.
    fn start_threads(&self, table: &mut Table, now: Instant) {
        let is_stuck = |name: &&Name| {
            name.begun.is_some_and(|begun| now.saturating_duration_since(begun) >= STUCK_AFTER)
        };
        let stuck = table.names.values().filter(is_stuck).count();
        let most = MOST_THREADS + stuck;
        while table.threads < most && table.threads - table.looking_up < table.queue.len() {
            let (ended, running) = table.workers.drain(..).partition(Worker::has_ended);
            table.workers = running;
            ended.into_iter().for_each(Worker::join);
            let state = Arc::clone(&self.state);
            match Worker::start("feast-names", move || state.run()) {
                Some(worker) => {
                    table.threads += 1;
                    table.workers.push(worker);
                }
                // One that runs will see to it.
                None if table.threads > table.looking_up => return,
                None => {
                    for (host, _) in std::mem::take(&mut table.queue) {
                        table.name(&host).ended(Err("this process may have no more threads".to_owned()));
                    }
                }
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
            table.name(&host).begun = Some(Instant::now());
            drop(table);
            // A panic must not leave the name under way for ever.
            let found = contained(|| Ok((self.lookup)(&host, port)));
            let found = match found {
                Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
                Ok(Ok(_)) => Err("it has no address".to_owned()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.message),
            };
            table = lock(&self.table);
            table.looking_up -= 1;
            if table.closing {
                continue;
            }
            Stats::count(&self.stats.name_lookups);
            let failed = found.as_ref().err().cloned();
            let name = table.name(&host);
            name.ended(found);
            let listeners = std::mem::take(&mut name.listeners);
            drop(table);
            self.changed.notify_all();
            listeners.iter().for_each(|listener| listener.looked_up());
            if let Some(why) = failed {
                Stats::count(&self.stats.name_lookups_failed);
                log::write(Level::Warning, || format!("looking up {host}: {why}; what is known of it stays"));
            }
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

    /// What is known when the look-up of this number has ended.
    fn found(&self, host: &str, number: u64) -> Option<Result<Vec<IpAddr>, String>> {
        let name = self.names.get(host).filter(|name| name.ended >= number)?;
        Some(if name.addresses.is_empty() { Err(name.failure.clone()) } else { Ok(name.addresses.clone()) })
    }

    /// Those that answered lately, or were not tried; all, if there are none of these. The others cannot just come last: libcurl
    /// begins with IPv6 in any case.
    fn answering(&self, addresses: Vec<IpAddr>, now: Instant) -> Vec<IpAddr> {
        let answers = |address: &&IpAddr| {
            let silent = self.silent.get(*address);
            silent.is_none_or(|since| now.saturating_duration_since(*since) >= SILENT_FOR)
        };
        let answering: Vec<IpAddr> = addresses.iter().filter(answers).copied().collect();
        if answering.is_empty() { addresses } else { answering }
    }
}

impl Name {
    fn is_older_than(&self, age: Duration, now: Instant) -> bool {
        self.found.is_some_and(|found| now.saturating_duration_since(found) >= age)
    }

    /// Tells this one of the end of the look-up, once.
    fn listen(&mut self, listener: &Arc<dyn NameListener>) {
        let known =
            |other: &Arc<dyn NameListener>| std::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(listener));
        if !self.listeners.iter().any(known) {
            self.listeners.push(Arc::clone(listener));
        }
    }

    /// A look-up has. What was known before stays known if it has brought nothing.
    fn ended(&mut self, found: Result<Vec<IpAddr>, String>) {
        (self.under_way, self.begun) = (false, None);
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
