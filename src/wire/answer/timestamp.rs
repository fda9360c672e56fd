//! RFC 3339 timestamps.

/// A moment, to the nanosecond, of any year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    seconds: i64,
    nanoseconds: i64,
}

impl Moment {
    /// Nanoseconds since 1970. Years that these cannot reach in an int64 (before 1677, after 2262) give `i64::MIN`
    /// and `i64::MAX`.
    pub fn nanoseconds(self) -> i64 {
        let exact = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds);
        exact.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// Seconds since 1970, if there is no fraction.
    pub fn whole_seconds(self) -> Option<i64> {
        (self.nanoseconds == 0).then_some(self.seconds)
    }
}

/// Reads `2026-11-23T01:00:00.123456789Z` or with an offset like `+01:00`; up to nine digits count. `None` if it is
/// not one. Python's protobuf writes early years without leading zeros.
pub fn parse(text: &str) -> Option<Moment> {
    let year_length = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=4).contains(&year_length) {
        return None;
    }
    let year = digits(text.as_bytes(), 0, year_length)?;
    let bytes = &text.as_bytes()[year_length..];
    if bytes.len() < 16 || bytes[0] != b'-' || bytes[3] != b'-' || bytes[9] != b':' || bytes[12] != b':' {
        return None;
    }
    if !matches!(bytes[6], b'T' | b't' | b' ') {
        return None;
    }
    let (month, day) = (digits(bytes, 1, 2)?, digits(bytes, 4, 2)?);
    let (hour, minute, second) = (digits(bytes, 7, 2)?, digits(bytes, 10, 2)?, digits(bytes, 13, 2)?);
    // A leap second counts as the first second of the next minute.
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanoseconds, zone) = fraction(bytes, 15)?;
    let offset_minutes = match bytes.get(zone)? {
        b'Z' | b'z' if bytes.len() == zone + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == zone + 6 && bytes[zone + 3] == b':' => {
            let (hours, minutes) = (digits(bytes, zone + 1, 2)?, digits(bytes, zone + 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds =
        days_since_1970(year, month, day) * 86_400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
    Some(Moment { seconds, nanoseconds })
}

fn digits(bytes: &[u8], at: usize, count: usize) -> Option<i64> {
    bytes
        .get(at..at + count)?
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Nanoseconds of the fraction at `at`, if there is one, and the place after it.
fn fraction(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    if bytes.get(at) != Some(&b'.') {
        return Some((0, at));
    }
    let count = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let kept = count.min(9);
    let value = digits(bytes, at + 1, kept)? * 10i64.pow(9 - kept as u32);
    Some((value, at + 1 + count))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days in the proleptic Gregorian calendar, counted in 400-year eras that begin in March, so that the leap
/// day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.5Z", -500_000_000),
            ("2026-11-23T01:00:00Z", 1_795_395_600_000_000_000),
            ("2026-11-23T02:00:00+01:00", 1_795_395_600_000_000_000),
            ("2026-11-22T19:30:00-05:30", 1_795_395_600_000_000_000),
            ("2000-02-29T12:00:00.000000001Z", 951_825_600_000_000_001),
            ("2000-02-29T12:00:00.123Z", 951_825_600_123_000_000),
            ("2000-02-29T12:00:00.1234567899Z", 951_825_600_123_456_789),
            ("9999-12-31T23:59:59Z", i64::MAX),
            ("0001-01-01T00:00:00Z", i64::MIN),
            ("1-01-01T00:00:00Z", i64::MIN),
            ("2026-11-23 01:00:00Z", 1_795_395_600_000_000_000),
        ] {
            assert_eq!(parse(text).unwrap().nanoseconds(), expected, "{text}");
        }
    }

    #[test]
    fn whole_seconds_reach_every_year_and_are_never_rounded() {
        let seconds = |text| parse(text).unwrap().whole_seconds();
        assert_eq!(seconds("9999-12-31T23:59:59Z"), Some(253_402_300_799));
        assert_eq!(seconds("0001-01-01T00:00:00.000Z"), Some(-62_135_596_800));
        assert_eq!(seconds("1969-12-31T23:59:59+00:00"), Some(-1));
        assert_eq!(seconds("2026-11-23T01:00:00.5Z"), None);
    }

    #[test]
    fn every_day_from_1600_to_2300_follows_the_one_before() {
        let mut expected = days_since_1970(1600, 1, 1);
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        for year in 1600..2300 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_since_1970(year, month, day), expected);
                    expected += 1;
                }
            }
        }
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for bad in [
            "",
            "2026-11-23",
            "2026-11-23T01:00:00",
            "2026-02-29T01:00:00Z",
            "2026-13-01T01:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T01:00:00.Z",
            "2026-11-23T01:00:00Zx",
            "2026-11-23T01:00:00+0100",
            "+026-11-23T01:00:00Z",
            "2026-11-23T01:00:00ü",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
