//! Whether the server is well, and connections that are made before they are needed.

use std::sync::TryLockError;
use std::time::{Duration, Instant};

use super::Remote;
use super::exchange::Exchange;
use crate::error::{Code, Error, Result};
use crate::policy::deadline::Deadline;
use crate::wire::endpoint::Endpoint;

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

    /// Makes so many connections, each of which asks the server whether it is well, and keeps them for later calls.
    pub fn warm_up(&self, connections: usize, timeout: Duration) -> Result<()> {
        self.check_process()?;
        let most = self.inner.pool.size();
        if !(1..=most).contains(&connections) {
            let why = format!("connections is {connections}, not from 1 to {most} (connection_pool_size)");
            return Err(Error::argument(why));
        }
        let store = &self.inner.store;
        let deadline = Deadline::after(Instant::now(), Some(timeout));
        // Two at once would each hold what the other one waits for.
        let _alone = loop {
            match self.warming_up.try_lock() {
                Ok(alone) => break alone,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if deadline.passed(Instant::now()) => {
                    let why = "another feast_remote_warm_up() was under way until the time was up";
                    return Err(Error::new(Code::Timeout, why));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let mut kept = Vec::with_capacity(connections);
        while kept.len() < connections {
            let exchange = Exchange::new(Instant::now(), deadline).to(Endpoint::Health);
            let (body, ..) = self.attempt_and_keep(store.buffer(), exchange, Some(&mut kept))?;
            store.keep_buffer(body);
        }
        Ok(())
    }
}
