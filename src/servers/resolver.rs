//! Looks up the servers' names every so often, and makes each address a server of its own.
//!
//! A look-up cannot be interrupted, so it has a thread to itself: nobody waits for it, neither calls nor the end of the store.
//! Until the first one has ended each name stands for itself, as it would without this.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::list::List;
use super::server::Server;
use crate::config::{Config, host_and_port};
use crate::observe::log::{self, Level};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Condvar, Mutex, lock, wait};
use crate::transport::{ExtraSlots, Lookup, Worker};

/// See the module.
pub struct Resolver {
    state: Arc<State>,
    started: AtomicBool,
    worker: Mutex<Option<Worker>>,
}

/// What the thread has and others look at.
struct State {
    names: Vec<Arc<Server>>,
    hosts: Vec<(String, u16)>,
    interval: Duration,
    dead_connection_timeout: Option<Duration>,
    lookup: Arc<Lookup>,
    slots: ExtraSlots,
    stats: Arc<Stats>,
    turn: Mutex<Turn>,
    changed: Condvar,
}

struct Turn {
    closing: bool,
    looking_up: bool,
    /// All names have been looked up once.
    has_looked_up: bool,
}

impl Resolver {
    /// Of the names of these servers. Nothing is looked up yet.
    pub fn new(
        config: &Config,
        names: &[Arc<Server>],
        slots: ExtraSlots,
        lookup: Arc<Lookup>,
        stats: Arc<Stats>,
    ) -> Resolver {
        let state = State {
            names: names.to_vec(),
            hosts: config.paths.iter().map(|path| host_and_port(path)).collect(),
            interval: config.resolve_interval,
            dead_connection_timeout: config.dead_connection_timeout,
            lookup,
            slots,
            stats,
            turn: Mutex::new(Turn { closing: false, looking_up: false, has_looked_up: false }),
            changed: Condvar::new(),
        };
        Resolver { state: Arc::new(state), started: AtomicBool::new(false), worker: Mutex::new(None) }
    }

    /// Starts the thread, if it has not been started.
    pub fn start(&self, list: &Arc<List>) {
        if self.started.load(Ordering::Acquire) {
            return;
        }
        let mut worker = lock(&self.worker);
        if worker.is_some() || lock(&self.state.turn).closing {
            return;
        }
        let (state, list) = (Arc::clone(&self.state), Arc::clone(list));
        *worker = Worker::start("feast-resolver", move || state.run(&list));
        // Without a thread the names stand for themselves until there is one.
        self.started.store(worker.is_some(), Ordering::Release);
    }

    /// Waits until all names have been looked up once, with success or not.
    pub fn wait_for_first(&self, deadline: Deadline) {
        let mut passed = lock(&self.worker).is_none();
        let mut turn = lock(&self.state.turn);
        while !turn.has_looked_up && !turn.closing && !passed {
            (turn, passed) = wait(&self.state.changed, turn, deadline);
        }
    }

    /// The thread ends soon, or when its look-up does.
    pub fn close(&self) {
        lock(&self.state.turn).closing = true;
        self.state.changed.notify_all();
    }

    /// Waits for its end, but not for that of a look-up.
    pub fn join(&self) {
        let worker = lock(&self.worker).take();
        if let Some(worker) = worker
            && !lock(&self.state.turn).looking_up
        {
            worker.join();
        }
    }
}

impl State {
    fn run(&self, list: &List) {
        let mut known: Vec<BTreeSet<IpAddr>> = vec![BTreeSet::new(); self.names.len()];
        loop {
            let mut changed = false;
            for (at, (host, port)) in self.hosts.iter().enumerate() {
                if !self.begin_look_up() {
                    return;
                }
                let found = (self.lookup)(host, *port);
                if !self.end_look_up() {
                    return;
                }
                Stats::count(&self.stats.name_lookups);
                match found.map(|addresses| addresses.into_iter().collect::<BTreeSet<_>>()) {
                    Ok(addresses) if !addresses.is_empty() => {
                        changed |= known[at] != addresses;
                        known[at] = addresses;
                    }
                    failed => {
                        Stats::count(&self.stats.name_lookups_failed);
                        let why = failed.err().map_or("no address".to_owned(), |error| error.to_string());
                        log::write(Level::Warning, || {
                            format!("looking up {host}: {why}; its addresses are left as they are")
                        });
                    }
                }
            }
            if changed {
                self.publish(list, &known);
            }
            if !self.rest() {
                return;
            }
        }
    }

    /// `false` if the store closes. Likewise below.
    fn begin_look_up(&self) -> bool {
        let mut turn = lock(&self.turn);
        turn.looking_up = !turn.closing;
        turn.looking_up
    }

    fn end_look_up(&self) -> bool {
        let mut turn = lock(&self.turn);
        turn.looking_up = false;
        !turn.closing
    }

    fn rest(&self) -> bool {
        let until = Deadline::after(Instant::now(), Some(self.interval));
        let mut turn = lock(&self.turn);
        turn.has_looked_up = true;
        self.changed.notify_all();
        let mut over = false;
        while !turn.closing && !over {
            (turn, over) = wait(&self.changed, turn, until);
        }
        !turn.closing
    }

    /// Makes servers of the addresses: those that were there before stay what they are. A name whose addresses are not
    /// known yet stays, too.
    fn publish(&self, list: &List, known: &[BTreeSet<IpAddr>]) {
        let before = list.servers();
        let mut servers: Vec<Arc<Server>> = Vec::new();
        for (name, addresses) in self.names.iter().zip(known) {
            if addresses.is_empty() {
                servers.push(Arc::clone(name));
            }
            for &address in addresses {
                let is_it = |server: &&Arc<Server>| {
                    server.address() == Some(address)
                        && server.http().shown_base() == name.http().shown_base()
                };
                match before.iter().find(is_it) {
                    Some(server) => servers.push(Arc::clone(server)),
                    None => match name.http().at_address(address, self.dead_connection_timeout) {
                        Ok(http) => servers.push(Arc::new(Server::at_address(http, address))),
                        Err(error) => log::write(Level::Warning, || error.message),
                    },
                }
            }
        }
        if servers.is_empty() {
            return;
        }
        let gone: Vec<&Arc<Server>> =
            before.iter().filter(|server| !servers.iter().any(|stays| Arc::ptr_eq(stays, server))).collect();
        list.replace(servers.clone());
        for server in gone {
            server.http().upstream().retire();
        }
        self.slots.close_retired();
    }
}
