//! The answer to a merged request, cut into the answers that its members would have got alone: texts again, each of which is
//! read like any other.

use super::decode::{message, utf8};
use super::error::{ReadResult, refuse};
use super::frame::{self, Columns, Layout};
use super::scanner::Scanner;
use crate::error::{Code, Error, Result};
use crate::wire::request::Request;

/// The text of each member's elements of one array, brackets excluded.
type Slices<'a> = Vec<&'a str>;

/// What members get of one column.
#[derive(Default)]
struct ColumnSlices<'a> {
    values: Option<Slices<'a>>,
    statuses: Option<Slices<'a>>,
    event_timestamps: Option<Slices<'a>>,
}

/// All columns, in the server's order.
struct Cutter<'a, 'r> {
    /// The rows of each member, at least one.
    rows: &'r [usize],
    columns: Vec<ColumnSlices<'a>>,
}

impl<'a> Columns<'a> for Cutter<'a, '_> {
    fn begin(&mut self, _text: &'a str, _layout: &Layout, _request: &Request) -> ReadResult<()> {
        self.columns.clear();
        Ok(())
    }

    fn column(&mut self, scanner: &mut Scanner<'a>, _place: usize) -> ReadResult<()> {
        let rows = self.rows;
        let mut column = ColumnSlices::default();
        scanner.object(|scanner, key| {
            let (slices, what) = if key.is("values") {
                (&mut column.values, "values")
            } else if key.is("statuses") {
                (&mut column.statuses, "statuses")
            } else if key.is("event_timestamps") {
                (&mut column.event_timestamps, "event timestamps")
            } else {
                scanner.value()?;
                return Ok(());
            };
            if slices.is_some() {
                return refuse(format!("its {what} stand in it twice"));
            }
            // The Go server says null where it says nothing.
            if scanner.literal("null") {
                return Ok(());
            }
            *slices = slice(scanner, rows, what)?;
            Ok(())
        })?;
        if column.values.is_none() {
            return refuse("it has no `values`");
        }
        self.columns.push(column);
        Ok(())
    }
}

/// An array cut by the members' rows; `None` for an empty one, which is as good as none.
fn slice<'a>(scanner: &mut Scanner<'a>, rows: &[usize], what: &str) -> ReadResult<Option<Slices<'a>>> {
    let mut slices = Vec::with_capacity(rows.len());
    let mut left = rows.iter();
    // Rows that the member at hand still misses, and where its text begins and ends so far.
    let (mut missing, mut start, mut count) = (0, 0, 0);
    scanner.array(|scanner| {
        scanner.peek();
        if missing == 0 {
            missing = match left.next() {
                Some(&rows) => rows,
                None => return refuse(format!("it has more {what} than rows were asked for")),
            };
            start = scanner.at();
        }
        scanner.value()?;
        count += 1;
        missing -= 1;
        if missing == 0 {
            slices.push(scanner.since(start));
        }
        Ok(())
    })?;
    if count == 0 {
        return Ok(None);
    }
    if slices.len() != rows.len() {
        return refuse(format!("it has {count} {what}, fewer than rows were asked for"));
    }
    Ok(Some(slices))
}

/// Cuts the body of the HTTP 200 that answers `request`, which asked for the `rows` of each member, one after the other.
/// Nothing is handed out unless every array has a value for each row.
pub fn cut(body: &[u8], request: &Request, rows: &[usize], layout: &mut Layout) -> Result<Vec<Vec<u8>>> {
    let text = utf8(body)?;
    let mut cutter = Cutter { rows, columns: Vec::new() };
    frame::read(text, request, layout, &mut cutter).map_err(|error| message(text, error))?;
    let metadata = layout.metadata_in(text);
    let columns = &cutter.columns;
    (0..rows.len()).map(|member| assemble(metadata, columns, member)).collect()
}

fn assemble(metadata: &str, columns: &[ColumnSlices], member: usize) -> Result<Vec<u8>> {
    let arrays = |column: &ColumnSlices| {
        [&column.values, &column.statuses, &column.event_timestamps]
            .map(|slices| slices.as_ref().map_or(0, |slices| slices[member].len()))
            .iter()
            .sum::<usize>()
    };
    let size = metadata.len() + 32 + columns.iter().map(|column| arrays(column) + 64).sum::<usize>();
    let mut out = Vec::new();
    let no_memory = |_| Error::new(Code::Internal, "not enough memory to cut the answer to a merged request");
    out.try_reserve_exact(size).map_err(no_memory)?;
    out.extend_from_slice(b"{\"metadata\":");
    out.extend_from_slice(metadata.as_bytes());
    out.extend_from_slice(b",\"results\":[");
    for (i, column) in columns.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"{" } else { b",{" });
        append(&mut out, "\"values\"", &column.values, member);
        append(&mut out, ",\"statuses\"", &column.statuses, member);
        append(&mut out, ",\"event_timestamps\"", &column.event_timestamps, member);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

fn append(out: &mut Vec<u8>, key: &str, slices: &Option<Slices>, member: usize) {
    if let Some(slices) = slices {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b":[");
        out.extend_from_slice(slices[member].as_bytes());
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::*;

    const ANSWER: &str = r#"{"metadata":{"feature_names":["id","b"]},"results":[
        {"values":[1,2,3],"statuses":["PRESENT","PRESENT","PRESENT"]},
        {"values":[ "],\"" , null,[1, {"x":2}]],"statuses":["PRESENT","NULL_VALUE","NOT_FOUND"],
         "event_timestamps":["1970-01-01T00:00:01Z","1970-01-01T00:00:02Z", "1970-01-01T00:00:03Z"],"other":[1]}]}"#;

    fn request(rows: usize) -> Request {
        let mut request = Request::default();
        request.add_feature("v:b").unwrap();
        request.set_entity_int64("id", &vec![0; rows]).unwrap();
        request
    }

    fn cut_text(body: &str, rows: &[usize]) -> Result<Vec<String>> {
        let members = cut(body.as_bytes(), &request(rows.iter().sum()), rows, &mut Layout::default())?;
        Ok(members.into_iter().map(|body| String::from_utf8(body).unwrap()).collect())
    }

    #[test]
    fn each_member_gets_its_rows_with_the_same_metadata() {
        let members = cut_text(ANSWER, &[1, 2]).unwrap();
        let expected = r#"{"metadata":{"feature_names":["id","b"]},"results":[{"values":[1],"statuses":["PRESENT"]},{"values":["],\""],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:01Z"]}]}"#;
        assert_eq!(members[0], expected);
        let second = decode(members[1].as_bytes(), &request(2), &mut Layout::default()).unwrap();
        assert_eq!(second.statuses(1).unwrap(), [2, 3]);
        assert_eq!(second.int64(0).unwrap(), [2, 3]);
        // An answer to one member alone stays what it is, but for what nobody reads.
        assert_eq!(cut_text(&members[0], &[1]).unwrap()[0], members[0]);
    }

    #[test]
    fn an_array_of_other_than_the_rows_asked_for_is_refused() {
        for rows in [&[1, 1][..], &[2, 2], &[4]] {
            assert!(cut_text(ANSWER, rows).is_err(), "{rows:?}");
        }
        let fewer = ANSWER.replace(r#""PRESENT","NULL_VALUE","NOT_FOUND""#, r#""PRESENT","NULL_VALUE""#);
        assert!(cut_text(&fewer, &[1, 2]).unwrap_err().message.contains("`b`: it has 2 statuses"));
        assert!(cut_text(&ANSWER[..ANSWER.len() - 1], &[1, 2]).is_err());
    }
}
