//! When a request goes out a second time because its first answer is late, and how often that may be. Pure: the clock is an
//! argument.
//!
//! In the manner of Finagle's BackupRequestFilter: the time to wait is a quantile of recent latencies, and a budget bounds the
//! extra load whatever the latencies do. The quantile is found for a hundred latencies at a time, and what counts is the median of
//! these: a stall, which makes many requests late at once, must not make lateness usual, or nothing would help them. Half of
//! the budget is left over in good times, and saved for such a stall.

use std::collections::VecDeque;
use std::time::Duration;

use super::buckets::Buckets;

/// A quantile is at most an eighth too large.
type Eighths = Buckets<3>;
/// Latencies are kept apart by how many rows were asked for: up to 1, 4, 16, … 4^6, and more.
const SIZES: usize = 8;
/// A window of latencies has so many; before one is full nothing goes out twice.
const WINDOW: u32 = 100;
/// Windows that are remembered.
const WINDOWS: usize = 31;
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
        self.sizes[size_of(rows)].usual.map(Duration::from_micros)
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
    pub fn record(&mut self, rows: usize, took: Duration) {
        self.sizes[size_of(rows)].record(took, 1.0 - self.share / 2.0);
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

/// Recent latencies of requests of one size.
#[derive(Debug)]
struct Latencies {
    window: Box<[u32; Eighths::COUNT]>,
    count: u32,
    /// The quantiles of the last windows, in microseconds.
    quantiles: VecDeque<u64>,
    /// Their median.
    usual: Option<u64>,
}

impl Latencies {
    fn new() -> Latencies {
        Latencies { window: Box::new([0; Eighths::COUNT]), count: 0, quantiles: VecDeque::new(), usual: None }
    }

    fn record(&mut self, took: Duration, share: f64) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.window[Eighths::of(microseconds)] += 1;
        self.count += 1;
        if self.count < WINDOW {
            return;
        }
        if self.quantiles.len() == WINDOWS {
            self.quantiles.pop_front();
        }
        let counts = self.window.iter().map(|count| u64::from(*count));
        self.quantiles.push_back(Eighths::quantile(counts, share));
        self.window.fill(0);
        self.count = 0;
        let mut sorted: Vec<u64> = self.quantiles.iter().copied().collect();
        sorted.sort_unstable();
        self.usual = sorted.get((sorted.len() - 1) / 2).copied();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn nothing_goes_out_twice_before_latencies_are_known() {
        let mut hedge = Hedge::new(5.0);
        for _ in 0..99 {
            assert_eq!(hedge.delay(1), None);
            hedge.record(1, MILLISECOND);
        }
        hedge.record(1, MILLISECOND);
        assert!(hedge.delay(1).is_some());
        assert_eq!(hedge.delay(1000), None, "those of larger requests are others");
    }

    #[test]
    fn the_delay_is_what_all_but_half_the_percentage_take() {
        let late_once_in = |every: u32| {
            let mut hedge = Hedge::new(5.0);
            for number in 0..1000 {
                hedge.record(1, if number % every == 0 { 50 * MILLISECOND } else { MILLISECOND });
            }
            hedge.delay(1).unwrap()
        };
        let delay = late_once_in(50);
        assert!((MILLISECOND..2 * MILLISECOND).contains(&delay), "{delay:?}");
        let delay = late_once_in(20);
        assert!((50 * MILLISECOND..60 * MILLISECOND).contains(&delay), "{delay:?}");
    }

    #[test]
    fn a_stall_does_not_make_lateness_usual() {
        let mut hedge = Hedge::new(5.0);
        for number in 0..1000 {
            // A tenth of all, one after the other.
            hedge.record(1, if (400..500).contains(&number) { 500 * MILLISECOND } else { MILLISECOND });
        }
        assert!(hedge.delay(1).unwrap() < 2 * MILLISECOND);
    }

    #[test]
    fn old_latencies_are_forgotten() {
        let mut hedge = Hedge::new(5.0);
        (0..10_000).for_each(|_| hedge.record(1, 100 * MILLISECOND));
        (0..1600).for_each(|_| hedge.record(1, MILLISECOND));
        assert!(hedge.delay(1).unwrap() < 2 * MILLISECOND);
    }

    #[test]
    fn extra_requests_are_bounded_by_the_percentage() {
        let mut hedge = Hedge::new(5.0);
        let mut paid = 0;
        for _ in 0..10_000 {
            hedge.delay(1);
            hedge.record(1, MILLISECOND);
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
