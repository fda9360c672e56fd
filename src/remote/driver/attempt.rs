//! An exchange's attempts on the wire, and what becomes of it afterwards.

use std::time::{Duration, Instant};

use super::Driver;
use super::handle::Submission;
use super::task::{Stage, Task, without_slot};
use crate::auth::Token;
use crate::error::Error;
use crate::observe::statistics::Stats;
use crate::remote::exchange::Next;
use crate::transport::{OwnedPermit, Ready, Transfer, TransferError, TransferErrorKind};

impl Driver<'_> {
    pub(super) fn begin(&mut self, mut task: Task, mut permit: OwnedPermit, token: Option<Token>) {
        let store = &self.inner.store;
        let request = std::mem::take(&mut task.submission.request);
        let begun = permit.begin(request, token.as_ref(), store.buffer());
        let deadline = task.submission.exchange.begin_attempt(store, Instant::now());
        let slot = permit.slot().map(|slot| slot.number());
        task.stage = Stage::Attempt { permit, token, deadline };
        match (begun, slot) {
            (Ok(Ok(())), Some(slot)) => {
                self.by_slot.insert(slot, task.number());
                self.step(task, None);
            }
            (Ok(Ok(())), None) => self.attempt_ended(task, Err(without_slot())),
            (Ok(Err(error)), _) => self.attempt_ended(task, Err(error)),
            (Err(error), _) => self.without_permit(task, error),
        }
    }

    /// Goes on with an attempt as far as it goes without waiting.
    pub(super) fn step(&mut self, mut task: Task, ready: Option<Ready>) {
        let Stage::Attempt { permit, .. } = &mut task.stage else { return self.park(task) };
        let Some(slot) = permit.slot() else { return self.attempt_ended(task, Err(without_slot())) };
        match slot.step(ready) {
            Some(result) => self.attempt_ended(task, result),
            None => match slot.watch(self.poller) {
                Ok(()) => self.park(task),
                Err(error) => self.attempt_ended(task, Err(error)),
            },
        }
    }

    pub(super) fn attempt_ended(&mut self, mut task: Task, result: Result<u16, TransferError>) {
        let Stage::Attempt { mut permit, token, .. } = std::mem::replace(&mut task.stage, Stage::Transition)
        else {
            return self.park(task);
        };
        let Some(slot) = permit.slot() else { return };
        self.by_slot.remove(&slot.number());
        let mut transfer = slot.end(result);
        if slot.is_connected() && self.closes_connection(&task, &transfer) {
            Stats::count(&self.inner.store.stats.connections_closed_rebalancing);
            permit.close_connection();
        }
        drop(permit);
        let store = &self.inner.store;
        let request = std::mem::take(&mut transfer.request);
        match task.submission.exchange.after_attempt(store, &self.inner.auth, token.as_ref(), transfer) {
            Next::Answered(body) => {
                store.keep_buffer(request);
                self.cancel_timer(&mut task);
                drop(task.in_flight);
                let Submission { member, exchange, .. } = *task.submission;
                let queue = member.answered(body, exchange.attempts(), token);
                self.ended(queue);
            }
            Next::Retry(wait) => {
                let wait = match &store.pause {
                    Some(pause) => {
                        pause(wait);
                        Duration::ZERO
                    }
                    None => wait,
                };
                task.submission.request = request;
                task.stage = Stage::Backoff { until: Instant::now() + wait };
                self.park(task);
            }
            Next::Failed(error) => self.fail(task, error),
        }
    }

    /// Whether the connection of a call's last part shall make room for another one, see
    /// [`Rebalance`](crate::policy::rebalance::Rebalance).
    fn closes_connection(&mut self, task: &Task, transfer: &Transfer) -> bool {
        let Some(rebalance) = &mut self.rebalance else { return false };
        // A new connection, or a second attempt, makes a call take longer than it will.
        let as_usual = transfer.connections_opened == 0 && task.submission.exchange.attempts() == 1;
        if !(as_usual && matches!(transfer.result, Ok(200))) {
            return false;
        }
        let completed = task.submission.member.completes(transfer.body.len());
        completed.is_some_and(|(bytes, time)| rebalance.gives_up(bytes, time))
    }

    /// Ends an exchange that failed, and the others of its call, which are not wanted any more.
    pub(super) fn fail(&mut self, task: Task, error: Error) {
        let siblings = task.submission.member.siblings();
        self.end(task, error);
        if siblings.end - siblings.start > 1 {
            siblings.for_each(|number| self.end_if_abandoned(number));
        }
    }

    /// Ends an exchange without an answer, wherever it is.
    pub(super) fn end(&mut self, mut task: Task, error: Error) {
        self.cancel_timer(&mut task);
        match std::mem::replace(&mut task.stage, Stage::Transition) {
            Stage::Attempt { mut permit, .. } => {
                if let Some(slot) = permit.slot()
                    && self.by_slot.remove(&slot.number()).is_some()
                {
                    let closed = TransferError { kind: TransferErrorKind::Closed, message: String::new() };
                    self.inner.store.record(&slot.end(Err(closed)));
                }
            }
            Stage::Permit { ticket, .. } => drop(self.by_ticket.remove(&ticket)),
            Stage::Transition | Stage::Token | Stage::Backoff { .. } => (),
        }
        drop(task.in_flight);
        let Submission { member, exchange, .. } = *task.submission;
        let queue = member.failed(exchange.ended_by(error));
        self.ended(queue);
    }
}
