//! When to try again and how long to wait first. Pure: the clock and the randomness are arguments.
//!
//! Follows what Feast's Python client asks of urllib3 (`Retry(total=3, backoff_factor=0.5,
//! status_forcelist=[429, 500, 502, 503, 504])`), whose rules are in urllib3's `util/retry.py`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Retry-After values above this are cut to it, as urllib3 does.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(21_600);

/// The settings of one store.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub retries: u32,
    /// Seconds; the wait after failure n > 1 is `backoff_factor * 2^(n-1)`.
    pub backoff_factor: f64,
    /// Upper limit of one backoff wait.
    pub backoff_max: Duration,
    /// Share by which a backoff wait is varied up or down, 0 to 1.
    pub jitter: f64,
}

/// What to do after an error that the feature server's application reports itself, by a 500 with words of its own. Nearly
/// always the question is to blame, and the same one gets the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationErrors {
    /// Ask once more, at once.
    Once,
    /// It is final.
    Never,
    /// As after any other 500, which is what Feast's client does.
    Always,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this wait.
    Retry(Duration),
    /// All retries are used up.
    Exhausted,
    /// The wait would end after the deadline, so it is not begun.
    PastDeadline(Duration),
}

impl RetryPolicy {
    /// Decides after failure number `failures` (from 1) of a kind that may be retried, of which the server that was tried
    /// most has had `of_one_server`: the wait is to give that time. `retry_after` is what the server asked for, `random` uniform
    /// in 0..1, `remaining` what the call's deadline leaves.
    pub fn decide(
        &self,
        failures: u32,
        of_one_server: u32,
        retry_after: Option<Duration>,
        random: f64,
        remaining: Option<Duration>,
    ) -> Decision {
        if failures > self.retries {
            return Decision::Exhausted;
        }
        // urllib3 takes a Retry-After of zero for none.
        let wait = match retry_after {
            Some(asked) if !asked.is_zero() => asked.min(RETRY_AFTER_MAX),
            _ => self.backoff(of_one_server, random),
        };
        match remaining {
            Some(remaining) if wait >= remaining => Decision::PastDeadline(wait),
            _ => Decision::Retry(wait),
        }
    }

    /// The wait after failure number `failures`: none after the first, then doubling up to the maximum.
    fn backoff(&self, failures: u32, random: f64) -> Duration {
        if failures <= 1 {
            return Duration::ZERO;
        }
        let exact = self.backoff_factor * f64::from(failures - 1).exp2();
        let varied = exact.min(self.backoff_max.as_secs_f64()) * (1.0 + self.jitter * (2.0 * random - 1.0));
        Duration::try_from_secs_f64(varied).unwrap_or(self.backoff_max).min(self.backoff_max)
    }
}

/// Whether an answer with this status is worth another attempt.
pub fn status_is_retried(status: u16, has_retry_after: bool) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504) || (status == 413 && has_retry_after)
}

/// Reads a Retry-After header: whole seconds or an HTTP date (one in the past is zero). `None` for anything
/// else, so that a broken header leaves the ordinary backoff in place.
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(RETRY_AFTER_MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

/// A store's allowance of retries, so that an outage is not answered with a multiple of the usual load.
///
/// The token bucket of the AWS SDKs' standard retry mode: a retry costs 5 tokens, one after a timeout 10, a
/// success gives 1 back. Lock-free; used by any number of threads.
#[derive(Debug)]
pub struct RetryBudget {
    capacity: u64,
    tokens: AtomicU64,
}

impl RetryBudget {
    const RETRY_COST: u64 = 5;
    const TIMEOUT_COST: u64 = 10;

    /// A full bucket; a capacity of 0 switches the budget off.
    pub fn new(capacity: u64) -> RetryBudget {
        RetryBudget { capacity, tokens: AtomicU64::new(capacity) }
    }

    /// Pays for one retry; `false` if it cannot be afforded.
    pub fn pay_for_retry(&self, after_timeout: bool) -> bool {
        let cost = if after_timeout { Self::TIMEOUT_COST } else { Self::RETRY_COST };
        self.capacity == 0
            || self
                .tokens
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| tokens.checked_sub(cost))
                .is_ok()
    }

    /// A call has succeeded.
    pub fn refill(&self) {
        // A plain load first: in good times the bucket is full and its cache line stays shared.
        if self.tokens.load(Ordering::Relaxed) < self.capacity {
            let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (tokens < self.capacity).then_some(tokens + 1)
            });
        }
    }

    /// Tokens left.
    pub fn tokens(&self) -> u64 {
        self.tokens.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feast() -> RetryPolicy {
        RetryPolicy { retries: 3, backoff_factor: 0.5, backoff_max: Duration::from_secs(120), jitter: 0.0 }
    }

    fn seconds(s: f64) -> Decision {
        Decision::Retry(Duration::from_secs_f64(s))
    }

    #[test]
    fn waits_are_those_of_urllib3_as_feast_sets_it() {
        let policy = feast();
        assert_eq!(policy.decide(1, 1, None, 0.5, None), seconds(0.0));
        assert_eq!(policy.decide(2, 2, None, 0.5, None), seconds(1.0));
        assert_eq!(policy.decide(3, 3, None, 0.5, None), seconds(2.0));
        assert_eq!(policy.decide(4, 4, None, 0.5, None), Decision::Exhausted);
    }

    #[test]
    fn backoff_is_capped_and_survives_absurd_counts() {
        let policy = RetryPolicy { retries: u32::MAX, ..feast() };
        assert_eq!(policy.decide(10, 10, None, 0.5, None), seconds(120.0));
        assert_eq!(policy.decide(u32::MAX, u32::MAX, None, 0.5, None), seconds(120.0));
    }

    #[test]
    fn among_several_servers_each_has_a_first_retry_at_once() {
        let policy = feast();
        assert_eq!(policy.decide(3, 1, None, 0.5, None), seconds(0.0));
        assert_eq!(policy.decide(3, 2, None, 0.5, None), seconds(1.0));
        assert_eq!(policy.decide(4, 1, None, 0.5, None), Decision::Exhausted, "the number is the call's");
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let policy = RetryPolicy { jitter: 0.2, ..feast() };
        assert_eq!(policy.decide(2, 2, None, 0.0, None), seconds(0.8));
        assert_eq!(policy.decide(2, 2, None, 1.0, None), seconds(1.2));
    }

    #[test]
    fn retry_after_replaces_the_wait_unless_it_is_zero() {
        let policy = feast();
        assert_eq!(policy.decide(1, 1, Some(Duration::from_secs(7)), 0.5, None), seconds(7.0));
        assert_eq!(policy.decide(2, 2, Some(Duration::ZERO), 0.5, None), seconds(1.0));
        assert_eq!(policy.decide(1, 1, Some(Duration::from_secs(999_999)), 0.5, None), seconds(21_600.0));
    }

    #[test]
    fn no_wait_is_begun_that_would_pass_the_deadline() {
        let policy = feast();
        let wait = Duration::from_secs(1);
        assert_eq!(policy.decide(2, 2, None, 0.5, Some(wait)), Decision::PastDeadline(wait));
        assert_eq!(policy.decide(2, 2, None, 0.5, Some(wait * 2)), seconds(1.0));
        assert_eq!(
            policy.decide(1, 1, None, 0.5, Some(Duration::ZERO)),
            Decision::PastDeadline(Duration::ZERO)
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date_and_nothing_else() {
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 10:00:00 GMT").unwrap();
        let read = |value| parse_retry_after(value, now);
        assert_eq!(read(" 12 "), Some(Duration::from_secs(12)));
        assert_eq!(read("0"), Some(Duration::ZERO));
        assert_eq!(read("Mon, 23 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Mon, 23 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("99999999999999999999999"), Some(RETRY_AFTER_MAX));
        for garbage in ["-1", "soon", "", "1.5", "١"] {
            assert_eq!(read(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_413_is_retried_only_on_the_servers_invitation() {
        assert!(status_is_retried(413, true));
        assert!(!status_is_retried(413, false));
        assert!(status_is_retried(503, false));
        assert!(!status_is_retried(404, true));
    }

    #[test]
    fn the_budget_is_spent_by_retries_and_refilled_by_successes() {
        let budget = RetryBudget::new(20);
        assert!(budget.pay_for_retry(true));
        assert!(budget.pay_for_retry(false));
        assert!(!budget.pay_for_retry(true));
        assert!(budget.pay_for_retry(false));
        assert!(!budget.pay_for_retry(false));
        (0..30).for_each(|_| budget.refill());
        assert_eq!(budget.tokens(), 20);
        assert!(RetryBudget::new(0).pay_for_retry(true));
    }
}
