//! The answers to a request that went out as several, put together: one text again, which is read like any other.

use super::decode::{self, message, utf8};
use super::error::{ReadError, ReadResult, refuse};
use super::frame::{self, Columns, Layout};
use super::scanner::Scanner;
use crate::columns::{Dense, Matrix, Response};
use crate::error::{Code, Error, Result};
use crate::wire::request::{Request, split};

/// As [`decode::decode`], for the bodies of as many requests as one went out as.
pub fn decode(bodies: &[Vec<u8>], request: &Request, layout: &mut Layout) -> Result<Response> {
    match bodies {
        [body] => decode::decode(body, request, layout),
        _ => decode::decode(&join(bodies, request, layout)?, request, layout),
    }
}

/// As [`decode::decode_into`], likewise.
pub fn decode_into(
    bodies: &[Vec<u8>],
    request: &Request,
    layout: &mut Layout,
    dense: &mut Dense<'_, f32, impl Matrix<f32>>,
) -> Result<()> {
    match bodies {
        [body] => decode::decode_into(body, request, layout, dense),
        _ => decode::decode_into(&join(bodies, request, layout)?, request, layout, dense),
    }
}

/// What stands between the brackets of a column's arrays.
#[derive(Clone, Default)]
struct Column<'a> {
    values: Option<&'a str>,
    statuses: Option<&'a str>,
    event_timestamps: Option<&'a str>,
}

/// The columns of one answer, in their places.
struct Pieces<'a> {
    rows: usize,
    columns: Vec<Column<'a>>,
}

impl<'a> Columns<'a> for Pieces<'a> {
    fn begin(&mut self, _text: &'a str, layout: &Layout, _request: &Request) -> ReadResult<()> {
        self.columns = vec![Column::default(); layout.columns()];
        Ok(())
    }

    fn column(&mut self, scanner: &mut Scanner<'a>, place: usize) -> ReadResult<()> {
        let Pieces { rows, columns } = self;
        let column = &mut columns[place];
        scanner.object(|scanner, key| {
            let (array, what) = if key.is("values") {
                (&mut column.values, "values")
            } else if key.is("statuses") {
                (&mut column.statuses, "statuses")
            } else if key.is("event_timestamps") {
                (&mut column.event_timestamps, "event timestamps")
            } else {
                scanner.value()?;
                return Ok(());
            };
            if array.is_some() {
                return refuse(format!("its {what} stand in it twice"));
            }
            // The Go server says null where it says nothing.
            if scanner.literal("null") {
                return Ok(());
            }
            scanner.peek();
            let start = scanner.at() + 1;
            let mut count = 0;
            scanner.array(|scanner| {
                count += 1;
                scanner.value().map(drop)
            })?;
            let inner = scanner.since(start);
            *array = Some(&inner[..inner.len() - 1]);
            // An array of nothing is as good as none.
            if count == 0 && what != "values" {
                *array = None;
            } else if count != *rows {
                return refuse(format!("it has {count} {what} for the {rows} rows asked for"));
            }
            Ok(())
        })?;
        if column.values.is_some() { Ok(()) } else { refuse("it has no `values`") }
    }
}

fn join(bodies: &[Vec<u8>], request: &Request, layout: &mut Layout) -> Result<Vec<u8>> {
    let mut parts = Vec::with_capacity(bodies.len());
    let mut names: Vec<String> = Vec::new();
    let mut feature_views = None;
    for (body, rows) in bodies.iter().zip(split(request.rows(), bodies.len())) {
        let text = utf8(body)?;
        let mut pieces = Pieces { rows: rows.len(), columns: Vec::new() };
        frame::read(text, request, layout, &mut pieces).map_err(|error| message(text, error))?;
        if parts.is_empty() {
            names.extend(layout.names_in_order(text).map(str::to_owned));
            feature_views = layout.feature_views_in(text);
        } else if !layout.names_in_order(text).eq(names.iter().map(String::as_str)) {
            let why = "the answers to its parts (max_rows_per_request) have different columns".to_owned();
            return Err(message(text, ReadError::Answer(why)));
        }
        parts.push(pieces.columns);
    }
    let frame = names.iter().map(|name| 6 * name.len() + 64).sum::<usize>() + 64;
    let mut out = Vec::new();
    let no_memory = |_| Error::new(Code::Internal, "not enough memory to put the answers together");
    out.try_reserve_exact(bodies.iter().map(Vec::len).sum::<usize>() + frame).map_err(no_memory)?;
    out.extend_from_slice(b"{\"metadata\":{\"feature_names\":");
    serde_json::to_writer(&mut out, &names).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    if let Some(feature_views) = feature_views {
        out.extend_from_slice(b",\"feature_view_metadata\":");
        out.extend_from_slice(feature_views.as_bytes());
    }
    out.extend_from_slice(b"},\"results\":[");
    for place in 0..names.len() {
        out.extend_from_slice(if place == 0 { b"{" } else { b",{" });
        append(&mut out, "\"values\"", &parts, |part| part[place].values);
        append(&mut out, ",\"statuses\"", &parts, |part| part[place].statuses);
        append(&mut out, ",\"event_timestamps\"", &parts, |part| part[place].event_timestamps);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

/// One array of all parts, if all of them have it.
fn append<'a>(
    out: &mut Vec<u8>,
    key: &str,
    parts: &[Vec<Column<'a>>],
    array: impl Fn(&[Column<'a>]) -> Option<&'a str>,
) {
    let Some(arrays) = parts.iter().map(|part| array(part)).collect::<Option<Vec<_>>>() else { return };
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b":[");
    for (i, values) in arrays.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(values.as_bytes());
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(rows: usize) -> Request {
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.add_feature("v:b").unwrap();
        request.set_entity_int64("id", &(0..rows as i64).collect::<Vec<_>>()).unwrap();
        request
    }

    fn join_text(bodies: &[&str], rows: usize) -> Result<Response> {
        let bodies: Vec<Vec<u8>> = bodies.iter().map(|body| body.as_bytes().to_vec()).collect();
        decode(&bodies, &request(rows), &mut Layout::default())
    }

    #[test]
    fn answers_in_different_orders_become_one_whose_types_fit_all_rows() {
        let first = r#"{"metadata":{"feature_names":["id","b","a"]},"results":[
            {"values":[0,1],"statuses":["PRESENT","PRESENT"]},
            {"values":["x",null],"statuses":["PRESENT","NULL_VALUE"]},{"values":[1,null]}]}"#;
        let second = r#"{"results":[{"values":[ 2.5 , -1 ],"statuses":[]},{"values":[2,3],"statuses":["PRESENT","PRESENT"]},
            {"values":["[],\"","é"],"statuses":["NOT_FOUND","PRESENT"]}],
            "metadata":{"feature_names":["a","id","b"]}}"#;
        let response = join_text(&[first, second], 4).unwrap();
        assert_eq!(response.int64(0).unwrap(), [0, 1, 2, 3]);
        assert_eq!(response.double(1).unwrap(), [1.0, 0.0, 2.5, -1.0]);
        assert_eq!(response.string(2).unwrap().1, "x[],\"é".as_bytes());
        assert_eq!(response.statuses(2).unwrap(), [1, 2, 3, 1]);
        assert_eq!(response.statuses(1).unwrap(), [1, 2, 1, 1], "made up, since one part has none");
    }

    #[test]
    fn a_part_that_does_not_fit_its_rows_is_refused() {
        let part = |ids: &str| {
            let column = |values: &str| format!("{{\"values\":[{values}]}}");
            let columns = [column(ids), column(ids), column(ids)].join(",");
            format!("{{\"metadata\":{{\"feature_names\":[\"id\",\"a\",\"b\"]}},\"results\":[{columns}]}}")
        };
        assert!(
            join_text(&[&part("0,1"), &part("2")], 3)
                .unwrap_err()
                .message
                .contains("2 values for the 1 rows")
        );
        assert!(join_text(&[&part("0"), &part("1,2")], 3).is_ok(), "the first part is the smaller one");
        assert!(join_text(&[&part("0"), &part("1,2")[1..]], 3).is_err());
    }
}
