//! When to give up a connection of a call in parts, so that another one may lead to another worker of the server. Pure:
//! the times are arguments.
//!
//! Which of a server's workers a connection is with is chosen by the kernel or by a balancer, and nothing tells a client.
//! But parts that share a worker take much longer than parts that do not, so that a call tells afterwards whether its
//! connections are well spread: by how fast it was beside the fastest one. At the beginning connections are given up until
//! a difference is seen.

use std::time::Duration;

/// How much faster a call on well spread connections is, at the least.
const CONTRAST: f64 = 1.4;
/// Connections given up while no difference is seen. With two workers and two parts, one store in 256 finds none.
const EXPLORED: u32 = 8;
/// Calls of which the fastest tells how fast the connections are: one call may be slow by accident.
const JUDGED_BY: u32 = 2;
/// Connections that may be given up in a short time, and the share of calls that earns another one: a server that is
/// slow for other reasons is not bothered with more than that.
const SAVED: f64 = 16.0;
const EARNED: f64 = 1.0 / 32.0;
/// What the fastest calls still count for after others: a server may become slower for good.
const FADING: f64 = 0.999;
/// Calls whose answers differ in size by more than this cannot be compared, since every request has a cost of its own.
const ALIKE: f64 = 1.25;
/// Calls of another size in a row after which that size is the usual one.
const OTHERS_IN_A_ROW: u32 = 8;

/// Of one store.
#[derive(Debug)]
pub struct Rebalance {
    /// Bytes of the answers that are compared.
    size: f64,
    others_in_a_row: u32,
    /// Speeds in bytes a second: the fastest ever, and of the connections tried at the beginning the slowest.
    fastest: f64,
    slowest: f64,
    explored: u32,
    /// Of the connections there are now, and from how many calls that is known.
    speed: f64,
    calls: u32,
    tokens: f64,
}

impl Default for Rebalance {
    fn default() -> Rebalance {
        Rebalance {
            size: 0.0,
            others_in_a_row: 0,
            fastest: 0.0,
            slowest: f64::INFINITY,
            explored: 0,
            speed: 0.0,
            calls: 0,
            tokens: SAVED,
        }
    }
}

impl Rebalance {
    /// A call in parts has brought so many bytes in this time, all of it on connections that it found. Whether the
    /// connection of its last part shall be given up.
    pub fn gives_up(&mut self, bytes: usize, time: Duration) -> bool {
        self.tokens = (self.tokens + EARNED).min(SAVED);
        if !self.is_comparable(bytes as f64) {
            return false;
        }
        self.speed = self.speed.max(bytes as f64 / time.as_secs_f64().max(1e-6));
        self.calls += 1;
        if self.calls < JUDGED_BY {
            return false;
        }
        let speed = std::mem::take(&mut self.speed);
        self.calls = 0;
        self.fastest = speed.max(self.fastest * FADING);
        let is_slow = speed * CONTRAST < self.fastest;
        if self.explored < EXPLORED {
            self.slowest = self.slowest.min(speed);
            let sees_difference = self.slowest * CONTRAST < self.fastest;
            if sees_difference && !is_slow {
                self.explored = EXPLORED;
                return false;
            }
            self.explored += 1;
            return self.pay();
        }
        is_slow && self.pay()
    }

    fn pay(&mut self) -> bool {
        let can = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(can));
        can
    }

    fn is_comparable(&mut self, size: f64) -> bool {
        if size <= self.size * ALIKE && size * ALIKE >= self.size {
            self.others_in_a_row = 0;
            return true;
        }
        self.others_in_a_row += 1;
        // Large calls are what parts are for.
        if size < self.size && self.others_in_a_row < OTHERS_IN_A_ROW {
            return false;
        }
        *self = Rebalance { size, tokens: self.tokens, ..Rebalance::default() };
        true
    }
}
