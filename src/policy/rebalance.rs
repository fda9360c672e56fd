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
/// Connections given up while no difference is seen. With two workers and two parts, one store in 256 then still knows
/// no better ones.
const EXPLORED: u32 = 8;
/// Calls of which the fastest tells how fast the connections are: one call may be slow by accident.
const JUDGED_BY: u32 = 2;
/// Connections that may be given up in a short time, and the share of calls that earns another one: a server that is
/// slow for other reasons is not bothered with more than that.
const SAVED: f64 = 16.0;
const EARNED: f64 = 1.0 / 32.0;
/// What the fastest calls still count for after others: a server may become slower for good.
const FADING: f64 = 0.999;
/// Calls whose answers differ in size by more than this are not compared, since every request has a cost of its own.
const ALIKE: f64 = 1.5;
/// Sizes of which something is known: those that came last.
const SIZES: usize = 8;

/// Of one store.
#[derive(Debug)]
pub struct Rebalance {
    sizes: Vec<Size>,
    explored: u32,
    tokens: f64,
}

/// What is known of the calls of one size. Speeds are in bytes a second.
#[derive(Debug)]
struct Size {
    /// Logarithm of the bytes, to the base `ALIKE`.
    of: i32,
    /// The fastest ever, and of the connections tried at the beginning the slowest.
    fastest: f64,
    slowest: f64,
    /// Of the connections there are now, and from how many calls that is known.
    speed: f64,
    calls: u32,
}

impl Default for Rebalance {
    fn default() -> Rebalance {
        Rebalance { sizes: Vec::new(), explored: 0, tokens: SAVED }
    }
}

impl Rebalance {
    /// A call in parts has brought so many bytes in this time. Whether the connection of its last part shall be given up.
    pub fn gives_up(&mut self, bytes: usize, time: Duration) -> bool {
        self.tokens = (self.tokens + EARNED).min(SAVED);
        let explores = self.explored < EXPLORED;
        let Some((sees_difference, is_slow)) = self.calls_of(bytes).judge(bytes, time, explores) else {
            return false;
        };
        let wanted = is_slow || explores && !sees_difference;
        if explores {
            self.explored = if sees_difference && !is_slow { EXPLORED } else { self.explored + 1 };
        }
        if !wanted || self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        // What is known of the connections was known of the one that goes, too.
        for size in &mut self.sizes {
            (size.speed, size.calls) = (0.0, 0);
        }
        true
    }

    fn calls_of(&mut self, bytes: usize) -> &mut Size {
        let of = (bytes.max(1) as f64).log(ALIKE).round() as i32;
        let known = self.sizes.iter().position(|size| size.of == of);
        // The one used last comes last.
        let size = match known {
            Some(at) => self.sizes.remove(at),
            None => Size { of, fastest: 0.0, slowest: f64::INFINITY, speed: 0.0, calls: 0 },
        };
        if self.sizes.len() == SIZES {
            self.sizes.remove(0);
        }
        self.sizes.push(size);
        let last = self.sizes.len() - 1;
        &mut self.sizes[last]
    }
}

impl Size {
    /// Whether a difference between connections has been seen, and whether those there are now are slow ones; `None`
    /// after too few calls.
    fn judge(&mut self, bytes: usize, time: Duration, explores: bool) -> Option<(bool, bool)> {
        self.speed = self.speed.max(bytes as f64 / time.as_secs_f64().max(1e-6));
        self.calls += 1;
        if self.calls < JUDGED_BY {
            return None;
        }
        let speed = std::mem::take(&mut self.speed);
        self.calls = 0;
        self.fastest = speed.max(self.fastest * FADING);
        if explores {
            self.slowest = self.slowest.min(speed);
        }
        Some((self.slowest * CONTRAST < self.fastest, speed * CONTRAST < self.fastest))
    }
}
