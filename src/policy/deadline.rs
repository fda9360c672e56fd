//! One moment by which a call must have returned; everything a call waits for is given what is left of it.

use std::time::{Duration, Instant};

/// A point on the monotonic clock, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// It never comes.
    pub const NEVER: Deadline = Deadline(None);

    /// `timeout` from `now`; `None`, and what lies beyond the clock's range, is never.
    pub fn after(now: Instant, timeout: Option<Duration>) -> Deadline {
        Deadline(timeout.and_then(|timeout| now.checked_add(timeout)))
    }

    /// This moment.
    pub fn by(at: Instant) -> Deadline {
        Deadline(Some(at))
    }

    /// So many milliseconds from now.
    pub fn in_milliseconds(milliseconds: u64) -> Deadline {
        Deadline::after(Instant::now(), Some(Duration::from_millis(milliseconds)))
    }

    /// When it comes, if it does.
    pub fn at(self) -> Option<Instant> {
        self.0
    }

    /// What is left; zero once it has passed, `None` if it never comes.
    pub fn remaining(self, now: Instant) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(now))
    }

    /// Whether it has come.
    pub fn passed(self, now: Instant) -> bool {
        self.0.is_some_and(|at| at <= now)
    }

    /// The later of the two.
    pub fn max(self, other: Deadline) -> Deadline {
        Deadline(self.0.zip(other.0).map(|(a, b)| a.max(b)))
    }

    /// The earlier of the two.
    pub fn min(self, other: Deadline) -> Deadline {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Deadline(Some(a.min(b))),
            (a, b) => Deadline(a.or(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_counts_down_and_stops_at_zero() {
        let start = Instant::now();
        let deadline = Deadline::after(start, Some(Duration::from_millis(100)));
        assert_eq!(deadline.remaining(start + Duration::from_millis(30)), Some(Duration::from_millis(70)));
        assert_eq!(deadline.remaining(start + Duration::from_secs(9)), Some(Duration::ZERO));
        assert!(!deadline.passed(start + Duration::from_millis(99)));
        assert!(deadline.passed(start + Duration::from_millis(100)));
    }

    #[test]
    fn a_timeout_beyond_the_clock_is_never() {
        let deadline = Deadline::after(Instant::now(), Some(Duration::MAX));
        assert_eq!(deadline.remaining(Instant::now()), None);
    }

    #[test]
    fn the_earlier_deadline_wins_and_never_loses() {
        let now = Instant::now();
        let soon = Deadline::after(now, Some(Duration::from_secs(1)));
        let never = Deadline::after(now, None);
        assert_eq!(soon.min(never), soon);
        assert_eq!(never.min(soon), soon);
        assert_eq!(never.min(never), never);
    }
}
