//! The calls that ask one question and wait for their turn, and what is known of the question.

use std::collections::VecDeque;
use std::time::Instant;

use crate::policy::merging::{InFlightLimit, Quarantine, Trust};
use crate::process::sync::Arc;
use crate::remote::driver::work::Mergeable;
use crate::remote::merge::{Merging, Question};
use crate::wire::answer::frame::Layout;

/// Bytes of entities in a merged request, and bytes of its answer as far as can be told, at most.
const MOST_BYTES: usize = 1 << 20;

/// See the module.
pub struct Line {
    pub question: Arc<Question>,
    pub members: VecDeque<Mergeable>,
    /// The exchange that will take them when it has a permit.
    pub starting: Option<u64>,
    pub trust: Trust,
    pub limit: InFlightLimit,
    pub quarantine: Quarantine,
    /// Checks under way.
    pub checks: usize,
    /// As it stands in the driver's timers.
    pub timer: Option<Instant>,
    /// Of the last answer.
    pub layout: Layout,
    pub bytes_a_row: usize,
}

impl Line {
    /// Nobody waits.
    pub fn new(question: Arc<Question>, merging: Option<&Merging>) -> Line {
        Line {
            question,
            members: VecDeque::new(),
            starting: None,
            trust: Trust::new(merging.is_some_and(|merging| merging.check)),
            limit: InFlightLimit::new(merging.map_or(0, |merging| merging.in_flight)),
            quarantine: Quarantine::default(),
            checks: 0,
            timer: None,
            layout: Layout::default(),
            bytes_a_row: 0,
        }
    }

    /// Whether nothing is known of its question that must not be forgotten.
    pub fn is_untried(&self) -> bool {
        self.trust.is_untried() && self.quarantine.is_untried()
    }

    /// Since when the first one waits.
    pub fn oldest(&self) -> Option<Instant> {
        self.members.front().map(|first| first.exchange.start())
    }

    /// A call that stands in it.
    pub fn find(&self, number: u64) -> Option<&Mergeable> {
        self.members.iter().find(|mergeable| mergeable.member.number() == number)
    }

    /// Takes out a call.
    pub fn remove(&mut self, number: u64) -> Option<Mergeable> {
        let at = self.members.iter().position(|mergeable| mergeable.member.number() == number)?;
        self.members.remove(at)
    }

    /// Takes out the first ones, as many as may go out in one request.
    pub fn take(&mut self, most_rows: usize) -> Vec<Mergeable> {
        let (mut rows, mut bytes, mut count) = (0, 0, 0);
        for mergeable in &self.members {
            rows += mergeable.request.rows();
            bytes += mergeable.request.entity_bytes();
            if count > 0 && (rows > most_rows || bytes > MOST_BYTES || rows * self.bytes_a_row > MOST_BYTES) {
                break;
            }
            count += 1;
        }
        let mut taken: Vec<Mergeable> = self.members.drain(..count).collect();
        taken.iter_mut().for_each(|mergeable| mergeable.waiting = None);
        taken
    }

    /// Puts calls that were taken out back in front.
    pub fn put_back(&mut self, members: Vec<Mergeable>) {
        for mut mergeable in members.into_iter().rev() {
            mergeable.waiting = Some(self.question.wait());
            self.members.push_front(mergeable);
        }
    }

    /// A request for so many calls has ended.
    pub fn request_ended(&mut self, calls: usize) {
        let calls = calls + self.question.take_answered_alone();
        self.limit.request_ended(calls, Instant::now());
        self.question.set_limit(self.limit.get());
    }
}
