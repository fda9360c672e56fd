//! An exchange at the driver, and what it needs before each attempt: a token first, then a permit.

use std::time::Instant;

use super::Driver;
use super::handle::Command;
use super::work::{One, Work};
use crate::auth::{AtHand, Token, WITHOUT_HOST_TOKEN};
use crate::error::{Code, Error, Result};
use crate::policy::admission::Ticket;
use crate::policy::deadline::Deadline;
use crate::process::panics::contained;
use crate::process::sync::Arc;
use crate::remote::attempt::Attempt;
use crate::remote::exchange::Exchange;
use crate::transport::{Acquire, OwnedPermit, PendingAcquire, TransferError, TransferErrorKind, Worker};

/// An exchange at the driver.
pub struct Task {
    pub number: u64,
    // Dropped before the work: who hears of the exchange's end finds that its permit is free.
    pub stage: Stage,
    pub exchange: Exchange,
    /// The JSON body, while it is not on the wire.
    pub body: Vec<u8>,
    pub work: Work,
    /// As it stands in the driver's timers.
    pub timer: Option<Instant>,
}

/// What an exchange waits for.
#[allow(clippy::large_enum_variant, reason = "moved seldom, and nearly always the larger one")]
pub enum Stage {
    /// Nothing: it is being moved from one stage to another.
    Transition,
    /// A token that is being fetched.
    Token,
    /// A token that the program is to set.
    HostToken,
    /// A permit of the pool.
    Permit { pending: PendingAcquire, ticket: Ticket, since: Instant, token: Option<Token> },
    /// Its answer: from one attempt, or from two at a time, the second of which may begin at `hedge_at`.
    Attempt { first: OnWire, second: Option<Box<OnWire>>, hedge_at: Option<Instant> },
    /// Its next attempt.
    Backoff { until: Instant },
}

/// An attempt on the wire.
pub struct OnWire {
    pub permit: OwnedPermit,
    pub attempt: Attempt,
}

/// One of the attempts of an exchange that are on the wire.
#[derive(Clone, Copy, PartialEq)]
pub enum Which {
    First,
    Second,
}

impl OnWire {
    /// When to look at it although nothing has happened.
    fn next_look(&mut self) -> Option<Instant> {
        let timer = self.permit.slot().and_then(|slot| slot.timer());
        timer.into_iter().chain(self.attempt.deadline.at()).min()
    }
}

impl Task {
    /// Of an exchange that has just come in.
    pub fn new(number: u64, exchange: Exchange, body: Vec<u8>, work: Work) -> Task {
        Task { number, stage: Stage::Transition, exchange, body, work, timer: None }
    }

    /// Until when the exchange may take.
    pub fn deadline(&self) -> Deadline {
        self.exchange.deadline()
    }

    /// The call that it is for, if it is for just one.
    pub fn one(&self) -> Option<&One> {
        match &self.work {
            Work::One(one) => Some(one),
            _ => None,
        }
    }

    /// Which of its attempts has the slot with this number.
    pub fn which(&mut self, slot: u32) -> Which {
        let Stage::Attempt { second: Some(second), .. } = &mut self.stage else { return Which::First };
        let is_its = second.permit.slot().is_some_and(|its| its.number() == slot);
        if is_its { Which::Second } else { Which::First }
    }

    /// Whether one of its attempts waits for an address.
    pub fn awaits_address(&mut self, which: Which) -> bool {
        let on_wire = match (&mut self.stage, which) {
            (Stage::Attempt { first, .. }, Which::First) => first,
            (Stage::Attempt { second: Some(second), .. }, Which::Second) => &mut **second,
            _ => return false,
        };
        on_wire.permit.slot().is_some_and(|slot| slot.awaits_address())
    }

    /// When to look at it although nothing has happened.
    fn next_look(&mut self) -> Option<Instant> {
        match &mut self.stage {
            Stage::Backoff { until } => Some(*until),
            Stage::Attempt { first, second, hedge_at } => {
                let second = second.as_mut().and_then(|second| second.next_look());
                first.next_look().into_iter().chain(second).chain(*hedge_at).min()
            }
            Stage::Transition | Stage::Token | Stage::HostToken | Stage::Permit { .. } => {
                self.deadline().at()
            }
        }
    }
}

/// A permit without the slot that belongs to it: a bug.
pub fn without_slot() -> TransferError {
    TransferError { kind: TransferErrorKind::Refused, message: "a permit without a slot".to_owned() }
}

impl Driver<'_> {
    /// Keeps an exchange until something happens to it.
    pub(super) fn park(&mut self, mut task: Task) {
        let (number, next) = (task.number, task.next_look());
        self.timers.reset(number, task.timer, next);
        task.timer = next;
        self.tasks.insert(number, task);
    }

    pub(super) fn cancel_timer(&mut self, task: &mut Task) {
        self.timers.reset(task.number, task.timer.take(), None);
    }

    /// The time of an exchange's timer has come.
    pub(super) fn timer_expired(&mut self, mut task: Task, now: Instant) {
        let late = task.deadline().passed(now);
        match &mut task.stage {
            Stage::Attempt { first, second, hedge_at } => {
                let second = second.as_deref_mut().map(|second| (Which::Second, second));
                let mut due = None;
                for (which, on_wire) in [Some((Which::First, first)), second].into_iter().flatten() {
                    if due.is_none() && on_wire.next_look().is_some_and(|at| at <= now) {
                        due = Some((which, on_wire));
                    }
                }
                match due {
                    Some((which, on_wire)) if on_wire.attempt.deadline.passed(now) => {
                        let error = on_wire.permit.slot().map(|slot| slot.timed_out());
                        self.attempt_ended(task, which, Err(error.unwrap_or_else(without_slot)));
                    }
                    Some((which, _)) => self.step(task, which, None),
                    None if hedge_at.is_some_and(|at| at <= now) => self.hedge(task, now),
                    None => self.park(task),
                }
            }
            Stage::Backoff { until } if *until <= now => self.start(task),
            Stage::Token if late => {
                let why = "the time was up while waiting for a token from the identity provider";
                self.without_token(task, Error::new(Code::Timeout, why));
            }
            Stage::HostToken if late => {
                self.without_token(task, Error::new(Code::Timeout, WITHOUT_HOST_TOKEN));
            }
            Stage::Permit { pending, since, .. } if late => {
                let error = pending.overloaded(since.elapsed());
                self.without_permit(task, error);
            }
            _ => self.park(task),
        }
    }

    /// Begins an attempt by asking for what it needs.
    pub(super) fn start(&mut self, mut task: Task) {
        let deadline = task.deadline();
        match self.inner.auth.at_hand(task.exchange.refused()) {
            Ok(AtHand::Token(token)) => self.acquire_permit(task, token),
            Ok(AtHand::Stale(token)) => {
                self.fetch_token(deadline);
                self.acquire_permit(task, Some(token));
            }
            Ok(AtHand::Nothing) => {
                self.awaiting_token.push(task.number);
                task.stage = Stage::Token;
                self.park(task);
                self.fetch_token(deadline);
            }
            Ok(AtHand::Awaited) => {
                task.stage = Stage::HostToken;
                self.park(task);
            }
            Err(error) => self.without_token(task, error),
        }
    }

    /// The program has set a token, for which exchanges may wait.
    pub(super) fn token_set(&mut self) {
        let waits = |task: &Task| matches!(task.stage, Stage::HostToken);
        for number in self.in_order() {
            if self.tasks.get(&number).is_some_and(waits)
                && let Some(task) = self.tasks.remove(&number)
            {
                self.start(task);
            }
        }
    }

    /// Fetches a token on a thread of its own, since that may take a while.
    fn fetch_token(&mut self, deadline: Deadline) {
        if self.token_fetch.is_some() {
            return;
        }
        let (inner, handle) = (Arc::clone(self.inner), Arc::clone(self.handle));
        self.token_fetch = Worker::start("feast-token", move || {
            let outcome = contained(|| inner.auth.token(&inner.pool, deadline, None));
            // Before the driver can hear of it, so that it alone holds the pool when it has joined this thread.
            drop(inner);
            handle.send(Command::TokenFetched(outcome));
        });
        if self.token_fetch.is_none() {
            let why = "no thread to be had to fetch a token";
            self.handle.send(Command::TokenFetched(Err(Error::new(Code::Internal, why))));
        }
    }

    pub(super) fn token_fetched(&mut self, outcome: Result<Option<Token>>) {
        if let Some(fetch) = self.token_fetch.take() {
            fetch.join();
        }
        for number in std::mem::take(&mut self.awaiting_token) {
            let Some(task) = self.tasks.remove(&number) else { continue };
            match &outcome {
                Ok(token) => self.acquire_permit(task, token.clone()),
                // The deadline of the exchange that it was fetched for, not of this one.
                Err(error) if error.code == Code::Timeout => self.start(task),
                Err(error) => self.without_token(task, error.clone()),
            }
        }
    }

    fn without_token(&mut self, task: Task, error: Error) {
        let error = task.exchange.without_token(&self.inner.store, error);
        self.fail(task, error);
    }

    fn acquire_permit(&mut self, mut task: Task, token: Option<Token>) {
        let servers = &self.inner.servers;
        let choose = || servers.choose(|server| task.exchange.has_tried(server));
        match self.inner.pool.acquire_queued(&self.listener, task.exchange.claim(), choose) {
            Ok(Acquire::Permit(permit, assignment)) => self.begin(task, permit, assignment, token),
            Ok(Acquire::Pending(pending, ticket)) => {
                self.by_ticket.insert(ticket, task.number);
                task.stage = Stage::Permit { pending, ticket, since: Instant::now(), token };
                self.park(task);
                self.cut_superseded();
            }
            Err(error) => self.without_permit(task, error),
        }
    }

    /// The permit that an exchange waits for has come free.
    pub(super) fn admitted(&mut self, mut task: Task) {
        if let Stage::Permit { pending, since, token, .. } =
            std::mem::replace(&mut task.stage, Stage::Transition)
        {
            let servers = &self.inner.servers;
            let choose = || servers.choose(|server| task.exchange.has_tried(server));
            match self.inner.pool.claim(pending, since.elapsed(), choose) {
                Ok((permit, assignment)) => self.begin(task, permit, assignment, token),
                Err(error) => self.without_permit(task, error),
            }
        }
    }

    /// It has too little time left for a permit.
    pub(super) fn refused(&mut self, mut task: Task) {
        if let Stage::Permit { pending, since, .. } = &mut task.stage {
            let error = pending.overloaded(since.elapsed());
            self.without_permit(task, error);
        }
    }

    pub(super) fn without_permit(&mut self, mut task: Task, error: Error) {
        let error = task.exchange.without_permit(&self.inner.store, error);
        self.fail(task, error);
    }
}
