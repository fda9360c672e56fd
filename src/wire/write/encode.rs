//! The JSON bodies of writes.

use super::check::{EXACT, is_exact};
use super::frame::{Column, Frame, Items, Values, is_number};
use super::options::{Destination, WriteOptions};
use super::plan::Chunk;
use super::timestamp::{self, SECOND};
use crate::error::{Code, Error, Result};
use crate::wire::json::{write_double, write_integer, write_string};

impl Frame {
    /// Writes the body of a request for these rows.
    pub fn encode(
        &self,
        destination: &Destination,
        options: &WriteOptions,
        chunk: &Chunk,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        out.clear();
        let (key, name) = match destination {
            Destination::PushSource(name, _) => ("push_source_name", name),
            Destination::FeatureView(name) => ("feature_view_name", name),
        };
        out.push(b'{');
        write_string(out, key)?;
        out.push(b':');
        write_string(out, name)?;
        out.extend_from_slice(b",\"df\":");
        for (at, column) in self.columns.iter().enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            write_string(out, &column.name)?;
            out.push(b':');
            // First, since of rows of the same entity the last one stays.
            let rows = chunk.companion.iter().chain(&chunk.rows).copied();
            column.encode(rows, options.names_moments(&column.name), out)?;
        }
        out.push(b'}');
        if let Destination::PushSource(_, to) = destination {
            out.extend_from_slice(b",\"to\":");
            write_string(out, to.name())?;
        }
        for (key, value) in [
            ("allow_registry_cache", options.allow_registry_cache),
            ("transform_on_write", options.transform_on_write),
        ] {
            out.extend_from_slice(format!(",\"{key}\":{value}").as_bytes());
        }
        out.push(b'}');
        Ok(())
    }
}

impl Column {
    fn encode(
        &self,
        rows: impl Iterator<Item = usize> + Clone,
        moments: bool,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let as_text = self.loses_digits(rows.clone());
        for (at, row) in rows.enumerate() {
            out.push(if at == 0 { b'[' } else { b',' });
            if self.is_null(row) {
                out.extend_from_slice(b"null");
                continue;
            }
            match &self.values {
                Values::Single(_) if moments => {
                    let moment = self.moment(row).ok_or_else(|| {
                        Error::new(Code::Internal, "an event timestamp that has not been checked")
                    })?;
                    out.push(b'"');
                    timestamp::write(out, moment);
                    out.push(b'"');
                }
                Values::Single(Items::Timestamp(values)) if as_text => {
                    write_string(out, &values[row].div_euclid(SECOND).to_string())?;
                }
                Values::Single(Items::Int(values)) if as_text => write_string(out, &values[row].to_string())?,
                Values::Json(texts) if as_text && is_number(texts.get(row)) => {
                    write_string(out, texts.get(row))?;
                }
                Values::Single(items) => items.encode(row, out)?,
                Values::Lists(lists) => {
                    out.push(b'[');
                    for (at, item) in lists.items_of(row).enumerate() {
                        if at > 0 {
                            out.push(b',');
                        }
                        lists.items.encode(item, out)?;
                    }
                    out.push(b']');
                }
                Values::Json(texts) => out.extend_from_slice(texts.get(row).as_bytes()),
                Values::Null(_) => out.extend_from_slice(b"null"),
            }
        }
        out.push(b']');
        Ok(())
    }

    /// Whether integers or timestamps have nulls beside them, which happens where a row goes along, and would lose digits as
    /// float64. As text they are read exactly (int() of Python, in feast/type_map.py).
    fn loses_digits(&self, rows: impl Iterator<Item = usize> + Clone) -> bool {
        let wide = |row: usize| match &self.values {
            Values::Single(Items::Int(values)) => values[row].unsigned_abs() > EXACT,
            Values::Single(Items::Timestamp(_)) => true,
            Values::Json(texts) => {
                let text = texts.get(row);
                is_number(text) && !text.contains(['.', 'e', 'E']) && !is_exact(text)
            }
            _ => false,
        };
        self.nulls.is_some()
            && rows.clone().any(|row| self.is_null(row))
            && rows.into_iter().any(|row| !self.is_null(row) && wide(row))
    }
}

impl Items {
    fn encode(&self, at: usize, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Items::Int(values) => write_integer(out, values[at]),
            // With a point: a server takes a column without one for integers.
            Items::Real(values) => write_double(out, values[at])?,
            Items::Bool(values) => out.extend_from_slice(if values[at] { b"true" } else { b"false" }),
            Items::Timestamp(values) => write_integer(out, values[at].div_euclid(SECOND)),
            Items::Text(texts) => write_string(out, texts.get(at))?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Lists, Texts};
    use super::super::options::PushTo;
    use super::*;

    fn body(frame: &Frame, destination: &Destination, chunk: &Chunk) -> String {
        let mut out = b"left over".to_vec();
        frame.encode(destination, &WriteOptions::default(), chunk, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_bodies_are_what_feast_expects() {
        let mut frame = Frame::default();
        let single = Values::Single;
        frame.add("id", single(Items::Int(vec![i64::MIN, i64::MAX])), None).unwrap();
        frame.add("real", single(Items::Real(vec![1.0, -0.0])), Some(vec![false, true])).unwrap();
        frame.add("flag", single(Items::Bool(vec![true, false])), None).unwrap();
        let mut texts = Texts::default();
        ["a\"\n", ""].iter().for_each(|text| texts.push(text));
        frame.add("text", single(Items::Text(texts)), None).unwrap();
        frame.add("when", single(Items::Timestamp(vec![-SECOND, SECOND])), None).unwrap();
        let lists = Lists { ends: vec![2, 2], items: Items::Real(vec![0.5, 2.0]) };
        frame.add("list", Values::Lists(lists), None).unwrap();
        frame.add_json("json", r#"[{"k": [1]}, null]"#).unwrap();
        frame.add("none", Values::Null(2), None).unwrap();
        frame.add("event_timestamp", single(Items::Timestamp(vec![0, 1_500_000_000])), None).unwrap();
        let chunk = Chunk { rows: vec![0, 1], companion: None };
        assert_eq!(
            body(&frame, &Destination::PushSource("p".to_owned(), PushTo::OnlineAndOffline), &chunk),
            "{\"push_source_name\":\"p\",\"df\":{\"id\":[-9223372036854775808,9223372036854775807],\"real\":[1.0,null],\
             \"flag\":[true,false],\"text\":[\"a\\\"\\n\",\"\"],\"when\":[-1,1],\"list\":[[0.5,2.0],[]],\
             \"json\":[{\"k\": [1]},null],\"none\":[null,null],\
             \"event_timestamp\":[\"1970-01-01T00:00:00Z\",\"1970-01-01T00:00:01.500000Z\"]},\
             \"to\":\"online_and_offline\",\"allow_registry_cache\":true,\"transform_on_write\":true}"
        );
        let view = body(
            &frame,
            &Destination::FeatureView("v".to_owned()),
            &Chunk { rows: vec![1], companion: None },
        );
        assert!(
            view.starts_with("{\"feature_view_name\":\"v\",\"df\":{\"id\":[9223372036854775807],"),
            "{view}"
        );
        assert!(!view.contains("\"to\""));
    }

    #[test]
    fn integers_beside_a_null_of_a_row_that_goes_along_keep_their_digits() {
        let mut frame = Frame::default();
        let values = vec![(1 << 53) + 1, 0, 3];
        frame.add("v", Values::Single(Items::Int(values)), Some(vec![false, true, false])).unwrap();
        let view = Destination::FeatureView("v".to_owned());
        let of = |rows: &[usize], companion| body(&frame, &view, &Chunk { rows: rows.to_vec(), companion });
        assert!(of(&[1], Some(0)).contains("\"v\":[\"9007199254740993\",null]"));
        assert!(of(&[1], Some(2)).contains("\"v\":[3,null]"));
        assert!(of(&[0, 2], None).contains("\"v\":[9007199254740993,3]"));
    }
}
