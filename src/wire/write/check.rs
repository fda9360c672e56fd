//! What cannot be written exactly is refused before anything is sent, with the column and the row.

use super::frame::{Column, Frame, Items, Texts, Values, is_number};
use super::options::WriteOptions;
use super::timestamp::{self, SECOND};
use crate::error::{Error, Result};
use crate::wire::answer::timestamp::parse;

/// Up to here each integer is exactly a float64.
pub const EXACT: u64 = 1 << 53;

impl Frame {
    /// Says what is missing, or cannot be written as it is.
    pub fn check(&self, options: &WriteOptions) -> Result<()> {
        let Some(first) = self.columns.first() else {
            return Err(Error::argument(
                "the frame has no columns; a server would say 200 and write nothing",
            ));
        };
        let rows = first.values.rows();
        if let Some(other) = self.columns.iter().find(|column| column.values.rows() != rows) {
            return Err(Error::argument(format!(
                "columns must have equal lengths: `{}` has {rows} rows, `{}` has {}",
                first.name,
                other.name,
                other.values.rows()
            )));
        }
        if rows == 0 {
            return Err(Error::argument("the frame has no rows; a server would say 200 and write nothing"));
        }
        let field = &options.timestamp_field;
        if !field.is_empty() && !self.columns.iter().any(|column| column.name == *field) {
            return Err(Error::argument(format!(
                "the frame has no column `{field}`; the name of its column of event timestamps is set by \
                 feast_write_options_set_timestamp_field()"
            )));
        }
        self.columns.iter().try_for_each(|column| match options.names_moments(&column.name) {
            true => column.check_moments(),
            false => column.check_values(),
        })
    }
}

impl Column {
    /// Of event timestamps: a server takes numbers for nanoseconds, and a moment without a zone for one of UTC.
    fn check_moments(&self) -> Result<()> {
        if let Some(row) = (0..self.values.rows()).find(|&row| self.is_null(row)) {
            return Err(self.refuse(row, "an event timestamp is null"));
        }
        match &self.values {
            Values::Single(Items::Timestamp(_) | Items::Text(_)) => (),
            _ => {
                return Err(Error::argument(format!(
                    "column `{}` has {}, and event timestamps are set by feast_frame_set_timestamp_ns(), or as text of RFC 3339 \
                     with a zone: a server takes numbers for nanoseconds",
                    self.name,
                    self.kind()
                )));
            }
        }
        let mut text = Vec::new();
        for row in 0..self.values.rows() {
            text.clear();
            let Some(nanoseconds) = self.moment(row) else {
                return Err(
                    self.refuse(row, "not a moment of RFC 3339 with a zone, in the years 1678 to 2261")
                );
            };
            if !timestamp::write(&mut text, nanoseconds) {
                return Err(self
                    .refuse(row, "an event timestamp with a fraction of a microsecond, which servers drop"));
            }
        }
        Ok(())
    }

    /// An event timestamp in nanoseconds since 1970; the years that a server's data frame can hold.
    pub(super) fn moment(&self, row: usize) -> Option<i64> {
        let nanoseconds = match &self.values {
            Values::Single(Items::Timestamp(values)) => values[row],
            Values::Single(Items::Text(texts)) => parse(texts.get(row))?.nanoseconds(),
            _ => return None,
        };
        // Its least is that of an int64, plus one for what is no time, rounded to what is written.
        (nanoseconds > i64::MIN + 1000 && nanoseconds < i64::MAX).then_some(nanoseconds)
    }

    fn check_values(&self) -> Result<()> {
        match &self.values {
            Values::Single(Items::Timestamp(values)) => {
                let fraction = |&row: &usize| values[row] % SECOND != 0 && !self.is_null(row);
                match (0..values.len()).find(fraction) {
                    Some(row) => Err(self.refuse(row, FRACTION)),
                    None => Ok(()),
                }
            }
            Values::Lists(lists) => {
                let Items::Timestamp(values) = &lists.items else { return Ok(()) };
                match values.iter().position(|value| value % SECOND != 0) {
                    Some(item) => Err(self.refuse(lists.row_of(item), FRACTION)),
                    None => Ok(()),
                }
            }
            Values::Json(texts) => self.check_json(texts),
            Values::Single(_) | Values::Null(_) => Ok(()),
        }
    }

    /// Reals make reals of the integers beside them.
    fn check_json(&self, texts: &Texts) -> Result<()> {
        let numbers = (0..texts.len()).filter(|&row| is_number(texts.get(row)));
        let (mut real, mut wide) = (None, None);
        for row in numbers {
            let text = texts.get(row);
            if text.contains(['.', 'e', 'E']) {
                real.get_or_insert(row);
            } else if !is_exact(text) {
                wide.get_or_insert(row);
            }
        }
        match (real, wide) {
            (Some(real), Some(wide)) => Err(self.refuse(
                wide,
                format!("an integer beyond 2^53 loses digits beside the real number of row {real}"),
            )),
            _ => Ok(()),
        }
    }
}

/// Whether an integer, as text, is exactly a float64.
pub fn is_exact(text: &str) -> bool {
    text.trim_start_matches('-').parse::<u64>().is_ok_and(|value| value <= EXACT)
}

const FRACTION: &str = "a timestamp with a fraction of a second; Feast's have none";

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(columns: &[(&str, Values)]) -> Frame {
        let mut frame = Frame::default();
        columns.iter().for_each(|(name, values)| frame.add(name, values.clone(), None).unwrap());
        frame
    }

    fn refused(frame: &Frame) -> String {
        frame.check(&WriteOptions::default()).unwrap_err().message
    }

    #[test]
    fn what_a_server_would_take_and_damage_is_refused() {
        let ids = ("id", Values::Single(Items::Int(vec![1, 2])));
        let at = |values: &[i64]| ("event_timestamp", Values::Single(Items::Timestamp(values.to_vec())));
        let when = |values: &[i64]| ("when", Values::Single(Items::Timestamp(values.to_vec())));
        assert!(refused(&frame(&[])).contains("no columns"));
        assert!(refused(&frame(&[at(&[])])).contains("no rows"));
        assert!(
            refused(&frame(&[ids.clone(), at(&[0])])).contains("`id` has 2 rows, `event_timestamp` has 1")
        );
        assert!(refused(&frame(std::slice::from_ref(&ids))).contains("no column `event_timestamp`"));
        let numbers = ("event_timestamp", Values::Single(Items::Int(vec![1, 2])));
        assert!(refused(&frame(&[ids.clone(), numbers])).contains("has integers, and event timestamps"));
        let odd = refused(&frame(&[ids.clone(), at(&[0, 0]), when(&[0, 1])]));
        assert!(odd.starts_with("column `when`, row 1: a timestamp with a fraction"), "{odd}");
        assert!(
            refused(&frame(&[ids.clone(), at(&[0, 999])]))
                .contains("row 1: an event timestamp with a fraction")
        );
        frame(&[ids.clone(), at(&[0, 1000]), when(&[0, SECOND])]).check(&WriteOptions::default()).unwrap();
        let text = |texts: [&str; 2]| {
            let mut made = Texts::default();
            texts.iter().for_each(|text| made.push(text));
            ("event_timestamp", Values::Single(Items::Text(made)))
        };
        let naive = text(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00"]);
        assert!(refused(&frame(&[ids.clone(), naive])).contains("row 1: not a moment"));
        frame(&[ids, text(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00"])])
            .check(&WriteOptions::default())
            .unwrap();
    }

    #[test]
    fn wide_integers_beside_reals_are_refused_in_json() {
        let mut made = Frame::default();
        made.add_json("event_timestamp", r#"["2026-01-01T00:00:00Z"]"#).unwrap();
        assert!(refused(&made).contains("has JSON"));
        let options = WriteOptions { timestamp_field: String::new(), ..WriteOptions::default() };
        let checked = |json: &str| {
            let mut made = Frame::default();
            made.add_json("v", json).unwrap();
            made.check(&options).map_err(|error| error.message)
        };
        assert_eq!(checked("[9007199254740992, 1.5, null, [1]]"), Ok(()));
        assert_eq!(checked("[9007199254740993, 1, null]"), Ok(()));
        let why = "column `v`, row 1: an integer beyond 2^53 loses digits beside the real number of row 0";
        assert_eq!(checked("[1.5, -9007199254740993]"), Err(why.to_owned()));
    }

    #[test]
    fn a_frame_without_event_timestamps_can_be_meant() {
        let options = WriteOptions { timestamp_field: String::new(), ..WriteOptions::default() };
        frame(&[("id", Values::Single(Items::Int(vec![1])))]).check(&options).unwrap();
    }
}
