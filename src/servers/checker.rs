//! Asks servers that are set aside whether they are well again. One thread for all of them at once, since one that is stopped
//! takes all the time there is; it sleeps while nobody is set aside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use super::list::List;
use super::server::Server;
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::panics::contained;
use crate::process::sync::{Mutex, lock};
use crate::transport::{
    EventFd, ExtraSlot, ExtraSlots, NameListener, Poller, Ready, TransferError, TransferErrorKind, Worker,
};
use crate::wire::endpoint::Endpoint;

/// How long an answer may take, the connection included.
const PATIENCE: Duration = Duration::from_secs(2);

/// After so long a thread that could not be had is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// After a second panic the thread is not started again.
const RUNS: usize = 2;

/// See the module. The thread is started when the first server is set aside.
pub struct Checker {
    slots: ExtraSlots,
    stats: Arc<Stats>,
    closing: Arc<AtomicBool>,
    event_fd: OnceCell<Arc<EventFd>>,
    worker: Mutex<Option<Worker>>,
    /// There was no thread or descriptor to be had; in milliseconds after the beginning, when to try again, or 0.
    try_again_at: AtomicU64,
    since: Instant,
}

impl Checker {
    /// Without a thread yet.
    pub fn new(slots: ExtraSlots, stats: Arc<Stats>) -> Checker {
        Checker {
            slots,
            stats,
            closing: Arc::new(AtomicBool::new(false)),
            event_fd: OnceCell::new(),
            worker: Mutex::new(None),
            try_again_at: AtomicU64::new(0),
            since: Instant::now(),
        }
    }

    /// The thread could not be started when it was needed: perhaps it can now.
    pub fn wake_if_it_failed(&self, list: &Arc<List>) {
        let at = self.try_again_at.load(Ordering::Relaxed);
        if at > 0 && self.since.elapsed().as_millis() >= u128::from(at) {
            self.wake(list);
        }
    }

    /// A server is to be asked.
    pub fn wake(&self, list: &Arc<List>) {
        if let Some(event_fd) = self.event_fd.get() {
            return event_fd.notify();
        }
        let mut worker = lock(&self.worker);
        if worker.is_some() || self.closing.load(Ordering::Acquire) {
            return;
        }
        let again = (self.since.elapsed() + TRY_AGAIN).as_millis();
        self.try_again_at.store(u64::try_from(again).unwrap_or(u64::MAX), Ordering::Relaxed);
        let Ok(event_fd) = EventFd::new().map(Arc::new) else { return };
        let Ok(poller) = Poller::new(Arc::clone(&event_fd)) else { return };
        let run = Run {
            list: Arc::clone(list),
            slots: self.slots.clone(),
            stats: Arc::clone(&self.stats),
            closing: Arc::clone(&self.closing),
            listener: Arc::clone(&event_fd) as Arc<dyn NameListener>,
            poller,
            checks: Vec::new(),
        };
        *worker = Worker::start("feast-checker", move || run.run_in_spite_of_a_panic());
        if worker.is_some() {
            let _ = self.event_fd.set(event_fd);
            self.try_again_at.store(0, Ordering::Relaxed);
        }
    }

    /// The thread ends soon.
    pub fn close(&self) {
        // Under the lock, or a thread that is being started would not be woken.
        let _worker = lock(&self.worker);
        self.closing.store(true, Ordering::Release);
        if let Some(event_fd) = self.event_fd.get() {
            event_fd.notify();
        }
    }

    /// Waits for its end.
    pub fn join(&self) {
        let worker = lock(&self.worker).take();
        if let Some(worker) = worker {
            worker.join();
        }
    }
}

/// What the thread has.
struct Run {
    list: Arc<List>,
    slots: ExtraSlots,
    stats: Arc<Stats>,
    closing: Arc<AtomicBool>,
    /// Told when a name has been looked up; it wakes the poller.
    listener: Arc<dyn NameListener>,
    poller: Poller,
    checks: Vec<Check>,
}

/// A question under way.
struct Check {
    server: Arc<Server>,
    /// When it began.
    times_set_aside: u64,
    slot: ExtraSlot,
    until: Instant,
}

impl Run {
    fn run_in_spite_of_a_panic(mut self) {
        for _ in 0..RUNS {
            let ended = contained(|| {
                self.run();
                Ok(())
            });
            if ended.is_ok() {
                return;
            }
            self.checks.clear();
        }
    }

    fn run(&mut self) {
        while !self.closing.load(Ordering::Acquire) {
            let now = Instant::now();
            let servers = self.list.servers();
            for server in servers.iter() {
                if server.check_at().is_some_and(|at| at <= now) && !self.is_asked(server) {
                    self.begin(server, now);
                }
            }
            let limit = self.next_look(&servers).map(|at| at.saturating_duration_since(Instant::now()));
            let ready = self.poller.wait(limit).to_vec();
            self.go_on(&ready);
        }
    }

    fn is_asked(&self, server: &Arc<Server>) -> bool {
        self.checks.iter().any(|check| Arc::ptr_eq(&check.server, server))
    }

    fn next_look(&mut self, servers: &[Arc<Server>]) -> Option<Instant> {
        let waiting = servers.iter().filter(|server| !self.is_asked(server));
        let due = waiting.filter_map(|server| server.check_at()).min();
        let timers = self.checks.iter_mut().flat_map(|check| [Some(check.until), check.slot.slot().timer()]);
        timers.flatten().chain(due).min()
    }

    fn begin(&mut self, server: &Arc<Server>, now: Instant) {
        Stats::count(&self.stats.health_checks);
        let times_set_aside = server.times_set_aside();
        let Ok(mut slot) = self.slots.make(server.http(), Endpoint::Health) else {
            return server.checked(false, times_set_aside, self.list.random());
        };
        let until = now + PATIENCE;
        let begun = slot.slot().begin(None, Vec::new(), Deadline::by(until), Some(&self.listener));
        let mut check = Check { server: Arc::clone(server), times_set_aside, slot, until };
        let over = match begun {
            Ok(()) => self.step(&mut check, None),
            Err(error) => Some(Err(error)),
        };
        self.settle(check, over);
    }

    fn go_on(&mut self, ready: &[Ready]) {
        let now = Instant::now();
        for mut check in std::mem::take(&mut self.checks) {
            let number = check.slot.slot().number();
            let mut over = None;
            for &ready in ready.iter().filter(|ready| ready.slot == number) {
                over = over.or_else(|| self.step(&mut check, Some(ready)));
            }
            let slot = check.slot.slot();
            if over.is_none() && (slot.awaits_address() || slot.timer().is_some_and(|timer| timer <= now)) {
                over = self.step(&mut check, None);
            }
            if over.is_none() && check.until <= now {
                over = Some(Err(check.slot.slot().timed_out()));
            }
            self.settle(check, over);
        }
    }

    fn step(&self, check: &mut Check, ready: Option<Ready>) -> Option<Result<u16, TransferError>> {
        let slot = check.slot.slot();
        slot.step(ready).or_else(|| slot.watch(&self.poller).err().map(Err))
    }

    fn settle(&mut self, mut check: Check, over: Option<Result<u16, TransferError>>) {
        let Some(result) = over else { return self.checks.push(check) };
        let transfer = check.slot.slot().end(result);
        check.server.checked(is_well(&transfer.result), check.times_set_aside, self.list.random());
    }
}

/// Whether a server that answers so is to be tried again. One that has no such endpoint, or lets nobody ask, is there.
fn is_well(result: &Result<u16, TransferError>) -> bool {
    match result {
        Ok(429) => false,
        Ok(status) => (200..300).contains(status) || (400..500).contains(status),
        Err(TransferError { kind: TransferErrorKind::TooLarge, .. }) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_well_that_says_so_or_has_nothing_to_say() {
        for (status, well) in
            [(200, true), (404, true), (401, true), (429, false), (500, false), (503, false), (302, false)]
        {
            assert_eq!(is_well(&Ok(status)), well, "{status}");
        }
        let message = String::new();
        assert!(!is_well(&Err(TransferError { kind: TransferErrorKind::Connect, message })));
    }
}
