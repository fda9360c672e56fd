//! Who may go on the wire: at most `capacity` calls at once, the others in the order in which they came, as long as that serves
//! them.
//!
//! When more calls come than can be answered, the one that has waited longest always has just too little time left, and in the order
//! of arrival nearly none would be answered. So a call that cannot be answered in the time that it has left is refused; and if the
//! first in the queue has less than most attempts take, the one that came last goes first, which has the most. As soon as the first
//! one's time is enough again, it is its turn: there is no mode to fall into or to get out of.
//!
//! Only calls that have waited are refused. Who comes while a permit is free gets it, whatever is expected, and
//! so it is found out that a server has recovered.
//!
//! A plain state machine under its owner's lock; the clock is an argument. It neither blocks nor wakes anybody; it says whom to wake.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::attempt_times::{AttemptTimes, Attempted, Expected};
use super::deadline::Deadline;

/// A waiting call, named by its owner; each number is larger than the one before.
pub type Ticket = u64;

/// What a call asks a permit for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// By when it has to be answered.
    pub deadline: Deadline,
    /// Rows that it asks for, 0 if that is not known. `None`: how long others took says nothing of it.
    pub rows: Option<usize>,
}

impl Claim {
    /// Of a call that is not like the others.
    pub const UNLIKE_OTHERS: Claim = Claim { deadline: Deadline::NEVER, rows: None };
}

/// A call has too little time left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it has left.
    pub left: Duration,
    /// What calls like it have lately taken at least.
    pub least: Duration,
}

/// What comes of a permit that was given back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Has been admitted in its stead: wake it.
    pub next: Option<Ticket>,
    /// Have left the queue: tell them.
    pub refused: Vec<(Ticket, Refusal)>,
}

/// The state of the semaphore.
#[derive(Debug)]
pub struct Admission {
    capacity: usize,
    admitted: usize,
    waiting: VecDeque<(Ticket, Claim)>,
    times: AttemptTimes,
}

/// How much time a waiting call has left.
enum Left {
    Enough,
    /// It may be answered.
    Little,
    TooLittle(Refusal),
}

impl Admission {
    /// An empty semaphore.
    pub fn new(capacity: usize) -> Admission {
        Admission { capacity, admitted: 0, waiting: VecDeque::new(), times: AttemptTimes::default() }
    }

    /// Asks for a permit: `true` if it is had at once, else the ticket stands at the end of the queue until
    /// [`release`](Admission::release) names it or [`cancel`](Admission::cancel) withdraws it.
    pub fn acquire(&mut self, ticket: Ticket, claim: Claim) -> bool {
        // A permit that falls free goes straight to one in the queue, so a free one means no queue.
        if self.admitted < self.capacity {
            self.admitted += 1;
            return true;
        }
        self.waiting.push_back((ticket, claim));
        false
    }

    /// An attempt of an admitted call has ended.
    pub fn record(&mut self, attempted: Attempted) {
        self.times.record(attempted);
    }

    /// Gives a permit back.
    pub fn release(&mut self, now: Instant) -> Released {
        let mut released = Released::default();
        while let Some(&(ticket, claim)) = self.waiting.front() {
            match self.left(claim, now) {
                Left::Enough => {
                    self.waiting.pop_front();
                    released.next = Some(ticket);
                }
                Left::TooLittle(refusal) => {
                    self.waiting.pop_front();
                    released.refused.push((ticket, refusal));
                    continue;
                }
                Left::Little => released.next = self.newest(now, &mut released.refused),
            }
            return released;
        }
        self.admitted -= 1;
        released
    }

    /// The last one that may be answered; the first may.
    fn newest(&mut self, now: Instant, refused: &mut Vec<(Ticket, Refusal)>) -> Option<Ticket> {
        loop {
            let (ticket, claim) = self.waiting.pop_back()?;
            match self.left(claim, now) {
                Left::TooLittle(refusal) => refused.push((ticket, refusal)),
                Left::Enough | Left::Little => return Some(ticket),
            }
        }
    }

    fn left(&self, claim: Claim, now: Instant) -> Left {
        let expected = claim.rows.and_then(|rows| self.times.expected(rows));
        match claim.deadline.remaining(now).zip(expected) {
            Some((left, Expected { least, .. })) if left < least => Left::TooLittle(Refusal { left, least }),
            Some((left, Expected { enough, .. })) if left < enough => Left::Little,
            _ => Left::Enough,
        }
    }

    /// Withdraws a ticket from the queue; `false` if it had been admitted meanwhile and has a permit to release.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        match self.waiting.binary_search_by_key(&ticket, |(waiting, _)| *waiting) {
            Ok(at) => {
                self.waiting.remove(at);
                true
            }
            Err(_) => false,
        }
    }

    /// Calls with a permit.
    pub fn admitted(&self) -> usize {
        self.admitted
    }

    /// Calls in the queue.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests;
