//! Waiting for what must come.

use std::time::{Duration, Instant};

/// Waits for a condition that must come true, and says so if it does not within a generous time.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited 30 s in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
