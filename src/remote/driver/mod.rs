//! Carries all exchanges but those of blocking calls of one exchange: one thread for all of them, which sleeps while there
//! is nothing to do. It follows the same policy (`exchange.rs`) and takes permits from the same pool as the blocking calls.
//!
//! An exchange at the driver waits for a token, for a permit, for its answer, or for its next attempt. It moves on when a
//! socket is ready, when its timer expires, or when a command comes in.

mod attempt;
pub mod handle;
mod mailbox;
mod task;
mod timers;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::events::EventQueue;
use super::inner::Inner;
use crate::error::Error;
use crate::observe::statistics::Stats;
use crate::policy::admission::Ticket;
use crate::policy::rebalance::Rebalance;
use crate::process::panics::contained;
use crate::process::sync::Arc;
use crate::transport::{Listener, Poller, Ready, Worker};
use handle::{Command, DriverHandle, InFlight, Submission};
use task::Task;
use timers::Timers;

/// After a second panic the driver is not started again.
const RUNS: usize = 2;

/// Exchanges taken in between two looks at the sockets.
const ACCEPTED_AT_A_TIME: usize = 16;

/// Events after which the threads that wait for them are told.
const ANNOUNCED_AT_A_TIME: usize = 32;

/// The work of a store's driver thread; ends with [`DriverHandle::exit`].
pub fn run(inner: &Arc<Inner>, handle: &Arc<DriverHandle>, poller: &mut Poller) {
    for run in 1..=RUNS {
        let mut driver = Driver::new(inner, handle, poller);
        // What the driver holds when it panics is dropped: its exchanges fail, its permits go back to the pool.
        let outcome = contained(|| {
            driver.run();
            Ok(())
        });
        match outcome {
            Ok(()) => return,
            Err(_) if run < RUNS => Stats::count(&inner.store.stats.driver_restarts),
            Err(_) => handle.mark_failed(),
        }
    }
    loop {
        // In this order: what was submitted came before the command.
        let commands = handle.mailbox.take_commands();
        let exit = commands.iter().any(|command| matches!(command, Command::Exit));
        let submitted = commands.into_iter().filter_map(|command| match command {
            Command::Submission(submission) => Some(submission),
            _ => None,
        });
        // Dropped, they fail.
        for submission in submitted.chain(std::iter::from_fn(|| handle.mailbox.take_exchange())) {
            drop((InFlight(Arc::clone(handle)), submission));
        }
        if exit {
            return;
        }
        if handle.mailbox.may_sleep() {
            poller.wait(None);
            handle.mailbox.woke();
        }
    }
}

struct Driver<'a> {
    inner: &'a Arc<Inner>,
    handle: &'a Arc<DriverHandle>,
    /// The handle, as the pool knows it.
    listener: Arc<dyn Listener>,
    poller: &'a mut Poller,
    tasks: HashMap<u64, Task>,
    timers: Timers,
    /// The exchanges on the wire, by their slots.
    by_slot: HashMap<u32, u64>,
    /// The exchanges that wait for a permit, by their tickets.
    by_ticket: HashMap<Ticket, u64>,
    awaiting_token: Vec<u64>,
    token_fetch: Option<Worker>,
    /// Of the connections of calls in parts; not where there is only one.
    rebalance: Option<Rebalance>,
    /// Queues that have got events, one for each event.
    unannounced: Vec<Arc<EventQueue>>,
    closing: bool,
    exiting: bool,
}

impl<'a> Driver<'a> {
    fn new(inner: &'a Arc<Inner>, handle: &'a Arc<DriverHandle>, poller: &'a mut Poller) -> Driver<'a> {
        Driver {
            // The command may have come to a former run.
            closing: inner.pool.is_closing(),
            inner,
            handle,
            listener: Arc::clone(handle) as Arc<dyn Listener>,
            poller,
            tasks: HashMap::new(),
            timers: Timers::default(),
            by_slot: HashMap::new(),
            by_ticket: HashMap::new(),
            awaiting_token: Vec::new(),
            token_fetch: None,
            rebalance: (inner.pool.size() > 1).then(Rebalance::default),
            unannounced: Vec::new(),
            exiting: false,
        }
    }

    fn run(&mut self) {
        let mut ready: Vec<Ready> = Vec::new();
        loop {
            for command in self.handle.mailbox.take_commands() {
                self.handle_command(command);
            }
            // Not all there are: a caller that submits as fast as answers come must not keep the others from theirs.
            for _ in 0..ACCEPTED_AT_A_TIME {
                match self.handle.mailbox.take_exchange() {
                    Some(submission) => self.accept(submission),
                    None => break,
                }
            }
            self.run_timers();
            self.announce();
            if self.exiting {
                // Whatever was submitted came before this command, and the store closes.
                while let Some(submission) = self.handle.mailbox.take_exchange() {
                    self.accept(submission);
                }
                break;
            }
            let limit = match self.handle.mailbox.may_sleep() {
                true => self.timers.until_next(),
                false => Some(Duration::ZERO), // only to see which sockets are ready
            };
            ready.clear();
            ready.extend_from_slice(self.poller.wait(limit));
            self.handle.mailbox.woke();
            for &ready in &ready {
                // A slot that is not ours now was watched for an attempt that has ended.
                if let Some(task) = self.by_slot.get(&ready.slot).and_then(|number| self.tasks.remove(number))
                {
                    self.step(task, Some(ready));
                }
            }
            self.announce();
        }
        if let Some(fetch) = self.token_fetch.take() {
            fetch.join();
        }
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Submission(submission) => self.accept(submission),
            Command::Admitted(ticket) => {
                if let Some(task) =
                    self.by_ticket.remove(&ticket).and_then(|number| self.tasks.remove(&number))
                {
                    self.admitted(task);
                }
            }
            Command::TokenFetched(outcome) => self.token_fetched(outcome),
            Command::Cancel(numbers) => numbers.for_each(|number| self.end_if_abandoned(number)),
            Command::QueueClosed => {
                self.in_order().into_iter().for_each(|number| self.end_if_abandoned(number));
            }
            Command::Close => {
                self.closing = true;
                for number in self.in_order() {
                    if let Some(task) = self.tasks.remove(&number) {
                        self.end(task, Error::closed());
                    }
                }
            }
            Command::Exit => self.exiting = true,
        }
    }

    fn in_order(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.tasks.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    fn end_if_abandoned(&mut self, number: u64) {
        let abandoned = self.tasks.get(&number).and_then(|task| task.submission.member.is_abandoned());
        if let Some(why) = abandoned
            && let Some(task) = self.tasks.remove(&number)
        {
            self.end(task, why);
        }
    }

    fn accept(&mut self, submission: Box<Submission>) {
        let in_flight = InFlight(Arc::clone(self.handle));
        let abandoned = submission.member.is_abandoned();
        let task = Task::new(in_flight, submission);
        match abandoned {
            _ if self.closing => self.end(task, Error::closed()),
            Some(why) => self.end(task, why),
            None => self.start(task),
        }
    }

    fn run_timers(&mut self) {
        if self.timers.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(number) = self.timers.pop_expired(now) {
            let Some(mut task) = self.tasks.remove(&number) else { continue };
            task.timer = None;
            self.timer_expired(task, now);
        }
    }

    /// There may be an event in this queue. Who waits for it is told when there are many, or when all that is ready has
    /// been looked at: waking a thread costs more than the rest of a call here does.
    fn ended(&mut self, queue: Option<Arc<EventQueue>>) {
        self.unannounced.extend(queue);
        if self.unannounced.len() >= ANNOUNCED_AT_A_TIME {
            self.announce();
        }
    }

    fn announce(&mut self) {
        for (at, queue) in self.unannounced.iter().enumerate() {
            if !self.unannounced[..at].iter().any(|known| Arc::ptr_eq(known, queue)) {
                queue.announce();
            }
        }
        self.unannounced.clear();
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        // After a panic: what came before it has happened.
        self.announce();
    }
}
