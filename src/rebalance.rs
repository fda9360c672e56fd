//! When to give up a connection of a call in parts, so that another one may lead to another worker of the server. Pure:
//! the times are arguments.
//!
//! Which of a server's workers a connection is with is chosen by the kernel or by a balancer, and nothing tells a client.
//! But parts that share a worker take much longer than parts that do not, so that a call tells afterwards whether its
//! connections are well spread. They stay as they are for as long as they are kept.

use std::time::Duration;

/// How much faster a call on well spread connections is, at the least.
const CONTRAST: f64 = 1.3;
/// Connections given up while no difference has been seen. With two workers and two parts, one store in 256 finds none.
const EXPLORED: u32 = 8;
/// Slow calls in a row that are no accident.
const SLOW_IN_A_ROW: u32 = 2;
/// Connections that may be given up in a short time, and the share of calls that earns another one: a server that is
/// slow for other reasons is not bothered with more than that.
const SAVED: f64 = 12.0;
const EARNED: f64 = 1.0 / 32.0;
/// By this the extremes approach what is usual, with each call: a server may change for good.
const FADING: f64 = 0.999;

/// Of one store.
#[derive(Debug)]
pub struct Rebalance {
    /// Speeds in bytes a second: of the fastest call, and of the slowest one.
    fastest: f64,
    slowest: f64,
    explored: u32,
    slow_in_a_row: u32,
    tokens: f64,
}

impl Default for Rebalance {
    fn default() -> Rebalance {
        Rebalance { fastest: 0.0, slowest: f64::INFINITY, explored: 0, slow_in_a_row: 0, tokens: SAVED }
    }
}

impl Rebalance {
    /// A call in parts has brought so many bytes in this time, all of it on connections that it found. Whether the
    /// connection of its last part shall be given up.
    pub fn gives_up(&mut self, bytes: usize, time: Duration) -> bool {
        let speed = bytes as f64 / time.as_secs_f64().max(1e-6);
        self.fastest = speed.max(self.fastest * FADING);
        self.slowest = speed.min(self.slowest / FADING);
        self.tokens = (self.tokens + EARNED).min(SAVED);
        let is_slow = speed * CONTRAST < self.fastest;
        self.slow_in_a_row = if is_slow { self.slow_in_a_row + 1 } else { 0 };
        let sees_difference = self.slowest * CONTRAST < self.fastest;
        let wanted = match sees_difference {
            true => self.slow_in_a_row >= SLOW_IN_A_ROW,
            false => self.explored < EXPLORED,
        };
        if !wanted || self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        self.explored += u32::from(!sees_difference);
        self.slow_in_a_row = 0;
        true
    }
}
