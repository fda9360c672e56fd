//! Whether an exchange that failed is tried again, and when.

use std::time::{Duration, Instant};

use super::Exchange;
use crate::observe::statistics::Stats;
use crate::policy::retry::Decision;
use crate::remote::failure::Failure;
use crate::remote::store::Store;

impl Exchange {
    /// How long to wait before the next attempt, or why there is none.
    pub(super) fn next_step(
        &self,
        store: &Store,
        failure: &Failure,
        has_other: impl Fn() -> bool,
        has_usable: impl Fn() -> bool,
    ) -> Result<Duration, String> {
        let retried = failure.retried || failure.elsewhere && has_other();
        if !retried || self.only.is_some() || (failure.once && self.asked_once_more) {
            return Err(String::new());
        }
        let remaining = self.deadline.remaining(Instant::now());
        if failure.dead_connection {
            // The others that may be dead are replaced before they are used, so that there is no second time.
            return if remaining == Some(Duration::ZERO) { Err(String::new()) } else { Ok(Duration::ZERO) };
        }
        let failures = self.attempts - self.hedges - self.dead_connections;
        let servers = u32::try_from(self.tried.count()).unwrap_or(u32::MAX).max(1);
        let of_one_server = failures.div_ceil(servers);
        // What one server asks for binds it alone.
        let retry_after = failure.retry_after.filter(|_| !has_usable());
        let decision = store.retry.decide(failures, of_one_server, retry_after, store.random(), remaining);
        // A server that has not been tried need not be given time to recover.
        let decision = match decision {
            Decision::Retry(_) if has_other() => Decision::Retry(Duration::ZERO),
            Decision::PastDeadline(wait)
                if !wait.is_zero() && remaining != Some(Duration::ZERO) && has_other() =>
            {
                Decision::Retry(Duration::ZERO)
            }
            decision => decision,
        };
        match decision {
            Decision::Exhausted => Err(String::new()),
            Decision::PastDeadline(wait) if wait.is_zero() => Err(String::new()),
            Decision::PastDeadline(wait) => {
                Err(format!("; the next attempt would have come after {wait:.1?}, past the call's deadline"))
            }
            Decision::Retry(_) if failure.once => {
                let paid = store.application_budget.pay_for_retry(false);
                if paid { Ok(Duration::ZERO) } else { Err(String::new()) }
            }
            Decision::Retry(_) if !store.budget.pay_for_retry(failure.timeout) => {
                Stats::count(&store.stats.retries_refused);
                Err("; not retried, the store's retry budget is used up (retry_budget)".to_owned())
            }
            Decision::Retry(wait) => Ok(wait),
        }
    }
}
