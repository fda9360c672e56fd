//! Whether calls get merged what they get alone: some are asked for both ways, get what came alone, and the answers are
//! compared. A view of Feast's that ranks its rows, or makes one value for all of them, answers otherwise.

use std::time::Instant;

use crate::observe::log::{self, Level};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::sync::Arc;
use crate::remote::call::new_numbers;
use crate::remote::driver::Driver;
use crate::remote::driver::task::Task;
use crate::remote::driver::work::{Mergeable, One, Probe, Work};
use crate::remote::exchange::Exchange;
use crate::remote::merge::{Question, UnderWay};
use crate::wire::answer::cut::cut;
use crate::wire::answer::frame::Layout;
use crate::wire::request::Request;

/// Calls that are asked for both ways at a time.
const MOST_CALLS: usize = 8;

/// A check under way.
pub struct Check {
    question: Arc<Question>,
    /// Dropped with it: until then it counts as one request.
    _under_way: Arc<UnderWay>,
    rows: Vec<usize>,
    /// What came alone.
    alone: Vec<Option<Vec<u8>>>,
    /// What came merged; inside, `None` if it was refused or cannot be cut.
    merged: Option<Option<Vec<Vec<u8>>>>,
}

impl Driver<'_> {
    /// Begins a check of some of these calls; returns those that it is not about, or all where their rows are the same
    /// and would tell nothing. The others go out alone.
    pub(super) fn begin_check(
        &mut self,
        question: &Arc<Question>,
        under_way: &Arc<UnderWay>,
        mut members: Vec<Mergeable>,
    ) -> Vec<Mergeable> {
        let first = &members[0].request;
        let Some(other) = members.iter().position(|mergeable| !mergeable.request.has_rows_of(first)) else {
            return members;
        };
        members.swap(1, other);
        let rest = members.split_off(members.len().min(MOST_CALLS));
        let mut body = self.inner.store.buffer();
        let requests = members.iter().map(|mergeable| &mergeable.request);
        let Ok(request_data) = Request::encode_merged(requests, &mut body) else {
            members.extend(rest);
            return members;
        };
        let number = new_numbers(1).start;
        let rows: Vec<usize> = members.iter().map(|mergeable| mergeable.request.rows()).collect();
        let deadlines = members.iter().map(|mergeable| mergeable.exchange.deadline());
        let deadline = deadlines.reduce(Deadline::max).unwrap_or(Deadline::NEVER);
        let requests = members.iter().map(|mergeable| &mergeable.request);
        let headers = Request::merged_headers(requests);
        let exchange = Exchange::merged(Instant::now(), deadline)
            .with_headers(headers)
            .with_rows(rows.iter().sum())
            .with_request_data(request_data);
        let check = Check {
            question: Arc::clone(question),
            _under_way: Arc::clone(under_way),
            rows,
            alone: vec![None; members.len()],
            merged: None,
        };
        Stats::count(&self.inner.store.stats.merge_checks);
        self.checks.insert(number, check);
        if let Some(line) = self.lines.get_mut(&question.number) {
            line.checks += 1;
            line.put_back(rest);
            self.waiting_lines.insert(question.number);
        }
        self.start(Task::new(number, exchange, body, Work::Check(Box::new(Probe { check: number }))));
        for (place, mergeable) in members.into_iter().enumerate() {
            if let Some(mut task) = self.alone(mergeable, Some(Arc::clone(under_way))) {
                if let Work::One(one) = &mut task.work {
                    one.check = Some((number, place));
                }
                self.start(task);
            }
        }
        Vec::new()
    }

    /// A call was answered alone; `body` is what came.
    pub(in super::super) fn one_answered(&mut self, one: &One, exchange: &Exchange, body: &[u8]) {
        let Some(under_way) = &one.under_way else { return };
        let question = Arc::clone(under_way.question());
        self.waiting_lines.insert(question.number);
        if let Some(line) = self.lines.get_mut(&question.number) {
            line.request_ended(1);
        }
        question.took(exchange.attempt_time());
        if let Some((number, place)) = one.check
            && let Some(check) = self.checks.get_mut(&number)
        {
            let rows = [check.rows[place]];
            let request = check.question.request.with_rows(rows[0]);
            match cut(body, &request, &rows, &mut Layout::default()) {
                Ok(mut cuts) => {
                    check.alone[place] = cuts.pop();
                    self.finish_check(number);
                }
                // The call will say what is wrong with it.
                Err(_) => self.check_failed(number),
            }
        }
    }

    /// The merged exchange of a check was answered.
    pub(in super::super) fn probe_answered(&mut self, probe: Probe, body: &[u8]) {
        if let Some(check) = self.checks.get_mut(&probe.check) {
            let request = check.question.request.with_rows(check.rows.iter().sum());
            check.merged = Some(cut(body, &request, &check.rows, &mut Layout::default()).ok());
        }
        self.finish_check(probe.check);
    }

    /// The server refused the merged exchange of a check, which is a difference if it takes the calls alone.
    pub(in super::super) fn probe_refused(&mut self, probe: &Probe) {
        if let Some(check) = self.checks.get_mut(&probe.check) {
            check.merged = Some(None);
        }
        self.finish_check(probe.check);
    }

    /// An exchange of a check failed, so that it tells nothing.
    pub(in super::super) fn check_failed(&mut self, number: u64) {
        if let Some(check) = self.checks.remove(&number)
            && let Some(line) = self.lines.get_mut(&check.question.number)
        {
            line.checks -= 1;
            self.waiting_lines.insert(check.question.number);
        }
    }

    fn finish_check(&mut self, number: u64) {
        let ended = |check: &Check| check.merged.is_some() && check.alone.iter().all(|alone| alone.is_some());
        if !self.checks.get(&number).is_some_and(ended) {
            return;
        }
        let Some(check) = self.checks.remove(&number) else { return };
        let alone: Vec<Vec<u8>> = check.alone.into_iter().flatten().collect();
        let same = check.merged.flatten().is_some_and(|merged| merged == alone);
        let Some(line) = self.lines.get_mut(&check.question.number) else { return };
        line.checks -= 1;
        self.waiting_lines.insert(check.question.number);
        if line.trust.checked(same) {
            check.question.refuse();
            Stats::count(&self.inner.store.stats.merge_refused);
            let question = check.question.request.words();
            log::write(Level::Warning, || {
                format!(
                    "{}: calls for {question} are not merged any more (merge_max_rows): merged they were answered \
                     otherwise than alone",
                    self.inner.store.server
                )
            });
        }
    }
}
