//! The servers there are now, and the choice among them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::server::{Assignment, Server};
use crate::config::Balance;
use crate::policy::outlier::Outcome;
use crate::process::random::Random;
use crate::process::sync::{Mutex, lock};

/// What becomes of a server that has failed.
pub enum SetAside {
    /// It is set aside for so long.
    For(Duration),
    /// It would be, were it not the last one.
    NotTheLast,
}

/// See the module.
pub struct List {
    balance: Balance,
    /// The one server of a store that never has another one.
    only: Option<Arc<Server>>,
    servers: RwLock<Arc<[Arc<Server>]>>,
    /// Held by whoever sets a server aside, so that no two take each other for the last one.
    setting_aside: Mutex<()>,
    random: Random,
}

impl List {
    /// Of these servers; `several`: there are, or will be, more than one.
    pub fn new(balance: Balance, servers: Vec<Arc<Server>>, several: bool) -> List {
        List {
            balance,
            only: servers.first().filter(|_| !several).cloned(),
            servers: RwLock::new(servers.into()),
            setting_aside: Mutex::new(()),
            // The start is random, so that a fleet of stores does not fall upon the same server.
            random: Random::default(),
        }
    }

    /// All of them.
    pub fn servers(&self) -> Arc<[Arc<Server>]> {
        Arc::clone(&self.servers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on there are these.
    pub fn replace(&self, servers: Vec<Arc<Server>>) {
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = servers.into();
    }

    /// See [`Servers::choose_usable`](super::Servers::choose_usable).
    pub fn choose_usable(&self, tried: impl Fn(&Server) -> bool) -> Option<Assignment> {
        if let Some(only) = &self.only {
            return Some(Assignment::to_only(only));
        }
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let untried = self.pick(&servers, &|server| server.is_usable() && !tried(server));
        untried.or_else(|| self.pick(&servers, &Server::is_usable)).map(Assignment::new)
    }

    /// Whether there is one that is usable, of several.
    pub fn has_usable(&self) -> bool {
        self.only.is_none() && self.servers().iter().any(|server| server.is_usable())
    }

    /// See [`Servers::choose`](super::Servers::choose).
    pub fn choose(&self, tried: impl Fn(&Server) -> bool) -> Assignment {
        if let Some(only) = &self.only {
            return Assignment::to_only(only);
        }
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let untried = |server: &Server| !tried(server);
        let usable_untried = |server: &Server| server.is_usable() && untried(server);
        let orders: [&dyn Fn(&Server) -> bool; 4] =
            [&usable_untried, &Server::is_usable, &untried, &|_| true];
        let chosen = orders.iter().find_map(|fits| self.pick(&servers, fits));
        // There is one, since each name stands for itself until its addresses are known.
        Assignment::new(chosen.unwrap_or(&servers[0]))
    }

    fn pick<'a>(
        &self,
        servers: &'a [Arc<Server>],
        fits: &dyn Fn(&Server) -> bool,
    ) -> Option<&'a Arc<Server>> {
        let mut fitting = servers.iter().filter(|server| fits(server));
        if self.balance == Balance::InOrder {
            return fitting.next();
        }
        let count = fitting.clone().count();
        let first = self.below(count)?;
        let second = (first + 1 + self.below(count - 1).unwrap_or(0)) % count;
        let [first, second] = [first, second].map(|at| fitting.clone().nth(at));
        // What is equally busy is taken at random, as it came.
        match (first, second) {
            (Some(first), Some(second)) if second.work() < first.work() => Some(second),
            _ => first.or_else(|| fitting.next()),
        }
    }

    /// See [`Servers::has_other`](super::Servers::has_other).
    pub fn has_other(&self, tried: impl Fn(&Server) -> bool) -> bool {
        if self.only.is_some() {
            return false;
        }
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let any_usable = servers.iter().any(|server| server.is_usable());
        let fits = |server: &Arc<Server>| {
            !tried(server) && if any_usable { server.is_usable() } else { !server.is_busy() }
        };
        servers.iter().any(fits)
    }

    /// See [`Servers::record`](super::Servers::record). What became of the server, if it is to be asked whether it is well.
    pub fn record(
        &self,
        server: &Server,
        outcome: Outcome,
        begun: Instant,
        retry_after: Option<Duration>,
    ) -> Option<SetAside> {
        let alone = self.only.is_some();
        if let Some(time) = retry_after.filter(|_| !alone) {
            server.pause(time);
        }
        if !server.record(outcome, begun, alone) {
            return None;
        }
        let _others = lock(&self.setting_aside);
        let is_other = |other: &&Arc<Server>| !std::ptr::eq(Arc::as_ptr(other), server);
        let has_others = self.servers().iter().filter(is_other).any(|other| other.is_available());
        if has_others || !server.is_available() {
            return server.set_aside(self.random()).map(SetAside::For);
        }
        server.keep(self.random());
        Some(SetAside::NotTheLast)
    }

    /// Uniform in 0..1.
    pub fn random(&self) -> f64 {
        self.random.next()
    }

    /// At random; `None` if there is nothing below it.
    fn below(&self, count: usize) -> Option<usize> {
        (count > 0).then(|| ((self.random() * count as f64) as usize).min(count - 1))
    }
}
