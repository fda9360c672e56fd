//! Statuses and event timestamps: words that mostly repeat from row to row, and as a whole from column to column, since
//! the features of a feature view are written together.

use super::scanner::{RawString, Scanner};
use super::{Read, Refusal, refuse, timestamp};

/// Feast's `FieldStatus` (protos/feast/serving/ServingService.proto).
pub mod status {
    /// Also for words that this library does not know.
    pub const INVALID: u8 = 0;
    pub const PRESENT: u8 = 1;
    pub const NULL_VALUE: u8 = 2;
    pub const NOT_FOUND: u8 = 3;
    pub const OUTSIDE_MAX_AGE: u8 = 4;
}

/// A string as it was read last, quotes included, and what it meant.
type Last<'a, T> = Option<(&'a [u8], T)>;

/// Each string is first compared with the one before, and all that follows a column's values with what followed those of
/// the column before.
#[derive(Default)]
pub struct Repeats<'a> {
    status: Last<'a, u8>,
    timestamp: Last<'a, i64>,
    tail: Option<Tail<'a>>,
}

/// What stands between a column's values and the end of its object.
#[derive(Clone, Copy)]
pub struct Tail<'a> {
    pub text: &'a str,
    /// The column.
    pub place: usize,
    /// How many of them are in it.
    pub statuses: usize,
    pub timestamps: usize,
}

impl<'a> Repeats<'a> {
    /// Passes over all that follows a column's values, if it is what followed those of the column before.
    pub fn tail_again(&self, scanner: &mut Scanner<'a>) -> Option<Tail<'a>> {
        let tail = self.tail?;
        let after = scanner.rest().strip_prefix(tail.text.as_bytes())?;
        (after.first() == Some(&b'}')).then(|| {
            scanner.skip(tail.text.len());
            tail
        })
    }

    /// Keeps what followed a column's values.
    pub fn keep_tail(&mut self, tail: Tail<'a>) {
        self.tail = Some(tail);
    }

    /// Reads an array of statuses; returns their number. An array that is null has none.
    #[inline]
    pub fn statuses(&mut self, scanner: &mut Scanner<'a>, rows: usize, out: impl FnMut(u8)) -> Read<usize> {
        read(scanner, &mut self.status, rows, out, |word| {
            Ok(match word.raw {
                "PRESENT" => status::PRESENT,
                "NULL_VALUE" => status::NULL_VALUE,
                "NOT_FOUND" => status::NOT_FOUND,
                "OUTSIDE_MAX_AGE" => status::OUTSIDE_MAX_AGE,
                _ => status::INVALID,
            })
        })
    }

    /// Reads an array of timestamps, in nanoseconds since 1970; returns their number.
    #[inline]
    pub fn timestamps(
        &mut self,
        scanner: &mut Scanner<'a>,
        rows: usize,
        out: impl FnMut(i64),
    ) -> Read<usize> {
        read(scanner, &mut self.timestamp, rows, out, |text| {
            let text = text.text().map_err(|why| Refusal::Answer(why.to_owned()))?;
            match timestamp::parse(&text) {
                Some(moment) => Ok(moment.nanoseconds()),
                None => refuse(format!("`{text}` is not a timestamp")),
            }
        })
    }
}

#[inline]
fn read<'a, T: Copy>(
    scanner: &mut Scanner<'a>,
    last: &mut Last<'a, T>,
    rows: usize,
    mut out: impl FnMut(T),
    meaning: impl Fn(RawString<'a>) -> Read<T>,
) -> Read<usize> {
    if scanner.literal("null") {
        return Ok(0);
    }
    let mut count = 0;
    scanner.array(|scanner| {
        limit_rows(count, rows)?;
        count += 1;
        scanner.peek();
        let rest = scanner.rest();
        if let Some((quoted, value)) = *last
            && rest.starts_with(quoted)
        {
            scanner.skip(quoted.len());
            out(value);
            return Ok(());
        }
        let value = meaning(scanner.string()?)?;
        *last = Some((&rest[..rest.len() - scanner.rest().len()], value));
        out(value);
        Ok::<_, Refusal>(())
    })?;
    Ok(count)
}

/// What was not asked for is refused before it is stored.
#[inline]
pub fn limit_rows(count: usize, asked: usize) -> Read<()> {
    if count < asked { Ok(()) } else { refuse(format!("it has more than the {asked} rows asked for")) }
}
