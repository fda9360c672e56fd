//! Carries a store's asynchronous calls: one thread for all of them, which sleeps while there is nothing to do. It
//! follows the same policy (`call.rs`) and takes permits from the same pool as the blocking calls.
//!
//! A request at the driver waits for a token, for a permit, for its answer, or for its next attempt. It moves on when a
//! socket is ready, when its alarm is due, or when a word comes in.

pub mod handle;
mod mailbox;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::Inner;
use super::call::Next;
use super::events::EventQueue;
use crate::auth::{AtHand, Token};
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::policy::admission::Ticket;
use crate::policy::deadline::Deadline;
use crate::policy::rebalance::Rebalance;
use crate::process::panics::contained;
use crate::process::sync::Arc;
use crate::transport::{
    Acquire, Listener, OwnedPermit, PendingAcquire, Poller, Ready, Transfer, TransferError,
    TransferErrorKind, Worker,
};
use handle::{Command, Counted, DriverHandle, Submission};

/// After a second panic the driver does not rise again.
const LIVES: usize = 2;

/// Requests taken in between two looks at the sockets.
const ACCEPTED_AT_A_TIME: usize = 16;

/// Events after which the threads that wait for them are told.
const ANNOUNCED_AT_A_TIME: usize = 32;

/// A driver's life, on a thread of its own; ends with [`DriverHandle::exit`].
pub fn live(inner: &Arc<Inner>, handle: &Arc<DriverHandle>, poller: &mut Poller) {
    for life in 1..=LIVES {
        let mut driver = Driver::new(inner, handle, poller);
        // What the driver holds when it panics is dropped: its requests fail, its permits go back to the pool.
        let lived = contained(|| {
            driver.run();
            Ok(())
        });
        match lived {
            Ok(()) => return,
            Err(_) if life < LIVES => Stats::count(&inner.store.stats.driver_restarts),
            Err(_) => handle.bury(),
        }
    }
    loop {
        // In this order: what was submitted came before the word.
        let words = handle.mailbox.take_commands();
        let exit = words.iter().any(|word| matches!(word, Command::Exit));
        let submitted = words.into_iter().filter_map(|word| match word {
            Command::Submission(submission) => Some(submission),
            _ => None,
        });
        // Dropped, they fail.
        for submission in submitted.chain(std::iter::from_fn(|| handle.mailbox.take_call())) {
            drop((Counted(Arc::clone(handle)), submission));
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

/// A request at the driver.
struct Task {
    // Dropped in this order: who hears of the request's end finds that its room and its permit are free.
    counted: Counted,
    stage: Stage,
    submission: Box<Submission>,
    /// As it stands in the driver's alarms.
    alarm: Option<Instant>,
}

enum Stage {
    /// Between the others.
    Moving,
    /// Waiting for a token that is being fetched.
    Token,
    /// Waiting for a permit in the pool.
    Queue { pending: PendingAcquire, ticket: Ticket, since: Instant, token: Option<Token> },
    /// On the wire, until this deadline.
    Wire { permit: OwnedPermit, token: Option<Token>, deadline: Deadline },
    /// Waiting for its next attempt.
    Pause { until: Instant },
}

struct Driver<'a> {
    inner: &'a Arc<Inner>,
    handle: &'a Arc<DriverHandle>,
    /// The handle, as the pool knows it.
    listener: Arc<dyn Listener>,
    poller: &'a mut Poller,
    tasks: HashMap<u64, Task>,
    /// When to look at a request although nothing has happened to it.
    alarms: BTreeSet<(Instant, u64)>,
    /// The requests on the wire, by their slots.
    by_slot: HashMap<u32, u64>,
    /// The requests that wait for a permit, by their tickets.
    by_ticket: HashMap<Ticket, u64>,
    /// The requests that wait for a token.
    for_token: Vec<u64>,
    fetch: Option<Worker>,
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
            // The word of it may have been heard in a former life.
            closing: inner.pool.is_closing(),
            inner,
            handle,
            listener: Arc::clone(handle) as Arc<dyn Listener>,
            poller,
            tasks: HashMap::new(),
            alarms: BTreeSet::new(),
            by_slot: HashMap::new(),
            by_ticket: HashMap::new(),
            for_token: Vec::new(),
            fetch: None,
            rebalance: (inner.pool.size() > 1).then(Rebalance::default),
            unannounced: Vec::new(),
            exiting: false,
        }
    }

    fn run(&mut self) {
        let mut ready: Vec<Ready> = Vec::new();
        loop {
            for word in self.handle.mailbox.take_commands() {
                self.hear(word);
            }
            // Not all there are: a caller that submits as fast as answers come must not keep the others from theirs.
            for _ in 0..ACCEPTED_AT_A_TIME {
                match self.handle.mailbox.take_call() {
                    Some(submission) => self.accept(submission),
                    None => break,
                }
            }
            self.ring_alarms();
            self.announce();
            if self.exiting {
                // Whatever was submitted came before this word, and the store closes.
                while let Some(submission) = self.handle.mailbox.take_call() {
                    self.accept(submission);
                }
                break;
            }
            let limit = match self.handle.mailbox.may_sleep() {
                true => self.alarms.first().map(|(at, _)| at.saturating_duration_since(Instant::now())),
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
        if let Some(fetch) = self.fetch.take() {
            fetch.join();
        }
    }

    fn hear(&mut self, word: Command) {
        match word {
            Command::Submission(submission) => self.accept(submission),
            Command::Admitted(ticket) => {
                if let Some(task) =
                    self.by_ticket.remove(&ticket).and_then(|number| self.tasks.remove(&number))
                {
                    self.admitted(task);
                }
            }
            Command::Token(outcome) => self.token_came(outcome),
            Command::Cancel(numbers) => numbers.for_each(|number| self.end_unwanted(number)),
            Command::Sweep => self.in_order().into_iter().for_each(|number| self.end_unwanted(number)),
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

    fn end_unwanted(&mut self, number: u64) {
        let unwanted = self.tasks.get(&number).and_then(|task| task.submission.part.is_unwanted());
        if let Some(why) = unwanted
            && let Some(task) = self.tasks.remove(&number)
        {
            self.end(task, why);
        }
    }

    fn accept(&mut self, submission: Box<Submission>) {
        let counted = Counted(Arc::clone(self.handle));
        let unwanted = submission.part.is_unwanted();
        let task = Task { counted, stage: Stage::Moving, submission, alarm: None };
        match unwanted {
            _ if self.closing => self.end(task, Error::closed()),
            Some(why) => self.end(task, why),
            None => self.start(task),
        }
    }

    /// Looks at the requests whose alarms are due.
    fn ring_alarms(&mut self) {
        if self.alarms.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(&(at, number)) = self.alarms.first()
            && at <= now
        {
            self.alarms.pop_first();
            let Some(mut task) = self.tasks.remove(&number) else { continue };
            task.alarm = None;
            self.look_at(task, now);
        }
    }

    fn look_at(&mut self, mut task: Task, now: Instant) {
        let late = task.submission.call.deadline().passed(now);
        match &mut task.stage {
            Stage::Wire { permit, deadline, .. } if deadline.passed(now) => {
                let fault = permit.slot().map(|slot| slot.timed_out());
                self.attempt_ended(task, Err(fault.unwrap_or_else(lost)));
            }
            Stage::Wire { .. } => self.step(task, None),
            Stage::Pause { until } if *until <= now => self.start(task),
            Stage::Token if late => {
                let why = "the time was up while waiting for a token from the identity provider";
                let error =
                    task.submission.call.without_token(&self.inner.store, Error::new(Code::Timeout, why));
                self.fail(task, error);
            }
            Stage::Queue { pending, since, .. } if late => {
                let error = pending.timed_out(since.elapsed());
                self.without_permit(task, error);
            }
            Stage::Moving | Stage::Pause { .. } | Stage::Token | Stage::Queue { .. } => self.keep(task),
        }
    }

    /// Keeps a request until something happens to it.
    fn keep(&mut self, mut task: Task) {
        let number = task.submission.part.number();
        let deadline = task.submission.call.deadline();
        let alarm = match &mut task.stage {
            Stage::Pause { until } => Some(*until),
            Stage::Wire { permit, deadline, .. } => {
                let timer = permit.slot().and_then(|slot| slot.timer());
                timer.into_iter().chain(deadline.at()).min()
            }
            Stage::Moving | Stage::Token | Stage::Queue { .. } => deadline.at(),
        };
        if task.alarm != alarm {
            self.disarm(&mut task);
            if let Some(at) = alarm {
                self.alarms.insert((at, number));
            }
            task.alarm = alarm;
        }
        self.tasks.insert(number, task);
    }

    fn disarm(&mut self, task: &mut Task) {
        if let Some(at) = task.alarm.take() {
            self.alarms.remove(&(at, task.submission.part.number()));
        }
    }

    /// Begins an attempt by asking for what it needs: a token first, then a permit.
    fn start(&mut self, mut task: Task) {
        let deadline = task.submission.call.deadline();
        match self.inner.auth.at_hand() {
            Ok(AtHand::Token(token)) => self.ask_for_place(task, token),
            Ok(AtHand::Stale(token)) => {
                self.fetch_token(deadline);
                self.ask_for_place(task, Some(token));
            }
            Ok(AtHand::Nothing) => {
                self.for_token.push(task.submission.part.number());
                task.stage = Stage::Token;
                self.keep(task);
                self.fetch_token(deadline);
            }
            Err(error) => {
                let error = task.submission.call.without_token(&self.inner.store, error);
                self.fail(task, error);
            }
        }
    }

    /// Fetches a token on a thread of its own, since that may take a while.
    fn fetch_token(&mut self, deadline: Deadline) {
        if self.fetch.is_some() {
            return;
        }
        let (inner, handle) = (Arc::clone(self.inner), Arc::clone(self.handle));
        self.fetch = Worker::start("feast-token", move || {
            let outcome = contained(|| inner.auth.token(&inner.pool, deadline));
            // Before the driver can hear of it, so that it alone holds the pool when it has joined this thread.
            drop(inner);
            handle.tell(Command::Token(outcome));
        });
        if self.fetch.is_none() {
            self.handle.tell(Command::Token(Err(Error::new(
                Code::Internal,
                "no thread to be had to fetch a token",
            ))));
        }
    }

    fn token_came(&mut self, outcome: Result<Option<Token>>) {
        if let Some(fetch) = self.fetch.take() {
            fetch.join();
        }
        for number in std::mem::take(&mut self.for_token) {
            let Some(task) = self.tasks.remove(&number) else { continue };
            match &outcome {
                Ok(token) => self.ask_for_place(task, token.clone()),
                // The deadline of the request that it was fetched for, not of this one.
                Err(error) if error.code == Code::Timeout => self.start(task),
                Err(error) => {
                    let error = task.submission.call.without_token(&self.inner.store, error.clone());
                    self.fail(task, error);
                }
            }
        }
    }

    fn ask_for_place(&mut self, mut task: Task, token: Option<Token>) {
        match self.inner.pool.acquire_queued(&self.listener) {
            Ok(Acquire::Permit(permit)) => self.begin(task, permit, token),
            Ok(Acquire::PendingAcquire(pending, ticket)) => {
                self.by_ticket.insert(ticket, task.submission.part.number());
                task.stage = Stage::Queue { pending, ticket, since: Instant::now(), token };
                self.keep(task);
            }
            Err(error) => self.without_permit(task, error),
        }
    }

    fn admitted(&mut self, mut task: Task) {
        if let Stage::Queue { pending, since, token, .. } = std::mem::replace(&mut task.stage, Stage::Moving)
        {
            match self.inner.pool.claim(pending, since.elapsed()) {
                Ok(permit) => self.begin(task, permit, token),
                Err(error) => self.without_permit(task, error),
            }
        }
    }

    fn without_permit(&mut self, mut task: Task, error: Error) {
        let error = task.submission.call.without_permit(&self.inner.store, error);
        self.fail(task, error);
    }

    fn begin(&mut self, mut task: Task, mut permit: OwnedPermit, token: Option<Token>) {
        let store = &self.inner.store;
        let request = std::mem::take(&mut task.submission.request);
        let begun = permit.begin(request, token.as_ref(), store.buffer());
        let deadline = task.submission.call.begin_attempt(store, Instant::now());
        let slot = permit.slot().map(|slot| slot.number());
        task.stage = Stage::Wire { permit, token, deadline };
        match (begun, slot) {
            (Ok(Ok(())), Some(slot)) => {
                self.by_slot.insert(slot, task.submission.part.number());
                self.step(task, None);
            }
            (Ok(Ok(())), None) => self.attempt_ended(task, Err(lost())),
            (Ok(Err(fault)), _) => self.attempt_ended(task, Err(fault)),
            (Err(error), _) => self.without_permit(task, error),
        }
    }

    /// Goes on with an attempt as far as it goes without waiting.
    fn step(&mut self, mut task: Task, ready: Option<Ready>) {
        let Stage::Wire { permit, .. } = &mut task.stage else { return self.keep(task) };
        let Some(slot) = permit.slot() else { return self.attempt_ended(task, Err(lost())) };
        match slot.step(ready) {
            Some(result) => self.attempt_ended(task, result),
            None => match slot.watch(self.poller) {
                Ok(()) => self.keep(task),
                Err(fault) => self.attempt_ended(task, Err(fault)),
            },
        }
    }

    fn attempt_ended(&mut self, mut task: Task, result: std::result::Result<u16, TransferError>) {
        let Stage::Wire { mut permit, token, .. } = std::mem::replace(&mut task.stage, Stage::Moving) else {
            return self.keep(task);
        };
        let Some(slot) = permit.slot() else { return };
        self.by_slot.remove(&slot.number());
        let mut transfer = slot.end(result);
        if slot.is_connected() && self.gives_up_connection(&task, &transfer) {
            Stats::count(&self.inner.store.stats.connections_closed_rebalancing);
            permit.close_connection();
        }
        drop(permit);
        let store = &self.inner.store;
        let request = std::mem::take(&mut transfer.request);
        let call = &mut task.submission.call;
        match call.after_attempt(store, &self.inner.auth, token.as_ref(), transfer) {
            Next::Answered(body) => {
                store.keep_buffer(request);
                self.disarm(&mut task);
                drop(task.counted);
                let Submission { part, call, .. } = *task.submission;
                let queue = part.answered(body, call.attempts(), token);
                self.finished(queue);
            }
            Next::Again(wait) => {
                let wait = match &store.pause {
                    Some(pause) => {
                        pause(wait);
                        Duration::ZERO
                    }
                    None => wait,
                };
                task.submission.request = request;
                task.stage = Stage::Pause { until: Instant::now() + wait };
                self.keep(task);
            }
            Next::Failed(error) => self.fail(task, error),
        }
    }

    /// Whether the connection of a call's last part shall make room for another one, see [`Rebalance`].
    fn gives_up_connection(&mut self, task: &Task, transfer: &Transfer) -> bool {
        let Some(rebalance) = &mut self.rebalance else { return false };
        // A new connection, or a second attempt, makes a call take longer than it will.
        let as_usual = transfer.connections_opened == 0 && task.submission.call.attempts() == 1;
        if !(as_usual && matches!(transfer.result, Ok(200))) {
            return false;
        }
        let completed = task.submission.part.completes(transfer.body.len());
        completed.is_some_and(|(bytes, time)| rebalance.gives_up(bytes, time))
    }

    /// There may be an event in this queue. Who waits for it is told when there are many, or when all that is ready has
    /// been looked at: waking a thread costs more than the rest of a call here does.
    fn finished(&mut self, queue: Arc<EventQueue>) {
        self.unannounced.push(queue);
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

    /// Ends a request that failed, and the others of its call, which are not wanted any more.
    fn fail(&mut self, task: Task, error: Error) {
        let siblings = task.submission.part.siblings();
        self.end(task, error);
        if siblings.end - siblings.start > 1 {
            siblings.for_each(|number| self.end_unwanted(number));
        }
    }

    /// Ends a request without an answer, wherever it is.
    fn end(&mut self, mut task: Task, error: Error) {
        self.disarm(&mut task);
        match std::mem::replace(&mut task.stage, Stage::Moving) {
            Stage::Wire { mut permit, .. } => {
                if let Some(slot) = permit.slot()
                    && self.by_slot.remove(&slot.number()).is_some()
                {
                    let closed = TransferError { kind: TransferErrorKind::Closed, message: String::new() };
                    self.inner.store.record(&slot.end(Err(closed)));
                }
            }
            Stage::Queue { ticket, .. } => drop(self.by_ticket.remove(&ticket)),
            Stage::Moving | Stage::Token | Stage::Pause { .. } => (),
        }
        drop(task.counted);
        let Submission { part, call, .. } = *task.submission;
        let queue = part.failed(call.ended_by(error));
        self.finished(queue);
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        // After a panic: what came before it has happened.
        self.announce();
    }
}

fn lost() -> TransferError {
    TransferError { kind: TransferErrorKind::Refused, message: "a permit without a slot".to_owned() }
}
