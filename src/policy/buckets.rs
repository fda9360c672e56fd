//! Buckets for durations: so many to each power of two of microseconds, up to 2^32. What is read from them is too large by one
//! part of a power at most.

/// 2^`BITS` buckets to each power of two.
pub struct Buckets<const BITS: u32>;

impl<const BITS: u32> Buckets<BITS> {
    /// Below this each number has a bucket of its own.
    const EXACT: u64 = 1 << BITS;

    /// How many there are.
    pub const COUNT: usize = 32 << BITS;

    /// The bucket of so many microseconds.
    pub fn of(microseconds: u64) -> usize {
        if microseconds < Self::EXACT {
            return microseconds as usize;
        }
        let power = microseconds.ilog2();
        let part = (microseconds >> (power - BITS)) & (Self::EXACT - 1);
        let bucket = (u64::from(power - BITS + 1) << BITS) + part;
        (bucket as usize).min(Self::COUNT - 1)
    }

    /// The largest number of microseconds that a bucket holds.
    pub fn upper_bound(bucket: usize) -> u64 {
        let bucket = bucket as u64;
        if bucket < Self::EXACT {
            return bucket;
        }
        let (power, part) = (bucket >> BITS, bucket & (Self::EXACT - 1));
        ((Self::EXACT + part + 1) << (power - 1)) - 1
    }

    /// The microseconds that this share of what was counted did not exceed, in buckets that hold so many; 0 if nothing was.
    pub fn quantile(counts: impl Iterator<Item = u64> + Clone, share: f64) -> u64 {
        let total: u64 = counts.clone().sum();
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = |count: u64| {
            seen += count;
            seen >= rank
        };
        counts.map(reached).position(|is_there| is_there).map_or(0, Self::upper_bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_falls_into_the_bucket_that_bounds_it<const BITS: u32>() {
        for microseconds in (0..10_000).chain([1 << 20, (1 << 31) - 1, 1 << 31]) {
            let bucket = Buckets::<BITS>::of(microseconds);
            let bound = Buckets::<BITS>::upper_bound(bucket);
            assert!(microseconds <= bound, "{microseconds}");
            assert!(bucket == 0 || microseconds > Buckets::<BITS>::upper_bound(bucket - 1), "{microseconds}");
            let part = 1.0 / f64::from(1u32 << BITS);
            assert!(bound as f64 <= microseconds as f64 * (1.0 + part) + 1.0, "{microseconds}");
        }
        assert_eq!(Buckets::<BITS>::of(u64::MAX), Buckets::<BITS>::COUNT - 1);
    }

    #[test]
    fn every_duration_falls_into_the_bucket_that_bounds_it() {
        each_falls_into_the_bucket_that_bounds_it::<2>();
        each_falls_into_the_bucket_that_bounds_it::<3>();
    }

    #[test]
    fn a_quantile_is_the_bound_of_the_bucket_that_reaches_it() {
        let mut counts = [0; Buckets::<2>::COUNT];
        counts[Buckets::<2>::of(100)] = 99;
        counts[Buckets::<2>::of(50_000)] = 1;
        let quantile = |share| Buckets::<2>::quantile(counts.iter().copied(), share);
        assert_eq!((quantile(0.5), quantile(0.99)), (111, 111));
        assert!(quantile(1.0) >= 50_000);
        assert_eq!(Buckets::<2>::quantile([0; 4].into_iter(), 0.5), 0);
    }
}
