//! How long attempts have lately taken, by how many rows they asked for. Pure: the times are arguments.
//!
//! It says two things of calls that wait for a connection: which of them cannot be answered in the time that they have left, and
//! which of them can be expected to. The first is the least of the last attempts, so that one quick answer, after a pause or when a
//! server has recovered, ends every doubt; the second leaves slow outliers out.

use std::time::Duration;

/// Attempts are kept apart by how many rows they asked for: up to 1, 4, 16, … 4^6, and more; and those of which nobody knows.
const SIZES: usize = 9;
/// Attempts that are remembered. Before there are so many, nothing is said.
const REMEMBERED: usize = 16;
/// Of these the slowest are outliers.
const OUTLIERS: usize = 2;

/// What is known of attempts of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The least that one of them took.
    pub least: Duration,
    /// The most, but for outliers.
    pub enough: Duration,
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Attempted {
    /// Rows that it asked for; 0: not known.
    pub rows: usize,
    /// How long it took.
    pub took: Duration,
    /// Whether it was answered; if not, it was cut off, and would have taken longer.
    pub answered: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct AttemptTimes {
    sizes: [Recent; SIZES],
}

#[derive(Debug, Default)]
struct Recent {
    times: [Duration; REMEMBERED],
    count: usize,
    expected: Option<Expected>,
}

impl AttemptTimes {
    /// An attempt has ended.
    pub fn record(&mut self, attempted: Attempted) {
        let recent = &mut self.sizes[size_of(attempted.rows)];
        // How little time a call had says nothing of how long its answer would have taken.
        let tells = attempted.answered || recent.expected.is_none_or(|known| attempted.took >= known.least);
        if tells {
            recent.record(attempted.took);
        }
    }

    /// What attempts for so many rows are expected to take, if that is known.
    pub fn expected(&self, rows: usize) -> Option<Expected> {
        self.sizes[size_of(rows)].expected
    }
}

impl Recent {
    fn record(&mut self, took: Duration) {
        self.times[self.count % REMEMBERED] = took;
        self.count += 1;
        if self.count >= REMEMBERED {
            let mut sorted = self.times;
            sorted.sort_unstable();
            self.expected = Some(Expected { least: sorted[0], enough: sorted[REMEMBERED - 1 - OUTLIERS] });
        }
    }
}

fn size_of(rows: usize) -> usize {
    if rows == 0 {
        return SIZES - 1;
    }
    let power = usize::BITS - (rows - 1).leading_zeros();
    (power.div_ceil(2) as usize).min(SIZES - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn answered(took: Duration) -> Attempted {
        Attempted { rows: 1, took, answered: true }
    }

    fn after(attempts: impl IntoIterator<Item = Attempted>) -> AttemptTimes {
        let mut times = AttemptTimes::default();
        attempts.into_iter().for_each(|attempted| times.record(attempted));
        times
    }

    #[test]
    fn nothing_is_expected_of_the_first_attempts() {
        assert_eq!(after([answered(50 * MILLISECOND); 15]).expected(1), None);
        let expected = after([answered(50 * MILLISECOND); 16]).expected(1).unwrap();
        assert_eq!(expected, Expected { least: 50 * MILLISECOND, enough: 50 * MILLISECOND });
    }

    #[test]
    fn a_slow_outlier_changes_nothing() {
        let times = after((0..100).map(|at| answered(if at % 8 == 0 { 1000 } else { 50 } * MILLISECOND)));
        assert_eq!(times.expected(1), after([answered(50 * MILLISECOND); 16]).expected(1));
    }

    #[test]
    fn one_quick_answer_after_slow_ones_ends_the_doubt() {
        let mut times = after([answered(500 * MILLISECOND); 1000]);
        times.record(answered(5 * MILLISECOND));
        assert_eq!(times.expected(1).unwrap().least, 5 * MILLISECOND);
    }

    #[test]
    fn what_was_cut_off_counts_if_it_took_as_long_as_others() {
        let cut_off = |took| Attempted { answered: false, ..answered(took) };
        let mut times = after([answered(50 * MILLISECOND); 16]);
        times.record(cut_off(3 * MILLISECOND));
        assert_eq!(times.expected(1).unwrap().least, 50 * MILLISECOND);
        // A server that has become slower than calls may take.
        (0..16).for_each(|_| times.record(cut_off(170 * MILLISECOND)));
        assert_eq!(times.expected(1).unwrap().least, 170 * MILLISECOND);
    }

    #[test]
    fn attempts_are_told_apart_by_their_rows() {
        let sizes: Vec<usize> = [1, 2, 4, 5, 16, 17, 4096, 4097, usize::MAX, 0].map(size_of).to_vec();
        assert_eq!(sizes, [0, 1, 1, 2, 2, 3, 6, 7, 7, 8]);
        assert_eq!(after([answered(MILLISECOND); 16]).expected(100), None);
    }
}
