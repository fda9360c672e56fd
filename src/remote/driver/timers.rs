//! When the driver looks at an exchange although nothing has happened to it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Of exchanges, by their numbers; at most one for each.
#[derive(Default)]
pub struct Timers(BTreeSet<(Instant, u64)>);

impl Timers {
    /// Moves an exchange's timer from where it was, if it had one, to where it shall be, if it shall have one.
    pub fn reset(&mut self, number: u64, from: Option<Instant>, to: Option<Instant>) {
        if from == to {
            return;
        }
        if let Some(from) = from {
            self.0.remove(&(from, number));
        }
        if let Some(to) = to {
            self.0.insert((to, number));
        }
    }

    /// Takes out the exchange whose timer has expired first.
    pub fn pop_expired(&mut self, now: Instant) -> Option<u64> {
        self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.pop_first().map(|(_, number)| number)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time until the next one expires; `None` without one.
    pub fn until_next(&self) -> Option<Duration> {
        self.0.first().map(|(at, _)| at.saturating_duration_since(Instant::now()))
    }
}
