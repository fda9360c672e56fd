//! An exchange's attempts on the wire, and what becomes of it afterwards.

use std::time::{Duration, Instant};

use super::Driver;
use super::handle::InFlight;
use super::task::{OnWire, Stage, Task, Which, without_slot};
use super::work::{One, Work};
use crate::auth::Token;
use crate::error::Error;
use crate::observe::statistics::Stats;
use crate::remote::call::Member;
use crate::remote::exchange::Next;
use crate::remote::origin::Origin;
use crate::servers::Assignment;
use crate::transport::{OwnedPermit, Ready, Transfer, TransferError, TransferErrorKind};

impl Driver<'_> {
    pub(super) fn begin(
        &mut self,
        mut task: Task,
        mut permit: OwnedPermit,
        assignment: Assignment,
        token: Option<Token>,
    ) {
        if let Work::Line(question, under_way) = task.work {
            let Some(filled) = self.fill(&question, under_way, task.number) else { return };
            task = filled;
        }
        let store = &self.inner.store;
        let mut body = std::mem::take(&mut task.body);
        task.exchange.place_request_data(store, &mut body);
        let now = Instant::now();
        let attempt = task.exchange.begin_attempt(store, assignment, token, now);
        let head = task.exchange.head(attempt.token.as_ref());
        let begun = permit.begin(&head, body, store.buffer(), attempt.deadline, &self.name_listener);
        let slot = permit.slot().map(|slot| slot.number());
        let hedge_at = self.hedge_at(&task, now);
        task.stage = Stage::Attempt { first: OnWire { permit, attempt }, second: None, hedge_at };
        match (begun, slot) {
            (Ok(Ok(())), Some(slot)) => {
                self.by_slot.insert(slot, task.number);
                self.step(task, Which::First, None);
            }
            (Ok(Ok(())), None) => self.attempt_ended(task, Which::First, Err(without_slot())),
            (Ok(Err(error)), _) => self.attempt_ended(task, Which::First, Err(error)),
            (Err(error), _) => self.without_permit(task, error),
        }
    }

    /// Goes on with an attempt as far as it goes without waiting.
    pub(super) fn step(&mut self, mut task: Task, which: Which, ready: Option<Ready>) {
        let on_wire = match (&mut task.stage, which) {
            (Stage::Attempt { first, .. }, Which::First) => first,
            (Stage::Attempt { second: Some(second), .. }, Which::Second) => &mut **second,
            _ => return self.park(task),
        };
        let Some(slot) = on_wire.permit.slot() else {
            return self.attempt_ended(task, which, Err(without_slot()));
        };
        match slot.step(ready) {
            Some(result) => self.attempt_ended(task, which, result),
            None => match slot.watch(self.poller) {
                Ok(()) => self.park(task),
                Err(error) => self.attempt_ended(task, which, Err(error)),
            },
        }
    }

    /// Attempts that waited for an address go on, if it has come.
    pub(super) fn looked_up(&mut self) {
        let mut slots: Vec<(u32, u64)> = self.by_slot.iter().map(|(slot, number)| (*slot, *number)).collect();
        slots.sort_unstable();
        for (slot, number) in slots {
            let Some(mut task) = self.tasks.remove(&number) else { continue };
            let which = task.which(slot);
            if task.awaits_address(which) {
                self.step(task, which, None);
            } else {
                self.tasks.insert(number, task);
            }
        }
    }

    pub(super) fn attempt_ended(&mut self, mut task: Task, which: Which, result: Result<u16, TransferError>) {
        let (ended, other) = match (std::mem::replace(&mut task.stage, Stage::Transition), which) {
            (Stage::Attempt { first, second, .. }, Which::First) => (first, second.map(|second| *second)),
            (Stage::Attempt { first, second: Some(second), .. }, Which::Second) => (*second, Some(first)),
            (stage, _) => {
                task.stage = stage;
                return self.park(task);
            }
        };
        let OnWire { mut permit, attempt } = ended;
        let Some(slot) = permit.slot() else { return };
        self.by_slot.remove(&slot.number());
        let mut transfer = slot.end(result);
        if slot.is_connected() && self.closes_connection(&task, &transfer) {
            Stats::count(&self.inner.store.stats.connections_closed_rebalancing);
            permit.close_connection();
        }
        if !matches!(task.work, Work::Superseded) {
            permit.note(task.exchange.attempted(attempt.begun.elapsed(), &transfer));
        }
        drop(permit);
        self.note_latency(&task, &attempt, &transfer);
        if matches!(task.work, Work::Superseded) {
            return self.superseded_ended(task, &attempt, transfer);
        }
        if let Some(other) = other {
            // The first good answer counts: another end waits for the other attempt's.
            if !task.exchange.is_answered_by(&transfer) {
                return self.wait_for_other(task, other, &attempt, transfer);
            }
            if which == Which::Second {
                Stats::count(&self.inner.store.stats.hedges_won);
            }
            self.supersede(&task, other, attempt.begun.elapsed());
        }
        let store = &self.inner.store;
        let request = std::mem::take(&mut transfer.request);
        match task.exchange.after_attempt(self.inner, attempt, transfer) {
            Next::Answered(body, origin) => {
                store.keep_buffer(request);
                self.answered(task, body, origin);
            }
            Next::Retry(wait) => {
                let wait = match &store.pause {
                    Some(pause) => {
                        pause(wait);
                        Duration::ZERO
                    }
                    None => wait,
                };
                task.body = request;
                task.stage = Stage::Backoff { until: Instant::now() + wait };
                self.park(task);
            }
            Next::Failed { splits: true, .. } => self.split(task),
            Next::Failed { error, .. } => self.fail(task, error),
        }
    }

    fn answered(&mut self, mut task: Task, body: Vec<u8>, origin: Origin) {
        self.cancel_timer(&mut task);
        let timing = task.exchange.timing();
        match task.work {
            Work::One(one) => {
                self.one_answered(&one, &task.exchange, &body);
                let One { in_flight, member, under_way, .. } = one;
                // Who hears of the end and asks anew at once is alone again.
                drop((in_flight, under_way));
                let queue = member.answered(body, timing, origin, 1);
                self.ended(queue);
            }
            Work::Merged(merged) => self.merged_answered(*merged, &task.exchange, body, origin),
            Work::Check(probe) => self.probe_answered(*probe, &body),
            Work::Line(..) | Work::Superseded => (),
        }
    }

    /// A merged exchange was refused, maybe because of one of its calls.
    fn split(&mut self, mut task: Task) {
        self.cancel_timer(&mut task);
        match task.work {
            Work::Merged(merged) => self.split_merged(*merged),
            Work::Check(probe) => self.probe_refused(&probe),
            Work::One(_) | Work::Line(..) | Work::Superseded => (),
        }
    }

    /// Whether the connection of a call's last part shall make room for another one, see
    /// [`Rebalance`](crate::policy::rebalance::Rebalance).
    fn closes_connection(&mut self, task: &Task, transfer: &Transfer) -> bool {
        let Some(rebalance) = &mut self.rebalance else { return false };
        // A new connection, or a second attempt, makes a call take longer than it will.
        let as_usual = transfer.connections_opened == 0 && task.exchange.attempts() == 1;
        if !(as_usual && matches!(transfer.result, Ok(200))) {
            return false;
        }
        let completed = task.one().and_then(|one| one.member.completes(transfer.body.len()));
        completed.is_some_and(|(bytes, time)| rebalance.gives_up(bytes, time))
    }

    /// Ends an exchange that failed, and the others of its call, which are not wanted any more.
    pub(super) fn fail(&mut self, task: Task, error: Error) {
        let siblings = task.one().map_or(0..0, |one| one.member.siblings());
        self.end(task, error);
        if siblings.end - siblings.start > 1 {
            siblings.for_each(|number| self.end_if_abandoned(number));
        }
    }

    /// Ends an exchange without an answer, wherever it is.
    pub(super) fn end(&mut self, mut task: Task, error: Error) {
        self.cancel_timer(&mut task);
        match std::mem::replace(&mut task.stage, Stage::Transition) {
            Stage::Attempt { first, second, .. } => {
                for mut on_wire in [first].into_iter().chain(second.map(|second| *second)) {
                    if let Some(slot) = on_wire.permit.slot()
                        && self.by_slot.remove(&slot.number()).is_some()
                    {
                        let closed =
                            TransferError { kind: TransferErrorKind::Closed, message: String::new() };
                        let transfer = slot.end(Err(closed));
                        task.exchange.note_doubt(&transfer);
                        self.inner.store.record(&transfer);
                    }
                }
            }
            Stage::Permit { ticket, .. } => drop(self.by_ticket.remove(&ticket)),
            Stage::Transition | Stage::Token | Stage::HostToken | Stage::Backoff { .. } => (),
        }
        let error = task.exchange.ended_by(error);
        match task.work {
            Work::One(one) => self.one_failed(one, error),
            Work::Line(question, _) => self.fail_line(question.number, &error),
            Work::Merged(merged) => self.merged_failed(*merged, &error),
            Work::Check(probe) => self.check_failed(probe.check),
            Work::Superseded => (),
        }
    }

    fn one_failed(&mut self, one: One, error: Error) {
        let One { in_flight, member, check, .. } = one;
        if let Some((check, _)) = check {
            self.check_failed(check);
        }
        self.member_failed(in_flight, member, error);
    }

    /// Tells a call that it has failed.
    pub(super) fn member_failed(&mut self, in_flight: InFlight, member: Member, error: Error) {
        self.by_member.remove(&member.number());
        drop(in_flight);
        let queue = member.failed(error);
        self.ended(queue);
    }
}
