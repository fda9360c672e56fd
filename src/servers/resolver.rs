//! Looks up the servers' names every so often, and makes each address a server of its own.
//!
//! The store's look-ups are [`Names`]'; a thread waits for them here, so that no call does. Until the first one has ended each name
//! stands for itself, as it would without this.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::list::List;
use super::server::Server;
use crate::config::{Config, host_and_port};
use crate::observe::log::{self, Level};
use crate::policy::deadline::Deadline;
use crate::process::sync::{Condvar, Mutex, lock, wait};
use crate::transport::{ExtraSlots, Names, Worker};

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
    lookups: Arc<Names>,
    slots: ExtraSlots,
    turn: Mutex<Turn>,
    changed: Condvar,
}

struct Turn {
    closing: bool,
    /// All names have been looked up once.
    has_looked_up: bool,
}

impl Resolver {
    /// Of the names of these servers. Nothing is looked up yet.
    pub fn new(config: &Config, names: &[Arc<Server>], slots: ExtraSlots, lookups: Arc<Names>) -> Resolver {
        let state = State {
            names: names.to_vec(),
            hosts: config.paths.iter().map(|path| host_and_port(path)).collect(),
            interval: config.resolve_interval,
            dead_connection_timeout: config.dead_connection_timeout,
            lookups,
            slots,
            turn: Mutex::new(Turn { closing: false, has_looked_up: false }),
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

    /// The thread ends soon; nothing is looked up any more.
    pub fn close(&self) {
        lock(&self.state.turn).closing = true;
        self.state.changed.notify_all();
        self.state.lookups.close();
    }

    /// Waits for its end.
    pub fn join(&self) {
        let worker = lock(&self.worker).take();
        if let Some(worker) = worker {
            worker.join();
        }
    }
}

impl State {
    fn run(&self, list: &List) {
        let mut known: Vec<BTreeSet<IpAddr>> = vec![BTreeSet::new(); self.names.len()];
        loop {
            let before = known.clone();
            for ((host, port), known) in self.hosts.iter().zip(&mut known) {
                match self.lookups.look_up(host, *port) {
                    // Those that were known, if there is no new answer.
                    Some(Ok(addresses)) => *known = addresses.into_iter().collect(),
                    Some(Err(_)) => (),
                    None => return,
                }
            }
            if known != before {
                self.publish(list, &known);
            }
            if !self.rest() {
                return;
            }
        }
    }

    /// `false` if the store closes.
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
