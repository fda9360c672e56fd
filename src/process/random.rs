//! Numbers that spread retries and load; nothing hangs on their quality.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// splitmix64. Used by any number of threads.
pub struct Random(AtomicU64);

impl Default for Random {
    /// Different for every one and every process.
    fn default() -> Random {
        Random(AtomicU64::new(RandomState::new().hash_one(std::process::id())))
    }
}

impl Random {
    /// The next number, uniform in 0..1.
    pub fn next(&self) -> f64 {
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
