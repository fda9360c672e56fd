//! Carries all exchanges but those of blocking calls of one exchange: one thread for all of them, which sleeps while there
//! is nothing to do. It follows the same policy (`exchange.rs`) and takes permits from the same pool as the blocking calls.
//!
//! An exchange at the driver waits for a token, for a permit, for its answer, or for its next attempt. It moves on when a
//! socket is ready, when its timer expires, or when a command comes in.

mod attempt;
pub mod handle;
mod hedge;
mod mailbox;
mod merging;
mod task;
mod timers;
mod work;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::events::EventQueue;
use super::inner::Inner;
use crate::error::Error;
use crate::observe::statistics::Stats;
use crate::policy::admission::Ticket;
use crate::policy::rebalance::Rebalance;
use crate::process::panics::contained;
use crate::process::sync::Arc;
use crate::transport::{Listener, NameListener, Poller, Ready, Worker};
use handle::{Command, Content, DriverHandle, InFlight, Submission};
use merging::{Check, Delivery, Line, Place};
use task::Task;
use timers::Timers;
use work::{One, Work};

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
    /// Again, as look-ups know it.
    name_listener: Arc<dyn NameListener>,
    poller: &'a mut Poller,
    tasks: HashMap<u64, Task>,
    timers: Timers,
    /// The exchanges on the wire, by their slots.
    by_slot: HashMap<u32, u64>,
    /// The exchanges that wait for a permit, by their tickets.
    by_ticket: HashMap<Ticket, u64>,
    /// Attempts whose exchange was answered by another one, the oldest first.
    superseded: VecDeque<u64>,
    awaiting_token: Vec<u64>,
    token_fetch: Option<Worker>,
    /// Those who wait to be merged, by the numbers of their questions.
    lines: HashMap<u64, Line>,
    /// The lines in which somebody may wait.
    waiting_lines: BTreeSet<u64>,
    /// The calls that wait to be merged, or have been, by their numbers.
    by_member: HashMap<u64, Place>,
    /// Comparisons under way, by the numbers of their merged exchanges.
    checks: HashMap<u64, Check>,
    deliveries: Vec<Delivery>,
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
            name_listener: Arc::clone(handle) as Arc<dyn NameListener>,
            poller,
            tasks: HashMap::new(),
            timers: Timers::default(),
            by_slot: HashMap::new(),
            by_ticket: HashMap::new(),
            superseded: VecDeque::new(),
            awaiting_token: Vec::new(),
            token_fetch: None,
            lines: HashMap::new(),
            waiting_lines: BTreeSet::new(),
            by_member: HashMap::new(),
            checks: HashMap::new(),
            deliveries: Vec::new(),
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
            self.accept_some();
            self.run_timers();
            self.deliver();
            self.dispatch();
            self.announce();
            if self.exiting {
                // Whatever was submitted came before this command, and the store closes.
                while let Some(submission) = self.handle.mailbox.take_exchange() {
                    self.accept(*submission);
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
                if let Some(mut task) =
                    self.by_slot.get(&ready.slot).and_then(|number| self.tasks.remove(number))
                {
                    let which = task.which(ready.slot);
                    self.step(task, which, Some(ready));
                }
            }
            self.announce();
        }
        if let Some(fetch) = self.token_fetch.take() {
            fetch.join();
        }
    }

    /// Takes in exchanges that were submitted, and says how many. Not all there are: a caller that submits as fast as
    /// answers come must not keep the others from theirs. But those that may be merged: the more there are, the more go
    /// out together.
    fn accept_some(&mut self) -> usize {
        let (mut accepted, mut all) = (0, 0);
        while accepted < ACCEPTED_AT_A_TIME
            && let Some(submission) = self.handle.mailbox.take_exchange()
        {
            accepted += usize::from(matches!(submission.content, Content::Body(_)));
            all += 1;
            self.accept(*submission);
        }
        all
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Submission(submission) => self.accept(*submission),
            Command::Admitted(ticket) => {
                if let Some(task) = self.take_waiting(ticket) {
                    self.admitted(task);
                }
            }
            Command::Refused(ticket) => {
                if let Some(task) = self.take_waiting(ticket) {
                    self.refused(task);
                }
            }
            Command::TokenFetched(outcome) => self.token_fetched(outcome),
            Command::TokenSet => self.token_set(),
            Command::LookedUp => self.looked_up(),
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
                for line in self.lines.keys().copied().collect::<Vec<_>>() {
                    self.fail_line(line, &Error::closed());
                }
            }
            Command::Exit => self.exiting = true,
        }
    }

    /// The exchange that waits for a permit with this ticket.
    fn take_waiting(&mut self, ticket: Ticket) -> Option<Task> {
        self.by_ticket.remove(&ticket).and_then(|number| self.tasks.remove(&number))
    }

    fn in_order(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.tasks.keys().chain(self.by_member.keys()).copied().collect();
        numbers.sort_unstable();
        numbers
    }

    fn end_if_abandoned(&mut self, number: u64) {
        let one = self.tasks.get(&number).and_then(Task::one);
        if let Some(why) = one.and_then(|one| one.member.is_abandoned()) {
            if let Some(task) = self.tasks.remove(&number) {
                self.end(task, why);
            }
        } else if let Some(why) = self.mergeable(number).and_then(|waiting| waiting.member.is_abandoned()) {
            self.leave(number, |_, call, _| call.ended_by(why));
        }
    }

    fn accept(&mut self, submission: Submission) {
        let in_flight = InFlight(Arc::clone(self.handle));
        let Submission { member, exchange, content } = submission;
        let closed = self.closing.then(Error::closed);
        if let Some(why) = closed.or_else(|| member.is_abandoned()) {
            return self.member_failed(in_flight, member, exchange.ended_by(why));
        }
        if let Some(error) = exchange.overdue(&self.inner.store, Instant::now()) {
            return self.member_failed(in_flight, member, error);
        }
        match content {
            Content::Body(body) => {
                let number = member.number();
                let work = Work::One(One { in_flight, member, under_way: None, check: None });
                self.start(Task::new(number, exchange, body, work));
            }
            Content::Mergeable(request, waiting) => {
                self.join(in_flight, member, exchange, request, waiting);
            }
        }
    }

    fn run_timers(&mut self) {
        if self.timers.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(number) = self.timers.pop_expired(now) {
            if let Some(mut task) = self.tasks.remove(&number) {
                task.timer = None;
                self.timer_expired(task, now);
            } else if self.lines.contains_key(&number) {
                self.line_timer_expired(number);
            } else {
                self.member_timed_out(number);
            }
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
