//! When to give up a connection of a call in parts, so that another one may lead to another worker of the server. Pure:
//! the times are arguments.
//!
//! Which of a server's workers a connection is with is chosen by the kernel or by a balancer, and nothing tells a client.
//! But parts that share a worker take much longer than parts that do not, so that a call tells afterwards whether its
//! connections are well spread: by how fast it was beside the fastest one. The first calls give up a connection each, so
//! that there is a fastest one. How slow a call can be says nothing, since a server may be slow for many reasons.

use std::time::Duration;

/// How much faster a call on well spread connections is, at the least.
const CONTRAST: f64 = 1.3;
/// Connections given up at the beginning. With two workers and two parts, one store in 256 then knows nothing better.
const EXPLORED: u32 = 8;
/// Slow calls in a row that are no accident.
const SLOW_IN_A_ROW: u32 = 2;
/// Connections that may be given up in a short time, and the share of calls that earns another one: a server that is
/// slow for other reasons is not bothered with more than that.
const SAVED: f64 = 16.0;
const EARNED: f64 = 1.0 / 32.0;
/// What the fastest call still counts for after another one: a server may become slower for good.
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
    /// In bytes a second.
    fastest: f64,
    explored: u32,
    slow_in_a_row: u32,
    tokens: f64,
}

impl Default for Rebalance {
    fn default() -> Rebalance {
        Rebalance {
            size: 0.0,
            others_in_a_row: 0,
            fastest: 0.0,
            explored: 0,
            slow_in_a_row: 0,
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
        let speed = bytes as f64 / time.as_secs_f64().max(1e-6);
        self.fastest = speed.max(self.fastest * FADING);
        let is_slow = speed * CONTRAST < self.fastest;
        self.slow_in_a_row = if is_slow { self.slow_in_a_row + 1 } else { 0 };
        let explores = self.explored < EXPLORED;
        if !(explores || self.slow_in_a_row >= SLOW_IN_A_ROW) || self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        self.explored += u32::from(explores);
        self.slow_in_a_row = 0;
        true
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
        self.size = size;
        self.others_in_a_row = 0;
        self.fastest = 0.0;
        self.explored = 0;
        true
    }
}
