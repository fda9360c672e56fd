//! When calls that ask the same question go out as one request. Pure: the times are arguments.

use std::time::{Duration, Instant};

/// Requests after which, and the time after which, what they brought is compared.
const EPOCH_REQUESTS: u32 = 30;
const EPOCH_TIME: Duration = Duration::from_millis(60);
/// Every so many epochs another limit is tried.
const TRIED_EVERY: u32 = 4;
/// How much better a larger limit must be, and how much worse a smaller one may be.
const BETTER: f64 = 1.04;
const NO_WORSE: f64 = 0.98;
/// More requests of one question at once than any server of a few workers gains from.
const LARGEST: usize = 16;

/// How many requests of one question may be under way before calls gather: given, or found by trying the neighbours of
/// the best one known. Few are better until the server has workers to spare, and nobody tells a client how many it has.
#[derive(Debug)]
pub struct InFlightLimit {
    fixed: bool,
    /// The best one known, the one in force, and whether the next trial goes up.
    base: usize,
    now: usize,
    upwards: bool,
    /// Calls a second with the best one.
    base_rate: f64,
    epochs: u32,
    /// Of the epoch at hand.
    since: Option<Instant>,
    requests: u32,
    calls: u64,
}

impl InFlightLimit {
    /// This one, or with 0 one that is found.
    pub fn new(fixed: usize) -> InFlightLimit {
        InFlightLimit {
            fixed: fixed > 0,
            base: fixed.max(1),
            now: fixed.max(1),
            upwards: true,
            base_rate: 0.0,
            epochs: 0,
            since: None,
            requests: 0,
            calls: 0,
        }
    }

    /// The limit in force.
    pub fn get(&self) -> usize {
        self.now
    }

    /// A request has ended, and so many calls with it.
    pub fn request_ended(&mut self, calls: usize, now: Instant) {
        if self.fixed {
            return;
        }
        let since = *self.since.get_or_insert(now);
        self.requests += 1;
        self.calls += calls as u64;
        let time = now.saturating_duration_since(since);
        if self.requests < EPOCH_REQUESTS || time < EPOCH_TIME {
            return;
        }
        let rate = self.calls as f64 / time.as_secs_f64();
        (self.since, self.requests, self.calls) = (Some(now), 0, 0);
        self.epoch_ended(rate);
    }

    fn epoch_ended(&mut self, rate: f64) {
        if self.now != self.base {
            let wanted = if self.now > self.base { BETTER } else { NO_WORSE };
            if rate >= self.base_rate * wanted {
                (self.base, self.base_rate) = (self.now, rate);
            } else {
                self.upwards = !self.upwards;
            }
            self.now = self.base;
            return;
        }
        // What is known of the best one follows the load.
        self.base_rate = if self.base_rate == 0.0 { rate } else { (self.base_rate + rate) / 2.0 };
        self.epochs += 1;
        if self.epochs.is_multiple_of(TRIED_EVERY) {
            self.upwards |= self.base == 1;
            self.upwards &= self.base < LARGEST;
            self.now = if self.upwards { self.base + 1 } else { self.base - 1 };
        }
    }
}

/// Merged answers of a question that must have been the same as the unmerged ones before it is trusted.
const CHECKS: u32 = 2;
/// Merged requests after which a trusted question is looked at again.
const CHECKED_EVERY: u32 = 1000;

/// Whether a question's rows may be asked for together: not every answer of Feast's is made row by row.
#[derive(Debug)]
pub struct Trust {
    state: State,
}

#[derive(Debug)]
enum State {
    /// So many checks have found no difference; whether the last one found one.
    Unknown {
        equal: u32,
        differed: bool,
    },
    Trusted {
        merges: u32,
    },
    Refused,
}

/// What to do with calls that could be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Merge them.
    Merge,
    /// Ask both ways and compare.
    Check,
    /// Ask for each alone.
    Alone,
}

impl Trust {
    /// Of a question of which nothing is known; `checked`: whether that matters.
    pub fn new(checked: bool) -> Trust {
        let state = match checked {
            true => State::Unknown { equal: 0, differed: false },
            false => State::Trusted { merges: 0 },
        };
        Trust { state }
    }

    /// What to do with the next ones.
    pub fn verdict(&self) -> Verdict {
        match self.state {
            State::Unknown { .. } => Verdict::Check,
            State::Trusted { .. } => Verdict::Merge,
            State::Refused => Verdict::Alone,
        }
    }

    /// Whether nothing has been found out.
    pub fn is_untried(&self) -> bool {
        matches!(self.state, State::Unknown { equal: 0, differed: false } | State::Trusted { merges: 0 })
    }

    /// A merged request was sent, of a question that is `checked`.
    pub fn merged(&mut self, checked: bool) {
        if let State::Trusted { merges } = &mut self.state {
            *merges += 1;
            if checked && *merges >= CHECKED_EVERY {
                self.state = State::Unknown { equal: CHECKS - 1, differed: false };
            }
        }
    }

    /// A check has found the answers the same, or not. `true` if the question is refused from now on. Values change, so
    /// one difference is none.
    pub fn checked(&mut self, same: bool) -> bool {
        let State::Unknown { equal, differed } = &mut self.state else { return false };
        if same {
            *equal += 1;
            *differed = false;
            if *equal >= CHECKS {
                self.state = State::Trusted { merges: 0 };
            }
            return false;
        }
        if std::mem::replace(differed, true) {
            self.state = State::Refused;
            return true;
        }
        *equal = 0;
        false
    }
}

/// The first time without merging after a merged request had to be split, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Merging without a split after which the next pause is a first one again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Keeps a question unmerged for a while after one bad row has cost everybody a request.
#[derive(Debug, Default)]
pub struct Quarantine {
    splits: u32,
    until: Option<Instant>,
}

impl Quarantine {
    /// Whether no merged request had to be split.
    pub fn is_untried(&self) -> bool {
        self.splits == 0
    }

    /// A merged request had to be split; until when the question goes unmerged.
    pub fn split(&mut self, now: Instant) -> Instant {
        match self.until {
            // Of requests that were under way together.
            Some(until) if until > now => return until,
            Some(until) if now > until + FORGOTTEN_AFTER => self.splits = 0,
            _ => (),
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.splits.min(6)).min(LONGEST_PAUSE);
        self.splits += 1;
        *self.until.insert(now + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit found where the server brings so many calls a second with each one.
    fn found(rate: impl Fn(usize) -> f64) -> usize {
        let mut limit = InFlightLimit::new(0);
        let mut now = Instant::now();
        for _ in 0..20_000 {
            // A request of ten calls.
            now += Duration::from_secs_f64(10.0 / rate(limit.get()));
            limit.request_ended(10, now);
        }
        limit.base
    }

    #[test]
    fn the_limit_that_brings_most_is_found() {
        assert_eq!(found(|limit| 10_000.0 / limit as f64), 1);
        assert_eq!(found(|limit| 5_000.0 * limit.min(2) as f64), 2);
        assert_eq!(found(|limit| 3_000.0 * limit.min(4) as f64 - 100.0 * limit as f64), 4);
        assert_eq!(found(|_| 5_000.0), 1, "where it makes no difference the smallest one");
        assert_eq!(InFlightLimit::new(3).get(), 3);
    }

    #[test]
    fn a_question_is_trusted_after_equal_answers_and_refused_after_two_different_ones() {
        let mut trust = Trust::new(true);
        assert!(trust.is_untried());
        assert_eq!(trust.verdict(), Verdict::Check);
        assert!(!trust.checked(true) && !trust.checked(true));
        assert_eq!(trust.verdict(), Verdict::Merge);
        (0..1000).for_each(|_| trust.merged(true));
        assert_eq!(trust.verdict(), Verdict::Check, "looked at again");
        assert!(!trust.checked(false), "values change");
        assert!(!trust.checked(true));
        assert!(!trust.checked(false));
        assert!(trust.checked(false));
        assert_eq!(trust.verdict(), Verdict::Alone);
        assert!(!trust.checked(true));
        assert_eq!(trust.verdict(), Verdict::Alone, "for good");
        assert!(!trust.is_untried());
        assert_eq!(Trust::new(false).verdict(), Verdict::Merge);
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_are_forgotten() {
        let mut quarantine = Quarantine::default();
        let mut now = Instant::now();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let until = quarantine.split(now);
            assert_eq!(until - now, Duration::from_secs(seconds));
            assert_eq!(quarantine.split(now), until, "one pause for all that were under way");
            now = until;
        }
        now += Duration::from_secs(11);
        assert_eq!(quarantine.split(now) - now, Duration::from_secs(1));
    }
}
