//! Lines of calls that ask the same question and wait for a request of it to end. No timer starts a merged request: the end
//! of another one does, or a place that is free.

mod check;
mod line;
mod merged;

use std::time::Instant;

use super::Driver;
use super::handle::InFlight;
use super::task::{Stage, Task};
use super::work::{Mergeable, One, Work};
use crate::auth::WITHOUT_HOST_TOKEN;
use crate::error::{Code, Error};
use crate::policy::deadline::Deadline;
use crate::policy::merging::Verdict;
use crate::process::sync::Arc;
use crate::remote::call::{Member, new_numbers};
use crate::remote::exchange::Exchange;
use crate::remote::merge::{Question, UnderWay, WaitingFor};
use crate::wire::request::Request;
pub use check::Check;
pub use line::Line;
pub use merged::Delivery;

/// Where a call is that waits to be merged, or has been.
#[derive(Clone, Copy)]
pub enum Place {
    /// In the line of the question with this number.
    Line(u64),
    /// In the merged exchange with this number.
    Merged(u64),
}

impl Driver<'_> {
    /// A call joins its question's line.
    pub(super) fn join(
        &mut self,
        in_flight: InFlight,
        member: Member,
        exchange: Exchange,
        request: Request,
        waiting: WaitingFor,
    ) {
        let question = Arc::clone(waiting.question());
        let (number, timer) = (member.number(), exchange.deadline().at());
        self.timers.reset(number, None, timer);
        self.by_member.insert(number, Place::Line(question.number));
        self.waiting_lines.insert(question.number);
        let merging = self.inner.merging.as_ref();
        let new = || Line::new(question.clone(), merging);
        let line = self.lines.entry(question.number).or_insert_with(new);
        line.members.push_back(Mergeable {
            in_flight,
            member,
            exchange,
            request,
            timer,
            waiting: Some(waiting),
        });
    }

    /// Starts what may go out now, of the question whose first call has waited longest first.
    pub(super) fn dispatch(&mut self) {
        if self.waiting_lines.is_empty() {
            return;
        }
        let mut lines: Vec<(Instant, u64)> = Vec::new();
        for number in std::mem::take(&mut self.waiting_lines) {
            lines.extend(self.lines.get(&number).and_then(Line::oldest).map(|since| (since, number)));
        }
        lines.sort_unstable();
        for (_, number) in lines {
            self.dispatch_line(number);
        }
    }

    fn dispatch_line(&mut self, number: u64) {
        let now = Instant::now();
        let Some(line) = self.lines.get_mut(&number) else { return };
        let question = Arc::clone(&line.question);
        if question.is_unmerged(now) {
            let members = line.members.drain(..).collect::<Vec<_>>();
            self.start_alone(members, None);
        } else if line.starting.is_none()
            && let Some(since) = line.oldest()
        {
            let out_of_patience = now.saturating_duration_since(since) >= question.patience();
            let under_way = question.try_begin().or_else(|| out_of_patience.then(|| question.begin()));
            if let Some(under_way) = under_way {
                let task = new_numbers(1).start;
                line.starting = Some(task);
                // Those who wait have deadlines of their own.
                let exchange = Exchange::merged(now, Deadline::NEVER);
                self.start(Task::new(task, exchange, Vec::new(), Work::Line(question, under_way)));
            }
        }
        self.set_line_timer(number, now);
    }

    /// The driver looks at a line again when its first call runs out of patience, and as long as requests of it are under
    /// way, so that calls need not wake it.
    fn set_line_timer(&mut self, number: u64, now: Instant) {
        let Some(line) = self.lines.get_mut(&number) else { return };
        let patience = line.question.patience();
        let next = match line.oldest() {
            Some(since) => {
                self.waiting_lines.insert(number);
                Some((since + patience).max(now + patience / 2))
            }
            None => (line.question.in_flight() > 0).then(|| now + patience),
        };
        self.timers.reset(number, line.timer, next);
        line.timer = next;
        line.question.set_looked_at(next);
        // Else questions that are asked once would take the room of those that are worth merging.
        if next.is_none() && line.is_untried() {
            self.lines.remove(&number);
        }
    }

    /// The time of a line's timer has come; it is dispatched with the others.
    pub(super) fn line_timer_expired(&mut self, number: u64) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.timer = None;
            self.waiting_lines.insert(number);
            if line.members.is_empty() {
                self.set_line_timer(number, Instant::now());
            }
        }
    }

    /// There is a permit for those who stand in line: the exchange of one of them, or of several; `None` if all have gone
    /// meanwhile.
    pub(super) fn fill(
        &mut self,
        question: &Arc<Question>,
        under_way: UnderWay,
        number: u64,
    ) -> Option<Task> {
        let most_rows = self.inner.merging.as_ref().map_or(1, |merging| merging.max_rows);
        let line = self.lines.get_mut(&question.number)?;
        line.starting = None;
        let verdict = line.trust.verdict();
        // The others wait for the check that is under way: without an outcome they could only go out one by one.
        let waits_for_check = verdict == Verdict::Check && line.checks > 0;
        let mut members = line.take(if waits_for_check { 1 } else { most_rows });
        for member in &members {
            self.inner.store.stats.merge_wait.record(member.exchange.start().elapsed());
        }
        let under_way = Arc::new(under_way);
        self.set_line_timer(question.number, Instant::now());
        if members.len() > 1 && verdict == Verdict::Merge {
            return self.merged(number, question, under_way, members, false);
        }
        if members.len() > 1 && verdict == Verdict::Check {
            members = self.begin_check(question, &under_way, members);
        }
        // Those behind the first get permits of their own.
        let behind = members.split_off(members.len().min(1));
        let first = members.pop()?;
        self.start_alone(behind, Some(&under_way));
        self.alone(first, Some(under_way))
    }

    /// Starts each of these calls by itself.
    pub(super) fn start_alone(&mut self, members: Vec<Mergeable>, under_way: Option<&Arc<UnderWay>>) {
        for member in members {
            if let Some(task) = self.alone(member, under_way.cloned()) {
                self.start(task);
            }
        }
    }

    /// The exchange of one call alone; `None` if there is none, and the call has been told.
    pub(super) fn alone(&mut self, mergeable: Mergeable, under_way: Option<Arc<UnderWay>>) -> Option<Task> {
        let Mergeable { in_flight, member, exchange, request, timer, .. } = mergeable;
        let number = member.number();
        self.timers.reset(number, timer, None);
        self.by_member.remove(&number);
        let mut body = self.inner.store.buffer();
        let exchange = match request.encode(&mut body) {
            Ok(request_data) => exchange.with_request_data(request_data),
            Err(error) => {
                self.member_failed(in_flight, member, error);
                return None;
            }
        };
        let work = Work::One(One { in_flight, member, under_way, check: None });
        Some(Task::new(number, exchange, body, work))
    }

    /// A call that waits to be merged, or has been.
    pub(super) fn mergeable(&self, number: u64) -> Option<&Mergeable> {
        match self.by_member.get(&number)? {
            Place::Line(line) => self.lines.get(line)?.find(number),
            Place::Merged(task) => match &self.tasks.get(task)?.work {
                Work::Merged(merged) => merged.find(number),
                _ => None,
            },
        }
    }

    /// A call that waits to be merged, or has been, waits no longer.
    pub(super) fn leave(&mut self, number: u64, error: impl FnOnce(&mut Self, &Exchange, Place) -> Error) {
        let Some(&place) = self.by_member.get(&number) else { return };
        let left = match place {
            Place::Line(line) => self.lines.get_mut(&line).and_then(|line| line.remove(number)),
            Place::Merged(task) => self.tasks.get_mut(&task).and_then(|task| match &mut task.work {
                Work::Merged(merged) => merged.remove(number),
                _ => None,
            }),
        };
        let Some(mergeable) = left else { return };
        let error = error(self, &mergeable.exchange, place);
        self.mergeable_failed(mergeable, error);
        self.end_if_empty(place);
    }

    /// Nobody waits for an exchange that all have left.
    fn end_if_empty(&mut self, place: Place) {
        let empty = match place {
            Place::Line(line) => self.lines.get_mut(&line).and_then(|line| match line.members.is_empty() {
                true => line.starting.take(),
                false => None,
            }),
            Place::Merged(number) => self.tasks.get(&number).and_then(|task| match &task.work {
                Work::Merged(merged) if merged.is_empty() => Some(number),
                _ => None,
            }),
        };
        if let Some(task) = empty.and_then(|number| self.tasks.remove(&number)) {
            let why = Error::new(Code::Cancelled, "all calls of a merged request have ended");
            self.end(task, why);
        }
    }

    /// Tells a call that waited to be merged, or has been, that it has failed.
    pub(super) fn mergeable_failed(&mut self, mergeable: Mergeable, error: Error) {
        let Mergeable { in_flight, member, timer, .. } = mergeable;
        self.timers.reset(member.number(), timer, None);
        self.member_failed(in_flight, member, error);
    }

    /// The time of a call that waits to be merged, or has been, is up.
    pub(super) fn member_timed_out(&mut self, number: u64) {
        self.leave(number, |driver, call, place| {
            let store = &driver.inner.store;
            let task = match place {
                Place::Line(line) => driver.lines.get(&line).and_then(|line| line.starting),
                Place::Merged(task) => Some(task),
            };
            let Some(task) = task.and_then(|task| driver.tasks.get_mut(&task)) else {
                let why = "the time was up while the call waited to be merged with others (merge_max_rows)";
                return call.waited_in_vain(store, Error::new(Code::Timeout, why));
            };
            let error = match &mut task.stage {
                Stage::Permit { .. } => driver.inner.pool.overloaded(),
                Stage::Token => {
                    let why = "the time was up while waiting for a token from the identity provider";
                    Error::new(Code::Timeout, why)
                }
                Stage::HostToken => task.exchange.refused_or(Error::new(Code::Timeout, WITHOUT_HOST_TOKEN)),
                Stage::Attempt { first, .. } => match first.permit.slot() {
                    Some(slot) => slot.timed_out().into_error(),
                    None => super::task::without_slot().into_error(),
                },
                Stage::Transition | Stage::Backoff { .. } => {
                    Error::new(Code::Timeout, "the time was up before the next attempt of a merged request")
                }
            };
            task.exchange.left_by(call, store, error)
        });
    }

    /// All calls that stand in a line fail.
    pub(super) fn fail_line(&mut self, number: u64, error: &Error) {
        let Some(line) = self.lines.get_mut(&number) else { return };
        line.starting = None;
        for mergeable in line.members.drain(..).collect::<Vec<_>>() {
            self.mergeable_failed(mergeable, error.clone());
        }
    }
}
