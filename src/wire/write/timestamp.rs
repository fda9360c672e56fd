//! Moments as RFC 3339 text in UTC.

use std::io::Write;

/// Nanoseconds.
pub const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Writes `2026-11-23T01:00:00Z`, with six digits of a second where there is a fraction. `false` if there are more than six:
/// servers do not keep them.
pub fn write(out: &mut Vec<u8>, nanoseconds: i64) -> bool {
    let (seconds, fraction) = (nanoseconds.div_euclid(SECOND), nanoseconds.rem_euclid(SECOND));
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let time = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    // Writing to memory does not fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction != 0 {
        let _ = write!(out, ".{:06}", fraction / 1000);
    }
    out.push(b'Z');
    fraction % 1000 == 0
}

/// The date of a day since 1970. Counted in eras of 400 years that begin on a 1st of March, so that the odd day comes last
/// (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn date(day: i64) -> (i64, i64, i64) {
    let since = day + 719_468;
    let (era, of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::answer::timestamp::parse;

    #[test]
    fn what_is_written_is_read_back() {
        let mut moments =
            vec![0, -1_000_000, 1_767_225_600 * SECOND, 951_782_400 * SECOND, i64::MAX / 1000 * 1000];
        moments.extend((-60_000..60_000).step_by(7).map(|day| day * DAY * SECOND + 3_661_000_001_000));
        for moment in moments {
            let mut out = Vec::new();
            assert!(write(&mut out, moment), "{moment}");
            let text = String::from_utf8(out).unwrap();
            assert_eq!(parse(&text).map(|read| read.nanoseconds()), Some(moment), "{text}");
        }
        assert!(!write(&mut Vec::new(), 1), "less than a microsecond");
    }
}
