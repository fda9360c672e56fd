//! One exchange for several calls: how its answer is cut, and what becomes of the calls when it has none.

use std::time::Instant;

use super::Place;
use crate::error::Error;
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, Ordering};
use crate::remote::call::{Member, new_numbers};
use crate::remote::driver::Driver;
use crate::remote::driver::handle::InFlight;
use crate::remote::driver::task::Task;
use crate::remote::driver::work::{Mergeable, Merged, Work};
use crate::remote::exchange::Exchange;
use crate::remote::merge::{Question, UnderWay};
use crate::remote::origin::Origin;
use crate::timing::Timing;
use crate::wire::answer::cut::cut;
use crate::wire::request::Request;

/// Times that the driver lets others run first while calls join their line.
const MOST_YIELDS: usize = 16;

/// The answers to merged calls, to be handed out when what waited for this exchange is on its way.
pub struct Delivery {
    answers: Vec<(InFlight, Member, Vec<u8>)>,
    timing: Timing,
    origin: Origin,
    calls: usize,
    /// Kept until those who come back at once have had time to join their line.
    under_way: Arc<UnderWay>,
}

impl Driver<'_> {
    /// The exchange of several calls; `None` if there is none, and the calls have been told.
    pub(super) fn merged(
        &mut self,
        number: u64,
        question: &Arc<Question>,
        under_way: Arc<UnderWay>,
        members: Vec<Mergeable>,
        half: bool,
    ) -> Option<Task> {
        let store = &self.inner.store;
        let mut body = store.buffer();
        let requests = members.iter().map(|mergeable| &mergeable.request);
        let request_data = match Request::encode_merged(requests, &mut body) {
            Ok(request_data) => request_data,
            Err(error) => {
                members.into_iter().for_each(|mergeable| self.mergeable_failed(mergeable, error.clone()));
                return None;
            }
        };
        let rows: Vec<usize> = members.iter().map(|mergeable| mergeable.request.rows()).collect();
        Stats::count(&store.stats.requests_merged);
        store.stats.merged_rows.fetch_add(rows.iter().sum::<usize>() as u64, Ordering::Relaxed);
        let deadlines = members.iter().map(|mergeable| mergeable.exchange.deadline());
        let deadline = deadlines.reduce(Deadline::max).unwrap_or(Deadline::NEVER);
        for mergeable in &members {
            self.by_member.insert(mergeable.member.number(), Place::Merged(number));
        }
        let requests = members.iter().map(|mergeable| &mergeable.request);
        let headers = Request::merged_headers(requests);
        let exchange = Exchange::merged(Instant::now(), deadline)
            .with_headers(headers)
            .with_rows(rows.iter().sum())
            .with_request_data(request_data);
        let members = members.into_iter().map(Some).collect();
        let merged = Merged { question: Arc::clone(question), under_way, members, rows, half };
        Some(Task::new(number, exchange, body, Work::Merged(Box::new(merged))))
    }

    /// A merged exchange was answered with an HTTP 200 from there.
    pub(in super::super) fn merged_answered(
        &mut self,
        merged: Merged,
        exchange: &Exchange,
        body: Vec<u8>,
        origin: Origin,
    ) {
        let Some(line) = self.lines.get_mut(&merged.question.number) else { return };
        let rows: usize = merged.rows.iter().sum();
        let cuts = cut(&body, &merged.question.request.with_rows(rows), &merged.rows, &mut line.layout);
        let Ok(cuts) = cuts else { return self.split_merged(merged) };
        line.bytes_a_row = body.len() / rows.max(1);
        line.trust.merged(self.inner.merging.as_ref().is_some_and(|merging| merging.check));
        line.request_ended(merged.rows.len());
        merged.question.took(exchange.attempt_time());
        self.waiting_lines.insert(merged.question.number);
        let calls = merged.rows.len();
        let mut answers = Vec::with_capacity(calls);
        for (mergeable, body) in merged.members.into_iter().zip(cuts) {
            let Some(Mergeable { in_flight, member, timer, .. }) = mergeable else { continue };
            self.timers.reset(member.number(), timer, None);
            self.by_member.remove(&member.number());
            answers.push((in_flight, member, body));
        }
        self.inner.store.stats.calls_merged.fetch_add(answers.len() as u64, Ordering::Relaxed);
        self.inner.store.keep_buffer(body);
        let under_way = merged.under_way;
        self.deliveries.push(Delivery { answers, timing: exchange.timing(), origin, calls, under_way });
    }

    /// Hands out the answers to merged calls, and lets the callers who ask anew at once join their line: with a request a
    /// moment earlier the one half of them would always wait for the other half's.
    pub(in super::super) fn deliver(&mut self) {
        if self.deliveries.is_empty() {
            return;
        }
        let mut under_ways = Vec::new();
        for delivery in std::mem::take(&mut self.deliveries) {
            let Delivery { answers, timing, origin, calls, under_way } = delivery;
            under_ways.push(under_way);
            for (in_flight, member, body) in answers {
                drop(in_flight);
                let queue = member.answered(body, timing, origin.clone(), calls);
                self.ended(queue);
            }
        }
        self.announce();
        // No timer: as soon as nobody comes any more it goes on.
        for _ in 0..MOST_YIELDS {
            std::thread::yield_now();
            if self.accept_some() == 0 {
                break;
            }
        }
    }

    /// A merged exchange failed in a way that concerns all its calls alike.
    pub(in super::super) fn merged_failed(&mut self, merged: Merged, error: &Error) {
        self.waiting_lines.insert(merged.question.number);
        for mergeable in merged.members.into_iter().flatten() {
            self.mergeable_failed(mergeable, error.clone());
        }
    }

    /// A merged exchange was refused, or its answer could not be cut, maybe because of one call: it is tried again in
    /// halves, and these call by call.
    pub(in super::super) fn split_merged(&mut self, merged: Merged) {
        Stats::count(&self.inner.store.stats.merge_splits);
        let Merged { question, under_way, members, half, .. } = merged;
        if let Some(line) = self.lines.get_mut(&question.number) {
            question.unmerge_until(line.quarantine.split(Instant::now()));
        }
        self.waiting_lines.insert(question.number);
        let mut members: Vec<Mergeable> = members.into_iter().flatten().collect();
        if half || members.len() <= 2 {
            return self.start_alone(members, Some(&under_way));
        }
        let second = members.split_off(members.len() / 2);
        for half in [members, second] {
            let number = new_numbers(1).start;
            if let Some(task) = self.merged(number, &question, Arc::clone(&under_way), half, true) {
                self.start(task);
            }
        }
    }
}
