//! Whether the server is well, and connections that are made before they are needed.

use std::time::{Duration, Instant};

use super::Remote;
use super::exchange::Exchange;
use super::inner::Inner;
use crate::error::{Code, Error, Result};
use crate::policy::deadline::Deadline;
use crate::process::sync::{Condvar, Mutex, lock, wait};
use crate::wire::endpoint::Endpoint;

/// One thread at a time makes connections beforehand: two would each hold what the other one waits for.
#[derive(Default)]
pub struct WarmingUp {
    under_way: Mutex<bool>,
    ended: Condvar,
}

/// Ends with it.
struct Alone<'a>(&'a WarmingUp);

impl WarmingUp {
    /// `None` if another thread was at it until the deadline.
    fn begin(&self, deadline: Deadline) -> Option<Alone<'_>> {
        let mut under_way = lock(&self.under_way);
        while *under_way {
            let passed;
            (under_way, passed) = wait(&self.ended, under_way, deadline);
            if passed && *under_way {
                return None;
            }
        }
        *under_way = true;
        Some(Alone(self))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        *lock(&self.0.under_way) = false;
        self.0.ended.notify_one();
    }
}

impl Remote {
    /// Asks the server whether it is well.
    pub fn check_health(&self) -> Result<()> {
        self.check_process()?;
        let store = &self.inner.store;
        let start = Instant::now();
        let deadline = Deadline::after(start, store.request_timeout);
        let exchange = Exchange::new(start, deadline).to(Endpoint::Health);
        let (body, ..) = self.attempt_until_answered(store.buffer(), exchange)?;
        store.keep_buffer(body);
        Ok(())
    }

    /// Makes so many connections, each of which asks its server whether it is well, and keeps them for later calls: to each of
    /// several servers that is well about as many. It fails if none is.
    pub fn warm_up(&self, connections: usize, timeout: Duration) -> Result<()> {
        self.check_process()?;
        let most = self.inner.pool.size();
        if !(1..=most).contains(&connections) {
            let why = format!("connections is {connections}, not from 1 to {most} (connection_pool_size)");
            return Err(Error::argument(why));
        }
        let Inner { servers, store, .. } = &*self.inner;
        let deadline = Deadline::after(Instant::now(), Some(timeout));
        let Some(_alone) = self.warming_up.begin(deadline) else {
            let why = "another feast_remote_warm_up() was under way until the time was up";
            return Err(Error::new(Code::Timeout, why));
        };
        let mut kept = Vec::with_capacity(connections);
        let all = servers.wait_for_all(deadline);
        let several = all.len() > 1;
        let mut well = Vec::new();
        let mut last = None;
        // Each of several once: then those that are not well are known of before the first call.
        for (asked, server) in all.iter().enumerate().filter(|_| several) {
            if kept.len() == connections {
                // It stays in the pool; the permit is what is needed.
                kept.remove(0);
            }
            // One that hangs leaves time for those after it, and for what comes then.
            let now = Instant::now();
            let share = deadline.remaining(now).map(|rest| rest / (all.len() - asked + 1) as u32);
            let exchange =
                Exchange::new(now, Deadline::after(now, share)).to(Endpoint::Health).only_at(server);
            match self.attempt_and_keep(store.buffer(), exchange, Some(&mut kept)) {
                Ok((body, ..)) => {
                    store.keep_buffer(body);
                    well.push(server);
                }
                Err(error) => last = Some(error),
            }
        }
        if let Some(error) = last.filter(|_| well.is_empty()) {
            return Err(error);
        }
        while kept.len() < connections {
            let exchange = Exchange::new(Instant::now(), deadline).to(Endpoint::Health);
            let exchange = match well.get(kept.len() % well.len().max(1)) {
                Some(server) => exchange.only_at(server),
                None => exchange,
            };
            let (body, ..) = self.attempt_and_keep(store.buffer(), exchange, Some(&mut kept))?;
            store.keep_buffer(body);
        }
        Ok(())
    }
}
