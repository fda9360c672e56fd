//! Which server an attempt goes to: the servers there are, what is known of each, and how one is chosen.
//!
//! With one server nothing is chosen and nobody is set aside. With several, each attempt says what it tells about its server
//! ([`Outlier`](crate::policy::outlier::Outlier) has the rules), a thread asks those that are set aside whether they are well
//! again (`checker.rs`), and another one looks up their names if each address is a server of its own (`resolver.rs`). Either
//! is started when it is first needed.

mod checker;
mod list;
mod resolver;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::observe::log::{self, Level};
use crate::observe::servers::ServerFigures;
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::policy::outlier::Outcome;
use crate::transport::{ExtraSlots, Http, Names};
use checker::Checker;
use list::{List, SetAside};
use resolver::Resolver;
pub use server::{Assignment, Server};

/// See the module. Used by any number of threads.
pub struct Servers {
    list: Arc<List>,
    checker: Checker,
    stats: Arc<Stats>,
    /// If each address is a server of its own.
    resolver: Option<Resolver>,
}

impl Servers {
    /// The servers of a store, spoken to in these ways. Nothing goes over the network yet.
    pub fn new(
        config: &Config,
        ways: Vec<Http>,
        slots: ExtraSlots,
        lookups: Arc<Names>,
        stats: &Arc<Stats>,
    ) -> Result<Servers> {
        let configured: Vec<Arc<Server>> =
            ways.into_iter().map(|http| Arc::new(Server::named(http))).collect();
        if config.each_address && configured.iter().any(|server| server.http().uses_proxy()) {
            return Err(Error::config(
                "resolve is each_address, and there is a proxy, which looks names up itself; set `proxy` to nothing, or \
                 no_proxy for the servers",
            ));
        }
        let resolver =
            config.each_address.then(|| Resolver::new(config, &configured, slots.clone(), lookups));
        let several = configured.len() > 1 || resolver.is_some();
        let list = Arc::new(List::new(config.balance, configured, several));
        Ok(Servers {
            list,
            checker: Checker::new(slots, Arc::clone(stats)),
            stats: Arc::clone(stats),
            resolver,
        })
    }

    /// The server for an attempt of a call that has `tried` some already: an available one that it has not tried, if there
    /// is one.
    pub fn choose(&self, tried: impl Fn(&Server) -> bool) -> Assignment {
        if let Some(resolver) = &self.resolver {
            resolver.start(&self.list);
        }
        self.list.choose(tried)
    }

    /// Whether there is a server worth trying at once that the call has not `tried`.
    pub fn has_other(&self, tried: impl Fn(&Server) -> bool) -> bool {
        self.list.has_other(tried)
    }

    /// As [`choose`](Servers::choose), but only a server that is usable; `None` if none is.
    pub fn choose_usable(&self, tried: impl Fn(&Server) -> bool) -> Option<Assignment> {
        self.list.choose_usable(tried)
    }

    /// Whether one of several servers is usable, tried or not.
    pub fn has_usable(&self) -> bool {
        self.list.has_usable()
    }

    /// Takes note of what an attempt that began at `begun` says about its server.
    pub fn record(&self, server: &Server, outcome: Outcome, begun: Instant, retry_after: Option<Duration>) {
        match self.list.record(server, outcome, begun, retry_after) {
            Some(SetAside::For(time)) => {
                log::write(Level::Warning, || {
                    format!("{}: set aside for {time:.1?} and until it says that it is well", server.name())
                });
                Stats::count(&self.stats.servers_set_aside);
                self.checker.wake(&self.list);
            }
            Some(SetAside::NotTheLast) => self.checker.wake(&self.list),
            None => self.checker.wake_if_it_failed(&self.list),
        }
    }

    /// All servers; if each address is one of its own, when the names have been looked up once.
    pub fn wait_for_all(&self, deadline: Deadline) -> Arc<[Arc<Server>]> {
        if let Some(resolver) = &self.resolver {
            resolver.start(&self.list);
            resolver.wait_for_first(deadline);
        }
        self.list.servers()
    }

    /// What is known of each of them.
    pub fn figures(&self) -> Vec<ServerFigures> {
        self.list.servers().iter().map(|server| server.figures()).collect()
    }

    /// The threads end soon.
    pub fn close(&self) {
        self.checker.close();
        if let Some(resolver) = &self.resolver {
            resolver.close();
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.close();
        self.checker.join();
        if let Some(resolver) = &self.resolver {
            resolver.join();
        }
    }
}
