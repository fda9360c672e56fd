//! What the integration tests share. Each test file uses a part of it.
#![allow(dead_code)]

pub mod cc;
pub mod cells;
pub mod events;
pub mod feast;
pub mod installed;
pub mod nginx;
pub mod paths;
pub mod process;
pub mod provider;
pub mod server;
pub mod stalled;
pub mod store;
pub mod tls;

use std::time::{Duration, Instant};

/// Waits for a condition that must come true, and says so if it does not within a generous time.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited 30 s in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
