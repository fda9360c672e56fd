//! Statuses and event timestamps: words that mostly repeat from row to row, and as a whole from column to column, since
//! the features of a feature view are written together.

use super::error::{ReadError, ReadResult, refuse};
use super::raw_string::RawString;
use super::scanner::Scanner;
use super::timestamp;

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
    text: &'a str,
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

    /// Keeps what followed the values of column `place`: from `start` to the end of its object, which has just been read.
    pub fn keep_tail(&mut self, scanner: &Scanner<'a>, start: usize, place: usize, counts: [usize; 2]) {
        let [statuses, timestamps] = counts;
        let text = scanner.since(start).strip_suffix('}').unwrap_or_default();
        self.tail = Some(Tail { text, place, statuses, timestamps });
    }

    /// Reads an array of statuses; returns their number. An array that is null has none.
    #[inline]
    pub fn statuses(
        &mut self,
        scanner: &mut Scanner<'a>,
        rows: usize,
        out: impl FnMut(u8),
    ) -> ReadResult<usize> {
        read(scanner, &mut self.status, rows, out, status::INVALID, |word| {
            let word = word.text().map_err(|why| ReadError::Answer(why.to_owned()))?;
            Ok(match &*word {
                "PRESENT" => status::PRESENT,
                "NULL_VALUE" => status::NULL_VALUE,
                "NOT_FOUND" => status::NOT_FOUND,
                "OUTSIDE_MAX_AGE" => status::OUTSIDE_MAX_AGE,
                _ => status::INVALID,
            })
        })
    }

    /// Reads an array of timestamps, in nanoseconds since 1970, 0 for a null; returns their number.
    #[inline]
    pub fn timestamps(
        &mut self,
        scanner: &mut Scanner<'a>,
        rows: usize,
        out: impl FnMut(i64),
    ) -> ReadResult<usize> {
        read(scanner, &mut self.timestamp, rows, out, 0, |text| {
            let text = text.text().map_err(|why| ReadError::Answer(why.to_owned()))?;
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
    null: T,
    meaning: impl Fn(RawString<'a>) -> ReadResult<T>,
) -> ReadResult<usize> {
    if scanner.literal("null") {
        return Ok(0);
    }
    let mut count = 0;
    scanner.array(|scanner| {
        limit_rows(count, rows)?;
        count += 1;
        if scanner.literal("null") {
            out(null);
            return Ok(());
        }
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
        Ok::<_, ReadError>(())
    })?;
    Ok(count)
}

/// What was not asked for is refused before it is stored.
#[inline]
pub fn limit_rows(count: usize, asked: usize) -> ReadResult<()> {
    if count < asked { Ok(()) } else { refuse(format!("it has more than the {asked} rows asked for")) }
}

#[cfg(test)]
mod tests {
    use super::super::decode::{decode, decode_into};
    use super::super::frame::Layout;
    use crate::columns::{Dense, Matrix, Response};
    use crate::wire::request::Request;

    const COLUMNS: [&str; 11] = [
        r#"{"values":[1,2],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T02:00:00Z"]}"#,
        r#"{"values":[3,4],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T03:00:00Z"]}"#,
        r#"{"values":[5,6],"statuses":["PRESENT","PRESENT"],"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T02:00:00Z"]}"#,
        r#"{"values":[7,8],"statuses":["PRESENT","NOT_FOUND"]}"#,
        r#"{"values":[9,8],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T02:00:00Z"],"more":[]}"#,
        r#"{"values":[7,6]}"#,
        r#"{"values":[null,5]}"#,
        r#"{"values":[4,3],"statuses":null,"event_timestamps":[]}"#,
        r#"{"statuses":["OUTSIDE_MAX_AGE","PRESENT"],"values":[2,1]}"#,
        r#"{"statuses":["OUTSIDE_MAX_AGE","PRESENT"],"values":[1,3],"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T02:00:00Z"]}"#,
        r#"{ "values" : [5,7] , "statuses" : ["PRESENT","NOT_FOUND"] }"#,
    ];

    fn answer(columns: &[&str]) -> (String, Request) {
        let mut request = Request::default();
        request.set_entity_int64("id", &[7, 8]).unwrap();
        let names: Vec<String> = (0..columns.len()).map(|at| format!("\"f{at}\"")).collect();
        (0..columns.len()).for_each(|at| request.add_feature(&format!("v:f{at}")).unwrap());
        let (columns, names) = (columns.join(","), names.join(","));
        let text = format!(r#"{{"results":[{columns}],"metadata":{{"feature_names":[{names}]}}}}"#);
        (text, request)
    }

    fn decoded(columns: &[&str]) -> Response {
        let (text, request) = answer(columns);
        decode(text.as_bytes(), &request, &mut Layout::default()).unwrap()
    }

    struct Values([f32; 6]);

    impl Matrix<f32> for Values {
        fn put(&mut self, at: usize, value: f32) {
            self.0[at] = value;
        }
        fn put_status(&mut self, _: usize, _: u8) {
            unreachable!("none were asked for");
        }
    }

    /// Three columns as a matrix without statuses.
    fn values_of(columns: &[&str]) -> [f32; 6] {
        let (text, request) = answer(columns);
        let mut out = Values([0.0; 6]);
        let mut dense = Dense { out: &mut out, statuses: false, row_stride: 3, missing: -1.0 };
        decode_into(text.as_bytes(), &request, &mut Layout::default(), &mut dense).unwrap();
        out.0
    }

    fn content(response: &Response, column: usize) -> impl PartialEq + std::fmt::Debug {
        let values = format!("{:?} {:?}", response.items(column), response.validity(column));
        (
            values,
            response.statuses(column).map(<[u8]>::to_vec),
            response.event_timestamps(column).map(<[i64]>::to_vec),
        )
    }

    #[test]
    fn a_column_reads_the_same_whatever_columns_stand_before_it() {
        let alone: Vec<Response> = COLUMNS.iter().map(|column| decoded(&[column])).collect();
        let all = 0..COLUMNS.len();
        for (first, second) in all.clone().flat_map(|first| all.clone().map(move |second| (first, second))) {
            for third in all.clone() {
                let columns = [first, second, third].map(|at| COLUMNS[at]);
                let together = decoded(&columns);
                let cell = |row: usize, column| {
                    let valid = crate::columns::is_valid(together.validity(column), row);
                    if valid { together.int64(column).unwrap()[row] as f32 } else { -1.0 }
                };
                let cells =
                    [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)].map(|(row, column)| cell(row, column));
                assert_eq!(values_of(&columns), cells, "{first} {second} {third}");
                for (place, at) in [first, second, third].into_iter().enumerate() {
                    assert_eq!(content(&together, place), content(&alone[at], 0), "{first} {second} {third}");
                }
            }
        }
    }

    #[test]
    fn equal_tails_are_kept_once() {
        let tail = r#""statuses":["PRESENT","PRESENT"],"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T01:00:00Z"]}"#;
        let column = |values: &str| format!(r#"{{"values":[{values}],{tail}"#);
        let response = decoded(&[&column("1,2"), &column("3,4"), &column("0.5,null")]);
        let start = |column| response.statuses(column).unwrap().as_ptr();
        assert!(start(0) == start(1) && start(1) == start(2));
        assert_eq!(
            response.event_timestamps(0).unwrap().as_ptr(),
            response.event_timestamps(2).unwrap().as_ptr()
        );
    }
}
