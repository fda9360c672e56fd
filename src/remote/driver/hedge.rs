//! Exchanges that go out a second time because their answer is late ([`policy::hedge`](crate::policy::hedge)), and what becomes
//! of the attempt that comes second.

use std::time::{Duration, Instant};

use super::Driver;
use super::task::{OnWire, Stage, Task, Which};
use super::work::Work;
use crate::auth::AtHand;
use crate::error::{Code, Error};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, lock};
use crate::remote::attempt::Attempt;
use crate::remote::call::new_numbers;
use crate::remote::exchange::Exchange;
use crate::transport::Transfer;

/// How long the attempt that comes second may go on: cut off at once, it would cost its connection.
const PATIENCE: Duration = Duration::from_millis(250);

impl Driver<'_> {
    /// When an exchange whose attempt begins now goes out once more, if it does.
    pub(super) fn hedge_at(&self, task: &Task, now: Instant) -> Option<Instant> {
        let hedging = self.inner.hedging.as_ref()?;
        if !matches!(task.work, Work::One(_)) || !task.exchange.may_be_hedged() {
            return None;
        }
        let delay = lock(hedging).delay(task.exchange.rows())?;
        now.checked_add(delay)
    }

    /// The answer is late: the exchange goes out once more, unless that would take a connection from others.
    pub(super) fn hedge(&mut self, mut task: Task, now: Instant) {
        let Stage::Attempt { first, hedge_at, .. } = &mut task.stage else { return self.park(task) };
        *hedge_at = None;
        let (Some(hedging), Some(slot)) = (&self.inner.hedging, first.permit.slot()) else {
            return self.park(task);
        };
        if slot.awaits_address() {
            return self.park(task); // as the second one would
        }
        let store = &self.inner.store;
        let mut body = store.buffer();
        body.extend_from_slice(slot.request());
        let token = match self.inner.auth.at_hand(task.exchange.refused()) {
            Ok(AtHand::Token(token)) => token,
            Ok(AtHand::Stale(token)) => Some(token),
            _ => return self.park(task),
        };
        let servers = &self.inner.servers;
        let exchange = &task.exchange;
        let late = Arc::clone(first.attempt.assignment.server());
        let since = first.attempt.begun;
        let choose = || {
            let chosen = servers.choose_usable(|server| exchange.has_tried(server))?;
            lock(hedging).pay().then_some(chosen).map(|chosen| match Arc::ptr_eq(chosen.server(), &late) {
                true => chosen.on_connection_used_since(since),
                false => chosen,
            })
        };
        let Some((mut permit, assignment)) = self.inner.pool.try_acquire(choose) else {
            Stats::count(&store.stats.hedges_refused);
            store.keep_buffer(body);
            return self.park(task);
        };
        Stats::count(&store.stats.hedges);
        let attempt = task.exchange.begin_hedge(store, assignment, token, now);
        let head = task.exchange.head(attempt.token.as_ref());
        let begun = permit.begin(&head, body, store.buffer(), attempt.deadline, &self.name_listener);
        let number = permit.slot().map(|slot| slot.number());
        if let Stage::Attempt { second, .. } = &mut task.stage {
            *second = Some(Box::new(OnWire { permit, attempt }));
        }
        match (begun, number) {
            (Ok(Ok(())), Some(slot)) => {
                self.by_slot.insert(slot, task.number);
                self.step(task, Which::Second, None);
            }
            (Ok(Err(error)), Some(_)) => self.attempt_ended(task, Which::Second, Err(error)),
            // It was not sent, and the first one goes on.
            _ => {
                if let Stage::Attempt { second, .. } = &mut task.stage {
                    *second = None;
                }
                self.park(task);
            }
        }
    }

    /// How long an attempt took says when the next ones are late.
    pub(super) fn note_latency(&self, task: &Task, attempt: &Attempt, transfer: &Transfer) {
        let Some(hedging) = &self.inner.hedging else { return };
        let superseded = matches!(task.work, Work::Superseded);
        // Without those that were given up the others would seem to be all there are.
        if superseded || (matches!(task.work, Work::One(_)) && matches!(transfer.result, Ok(200))) {
            lock(hedging).record(task.exchange.rows(), attempt.begun.elapsed());
        }
    }

    /// One of two attempts failed: what comes of the other one counts.
    pub(super) fn wait_for_other(
        &mut self,
        mut task: Task,
        other: OnWire,
        failed: &Attempt,
        transfer: Transfer,
    ) {
        task.exchange.after_hedged(self.inner, failed, &transfer);
        self.inner.store.keep_buffer(transfer.request);
        self.inner.store.keep_buffer(transfer.body);
        task.stage = Stage::Attempt { first: other, second: None, hedge_at: None };
        self.park(task);
    }

    /// One of two attempts was answered, after so long: the other one may end in a while.
    pub(super) fn supersede(&mut self, task: &Task, mut other: OnWire, took: Duration) {
        let Some(slot) = other.permit.slot().map(|slot| slot.number()) else { return };
        let number = new_numbers(1).start;
        let now = Instant::now();
        other.attempt.supersede(Deadline::after(now, Some(PATIENCE)), took);
        let exchange = Exchange::new(now, Deadline::NEVER).with_rows(task.exchange.rows());
        let mut superseded = Task::new(number, exchange, Vec::new(), Work::Superseded);
        superseded.stage = Stage::Attempt { first: other, second: None, hedge_at: None };
        self.by_slot.insert(slot, number);
        self.superseded.push_back(number);
        self.park(superseded);
        if !self.by_ticket.is_empty() {
            self.cut_superseded();
        }
    }

    /// Somebody waits for a permit: an attempt that nobody waits for gives its own up.
    pub(super) fn cut_superseded(&mut self) {
        if let Some(number) = self.superseded.pop_front()
            && let Some(task) = self.tasks.remove(&number)
        {
            self.end(task, Error::new(Code::Cancelled, "another attempt was answered"));
        }
    }

    /// An attempt has ended whose exchange was answered by another one.
    pub(super) fn superseded_ended(&mut self, mut task: Task, attempt: &Attempt, transfer: Transfer) {
        self.cancel_timer(&mut task);
        self.superseded.retain(|number| *number != task.number);
        task.exchange.after_hedged(self.inner, attempt, &transfer);
        self.inner.store.keep_buffer(transfer.request);
        self.inner.store.keep_buffer(transfer.body);
    }
}
