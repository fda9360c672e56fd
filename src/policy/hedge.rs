//! When a request goes out a second time because its first answer is late, and how often that may be. Pure: the clock is an
//! argument.
//!
//! In the manner of Finagle's BackupRequestFilter: the time to wait is a quantile of recent latencies, and a budget bounds the
//! extra load whatever the latencies do.

use std::time::{Duration, Instant};

/// Eight buckets to each power of two of microseconds, up to 2^32: a quantile is at most an eighth too large.
const BUCKETS: usize = 8 * 32;
/// Latencies are kept apart by how many rows were asked for: up to 1, 4, 16, … 4^6, and more.
const SIZES: usize = 8;
/// Before so many latencies are known nothing goes out twice.
const LEAST_KNOWN: u32 = 100;
/// A window of latencies ends when it has so many, or is so old and has enough.
const WINDOW: u32 = 2_000;
const WINDOW_AGE: Duration = Duration::from_secs(10);
/// Extra requests that may be saved up, and those that there are at the beginning.
const MOST_SAVED: f64 = 100.0;
const SAVED_AT_FIRST: f64 = 10.0;

/// The hedging of one store.
#[derive(Debug)]
pub struct Hedge {
    share: f64,
    saved: f64,
    sizes: [Latencies; SIZES],
}

impl Hedge {
    /// For at most so many extra requests in a hundred.
    pub fn new(percent: f64) -> Hedge {
        Hedge {
            share: percent / 100.0,
            saved: SAVED_AT_FIRST,
            sizes: std::array::from_fn(|_| Latencies::new()),
        }
    }

    /// A request for so many rows goes out: how long to wait for its answer before it goes out once more. `None`: until it
    /// comes.
    pub fn delay(&mut self, rows: usize) -> Option<Duration> {
        self.saved = (self.saved + self.share).min(MOST_SAVED);
        self.sizes[size_of(rows)].quantile(1.0 - self.share)
    }

    /// Pays for a second request; `false` if it cannot be afforded.
    pub fn pay(&mut self) -> bool {
        let affordable = self.saved >= 1.0;
        if affordable {
            self.saved -= 1.0;
        }
        affordable
    }

    /// A request for so many rows was answered after so long, or given up after it because another one was answered.
    pub fn record(&mut self, rows: usize, took: Duration, now: Instant) {
        self.sizes[size_of(rows)].record(took, now);
    }
}

fn size_of(rows: usize) -> usize {
    let mut size = 0;
    let mut most = 1;
    while rows > most && size < SIZES - 1 {
        most *= 4;
        size += 1;
    }
    size
}

/// Recent latencies of requests of one size: of this window and of the one before.
#[derive(Debug)]
struct Latencies {
    windows: [Box<[u32; BUCKETS]>; 2],
    counts: [u32; 2],
    began: Option<Instant>,
    /// Found when there were so many.
    found: Option<(u32, Duration)>,
}

impl Latencies {
    fn new() -> Latencies {
        let window = || Box::new([0; BUCKETS]);
        Latencies { windows: [window(), window()], counts: [0; 2], began: None, found: None }
    }

    fn record(&mut self, took: Duration, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let old = now.saturating_duration_since(began) >= WINDOW_AGE && self.counts[0] >= LEAST_KNOWN;
        if self.counts[0] >= WINDOW || old {
            self.windows.swap(0, 1);
            self.windows[0].fill(0);
            self.counts = [0, self.counts[0]];
            (self.began, self.found) = (Some(now), None);
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.windows[0][bucket_of(microseconds)] += 1;
        self.counts[0] += 1;
    }

    /// The latency that this share of the requests did not exceed.
    fn quantile(&mut self, share: f64) -> Option<Duration> {
        let known = self.counts[0] + self.counts[1];
        if known < LEAST_KNOWN {
            return None;
        }
        // It does not move much with each one.
        if let Some((at, found)) = self.found
            && known - at < known / 16 + 1
        {
            return Some(found);
        }
        let rank = (f64::from(known) * share).ceil().max(1.0) as u32;
        let mut seen = 0;
        let reached = |bucket: &usize| {
            seen += self.windows[0][*bucket] + self.windows[1][*bucket];
            seen >= rank
        };
        let bucket = (0..BUCKETS).find(reached).unwrap_or(BUCKETS - 1);
        let found = Duration::from_micros(upper_bound(bucket));
        self.found = Some((known, found));
        Some(found)
    }
}

fn bucket_of(microseconds: u64) -> usize {
    if microseconds < 8 {
        return microseconds as usize;
    }
    let power = microseconds.ilog2() as usize;
    let eighth = (microseconds >> (power - 3)) as usize & 7;
    ((power - 2) * 8 + eighth).min(BUCKETS - 1)
}

/// The largest number of microseconds that a bucket holds.
fn upper_bound(bucket: usize) -> u64 {
    if bucket < 8 {
        return bucket as u64;
    }
    let (power, eighth) = (bucket / 8 + 2, bucket as u64 % 8);
    ((8 + eighth + 1) << (power - 3)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn every_latency_falls_into_the_bucket_that_bounds_it() {
        for microseconds in (0..10_000).chain([1 << 20, (1 << 31) - 1, 1 << 31]) {
            let bucket = bucket_of(microseconds);
            assert!(microseconds <= upper_bound(bucket), "{microseconds}");
            assert!(bucket == 0 || microseconds > upper_bound(bucket - 1), "{microseconds}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn nothing_goes_out_twice_before_latencies_are_known() {
        let (mut hedge, now) = (Hedge::new(5.0), Instant::now());
        for _ in 0..99 {
            assert_eq!(hedge.delay(1), None);
            hedge.record(1, MILLISECOND, now);
        }
        hedge.record(1, MILLISECOND, now);
        assert!(hedge.delay(1).is_some());
        assert_eq!(hedge.delay(1000), None, "those of larger requests are others");
    }

    #[test]
    fn the_delay_is_what_all_but_the_percentage_take() {
        let (mut hedge, now) = (Hedge::new(5.0), Instant::now());
        for number in 0..1000 {
            hedge.record(1, if number % 20 == 0 { 50 * MILLISECOND } else { MILLISECOND }, now);
        }
        let delay = hedge.delay(1).unwrap();
        assert!((MILLISECOND..2 * MILLISECOND).contains(&delay), "{delay:?}");
        for _ in 0..200 {
            hedge.record(1, 50 * MILLISECOND, now);
        }
        let delay = hedge.delay(1).unwrap();
        assert!((50 * MILLISECOND..60 * MILLISECOND).contains(&delay), "{delay:?}");
    }

    #[test]
    fn old_latencies_are_forgotten() {
        let (mut hedge, start) = (Hedge::new(5.0), Instant::now());
        (0..1000).for_each(|_| hedge.record(1, 100 * MILLISECOND, start));
        for window in 1..=2 {
            let now = start + WINDOW_AGE * window;
            (0..200).for_each(|_| hedge.record(1, MILLISECOND, now));
        }
        assert!(hedge.delay(1).unwrap() < 2 * MILLISECOND);
    }

    #[test]
    fn extra_requests_are_bounded_by_the_percentage() {
        let (mut hedge, now) = (Hedge::new(5.0), Instant::now());
        let mut paid = 0;
        for _ in 0..10_000 {
            hedge.delay(1);
            hedge.record(1, MILLISECOND, now);
            paid += u32::from(hedge.pay());
        }
        assert!((500..=510).contains(&paid), "{paid}");
        // Saved up while all is well, but not for ever.
        for _ in 0..100_000 {
            hedge.delay(1);
        }
        assert_eq!((0..1000).filter(|_| hedge.pay()).count(), 100);
    }

    #[test]
    fn requests_are_told_apart_by_their_rows() {
        let sizes: Vec<usize> = [0, 1, 2, 4, 5, 16, 17, 4096, 4097, usize::MAX].map(size_of).to_vec();
        assert_eq!(sizes, [0, 0, 1, 1, 2, 2, 3, 6, 7, 7]);
    }
}
