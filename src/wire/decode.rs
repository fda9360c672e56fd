//! Reads a server's answer straight into columns, in one pass over its bytes.

use std::borrow::Cow;

use super::request::Request;
use super::scanner::{Fault, Number, RawString, Scanner};
use super::timestamp;
use crate::columns::{Builder, ColumnParts, Mixed, Response};
use crate::error::{Error, Result};

/// Feast's `FieldStatus` (protos/feast/serving/ServingService.proto).
mod status {
    /// Also for words that this library does not know.
    pub const INVALID: u8 = 0;
    pub const PRESENT: u8 = 1;
    pub const NULL_VALUE: u8 = 2;
    pub const NOT_FOUND: u8 = 3;
    pub const OUTSIDE_MAX_AGE: u8 = 4;
}

/// Why an answer cannot be read.
enum Refusal {
    /// The text is not the JSON expected.
    Fault(Fault),
    /// It is, and does not answer the request.
    Answer(String),
    /// Not a refusal: the column must be read again as JSON.
    Mixed,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
    }
}

impl From<Mixed> for Refusal {
    fn from(_: Mixed) -> Refusal {
        Refusal::Mixed
    }
}

type Read<T> = std::result::Result<T, Refusal>;

fn refuse<T>(why: impl Into<String>) -> Read<T> {
    Err(Refusal::Answer(why.into()))
}

/// Reads the body of an HTTP 200 as the answer to `request`.
pub fn decode(body: &[u8], request: &Request) -> Result<Response> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Error::decode(format!("the server's answer is not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    read_answer(text, request).map_err(|refusal| match refusal {
        Refusal::Answer(why) => Error::decode(format!("the server's answer does not fit the request: {why}")),
        Refusal::Fault(fault) => fault_message(text, fault),
        Refusal::Mixed => Error::new(crate::error::Code::Internal, "a column was left half read"),
    })
}

fn fault_message(text: &str, fault: Fault) -> Error {
    let total = text.len();
    let near: String = text.get(fault.at..).unwrap_or_default().chars().take(24).collect();
    let place =
        if near.is_empty() { "at its end".to_owned() } else { format!("near `{}`", near.escape_debug()) };
    Error::decode(format!(
        "the server's answer of {total} bytes cannot be read: {} at byte {}, {place}",
        fault.why, fault.at
    ))
}

fn read_answer(text: &str, request: &Request) -> Read<Response> {
    let expected = request.entities().len() + request.features().map_or(8, <[_]>::len);
    // A cell takes two bytes of text at the least, so a small answer cannot claim much memory.
    let cells = request.rows().saturating_mul(expected).min(text.len() / 2);
    let mut builder = Builder::new(request.rows(), expected.min(text.len()), cells);
    let mut columns: Option<Vec<ColumnParts>> = None;
    let mut names: Option<Vec<Cow<str>>> = None;
    let mut repeats = Repeats::default();
    let mut scanner = Scanner::new(text);
    // The metadata stands before the results in some servers' answers and after them in others'.
    scanner.object(|scanner, key| {
        if key.is("results") {
            let mut read = Vec::with_capacity(expected.min(text.len()));
            scanner.array(|scanner| {
                limit_columns(read.len())?;
                read.push(read_column(scanner, &mut builder, &mut repeats)?);
                Ok::<_, Refusal>(())
            })?;
            if columns.replace(read).is_some() {
                return refuse("`results` stands in it twice");
            }
        } else if key.is("metadata") {
            if names.replace(read_metadata(scanner)?).is_some() {
                return refuse("`metadata` stands in it twice");
            }
        } else {
            scanner.value()?;
        }
        Ok(())
    })?;
    if !scanner.at_end() {
        return Err(
            Fault { at: text.len() - scanner.rest().len(), why: "text after the end of the answer" }.into()
        );
    }
    let Some(columns) = columns else {
        return refuse("it has no `results`");
    };
    let Some(names) = names else {
        return refuse("it has no `metadata.feature_names`");
    };
    if names.len() != columns.len() {
        return refuse(format!("it names {} columns and holds {}", names.len(), columns.len()));
    }
    for (name, parts) in names.iter().zip(&columns) {
        if parts.rows != request.rows() {
            return refuse(format!(
                "column `{name}` has {} rows, {} were asked for",
                parts.rows,
                request.rows()
            ));
        }
    }
    let (order, entities) = arrange(&names, request)?;
    let ordered = order.iter().map(|&at| (names[at].as_ref(), columns[at].clone()));
    Ok(builder.finish(ordered, entities, status::PRESENT, status::NULL_VALUE))
}

/// `{"feature_names": […]}`, or as protobuf's own JSON writes a list: `{"feature_names": {"val": […]}}`.
fn read_metadata<'a>(scanner: &mut Scanner<'a>) -> Read<Vec<Cow<'a, str>>> {
    let mut names = Vec::new();
    scanner.object(|scanner, key| {
        if !key.is("feature_names") {
            scanner.value()?;
            Ok(())
        } else if !names.is_empty() {
            refuse("`feature_names` stands in it twice")
        } else if scanner.peek() == b'{' {
            scanner.object(|scanner, _| read_names(scanner, &mut names))
        } else {
            read_names(scanner, &mut names)
        }
    })?;
    Ok(names)
}

/// A bound on what an answer can make this process store.
fn limit_columns(count: usize) -> Read<()> {
    const MOST_COLUMNS: usize = 100_000;
    if count < MOST_COLUMNS { Ok(()) } else { refuse(format!("it has more than {MOST_COLUMNS} columns")) }
}

fn read_names<'a>(scanner: &mut Scanner<'a>, names: &mut Vec<Cow<'a, str>>) -> Read<()> {
    scanner.array(|scanner| {
        limit_columns(names.len())?;
        let name = scanner.string()?.text().map_err(|why| Refusal::Answer(why.to_owned()))?;
        if name.contains('\0') {
            return refuse("a column's name contains a NUL");
        }
        names.push(name);
        Ok(())
    })
}

fn append(string: RawString, out: &mut Vec<u8>) -> Read<()> {
    string.append_to(out).map_err(|why| Refusal::Answer(why.to_owned()))
}

/// One element of `results`: `{"values": […], "statuses": […], "event_timestamps": […]}`.
fn read_column<'a>(
    scanner: &mut Scanner<'a>,
    builder: &mut Builder,
    repeats: &mut Repeats<'a>,
) -> Read<ColumnParts> {
    let rows = builder.rows();
    let mut parts: Option<ColumnParts> = None;
    let mut statuses = None;
    let mut timestamps = None;
    scanner.object(|scanner, key| {
        if key.is("values") {
            if parts.replace(read_values(scanner, builder)?).is_some() {
                return refuse("a column has `values` twice");
            }
        } else if key.is("statuses") {
            statuses = optional(scanner, |scanner| {
                read_statuses(scanner, builder.statuses(), &mut repeats.status, rows)
            })?;
        } else if key.is("event_timestamps") {
            timestamps = optional(scanner, |scanner| {
                read_timestamps(scanner, builder.event_timestamps(), &mut repeats.timestamp, rows)
            })?;
        } else {
            scanner.value()?;
        }
        Ok(())
    })?;
    let Some(mut parts) = parts else {
        return refuse("a column has no `values`");
    };
    for (what, read) in [("statuses", &statuses), ("event timestamps", &timestamps)] {
        if let Some((_, count)) = read
            && *count != parts.rows
        {
            return refuse(format!("a column has {} values and {count} {what}", parts.rows));
        }
    }
    parts.statuses = statuses.map(|(start, _)| start);
    parts.event_timestamps = timestamps.map(|(start, _)| start);
    Ok(parts)
}

/// An array that may be left out, null or empty; start and length of what was read.
fn optional<'a>(
    scanner: &mut Scanner<'a>,
    read: impl FnOnce(&mut Scanner<'a>) -> Read<(usize, usize)>,
) -> Read<Option<(usize, usize)>> {
    if scanner.literal("null") {
        return Ok(None);
    }
    Ok(Some(read(scanner)?).filter(|&(_, count)| count != 0))
}

fn read_values(scanner: &mut Scanner, builder: &mut Builder) -> Read<ColumnParts> {
    let beginning = scanner.clone();
    builder.begin_column();
    match scanner.array(|scanner| read_value(scanner, builder)) {
        Ok(()) => (),
        Err(Refusal::Mixed) => {
            *scanner = beginning;
            builder.begin_again_as_json();
            scanner.array(|scanner| {
                limit_rows(builder.column_rows(), builder.rows())?;
                if scanner.literal("null") {
                    builder.null();
                } else {
                    builder.json(scanner.value()?);
                }
                Ok::<_, Refusal>(())
            })?;
        }
        Err(refusal) => return Err(refusal),
    }
    Ok(builder.end_column())
}

/// What was not asked for is refused before it is stored.
#[inline]
fn limit_rows(count: usize, asked: usize) -> Read<()> {
    if count < asked { Ok(()) } else { refuse(format!("a column has more than the {asked} rows asked for")) }
}

#[inline]
fn read_value(scanner: &mut Scanner, builder: &mut Builder) -> Read<()> {
    limit_rows(builder.column_rows(), builder.rows())?;
    match scanner.peek() {
        b'"' => {
            let string = scanner.string()?;
            builder.string(|out| append(string, out))?;
        }
        b'n' if scanner.literal("null") => builder.null(),
        b't' if scanner.literal("true") => builder.bool(true)?,
        b'f' if scanner.literal("false") => builder.bool(false)?,
        b'[' | b'{' => return Err(Refusal::Mixed),
        _ => match scanner.number()? {
            Number::Integer(integer) => builder.integer(integer)?,
            Number::Double(double) => builder.double(double)?,
            Number::WideInteger(digits) => builder.wide_integer(digits)?,
        },
    }
    Ok(())
}

/// A string as it was read last, quotes included, and what it meant.
type Last<'a, T> = Option<(&'a [u8], T)>;

/// Statuses and timestamps mostly repeat, from row to row and from column to column, so each string is first
/// compared with the one before.
#[derive(Default)]
struct Repeats<'a> {
    status: Last<'a, u8>,
    timestamp: Last<'a, i64>,
}

fn read_repeating<'a, T: Copy>(
    scanner: &mut Scanner<'a>,
    out: &mut Vec<T>,
    last: &mut Last<'a, T>,
    rows: usize,
    read: impl Fn(RawString<'a>) -> Read<T>,
) -> Read<(usize, usize)> {
    let start = out.len();
    scanner.array(|scanner| {
        limit_rows(out.len() - start, rows)?;
        scanner.peek();
        let rest = scanner.rest();
        if let Some((quoted, value)) = *last
            && rest.starts_with(quoted)
        {
            scanner.skip(quoted.len());
            out.push(value);
            return Ok(());
        }
        let value = read(scanner.string()?)?;
        *last = Some((&rest[..rest.len() - scanner.rest().len()], value));
        out.push(value);
        Ok::<_, Refusal>(())
    })?;
    Ok((start, out.len() - start))
}

fn read_statuses<'a>(
    scanner: &mut Scanner<'a>,
    out: &mut Vec<u8>,
    last: &mut Last<'a, u8>,
    rows: usize,
) -> Read<(usize, usize)> {
    read_repeating(scanner, out, last, rows, |word| {
        Ok(match word.raw {
            "PRESENT" => status::PRESENT,
            "NULL_VALUE" => status::NULL_VALUE,
            "NOT_FOUND" => status::NOT_FOUND,
            "OUTSIDE_MAX_AGE" => status::OUTSIDE_MAX_AGE,
            _ => status::INVALID,
        })
    })
}

fn read_timestamps<'a>(
    scanner: &mut Scanner<'a>,
    out: &mut Vec<i64>,
    last: &mut Last<'a, i64>,
    rows: usize,
) -> Read<(usize, usize)> {
    read_repeating(scanner, out, last, rows, |text| {
        let text = text.text().map_err(|why| Refusal::Answer(why.to_owned()))?;
        match timestamp::parse_nanoseconds(&text) {
            Some(nanoseconds) => Ok(nanoseconds),
            None => refuse(format!("`{text}` is not a timestamp")),
        }
    })
}

/// The order in which the server's columns are handed out (entities as in the request, then the features as
/// asked, or as the server has them for a feature service), and how many of them are entities.
fn arrange(names: &[Cow<str>], request: &Request) -> Read<(Vec<usize>, usize)> {
    let mut entities = vec![None; request.entities().len()];
    let asked = request.features();
    let mut features = vec![None; asked.map_or(0, <[_]>::len)];
    let mut served = Vec::new();
    // Servers often keep the order, so the search begins behind the feature found last.
    let mut next = 0;
    for (at, name) in names.iter().enumerate() {
        let entity = request.entities().iter().position(|column| column.name == *name);
        if let Some(free) = entity.and_then(|entity| entities.get_mut(entity)).filter(|place| place.is_none())
        {
            *free = Some(at);
            continue;
        }
        let Some(asked) = asked else {
            served.push(at);
            continue;
        };
        let found = (next..asked.len())
            .chain(0..next.min(asked.len()))
            .find(|&i| asked[i].is_named(name, request.full_feature_names()));
        let found = match found {
            None if request.full_feature_names() => {
                let mut fitting = (0..asked.len()).filter(|&i| asked[i].is_named_without_version(name));
                let first = fitting.next();
                if fitting.next().is_some() {
                    return refuse(format!(
                        "column `{name}` may be any of several versions that were asked for"
                    ));
                }
                first
            }
            found => found,
        };
        match found {
            Some(i) if features[i].is_none() => {
                features[i] = Some(at);
                next = i + 1;
            }
            Some(_) => return refuse(format!("column `{name}` stands in it twice")),
            None => {
                let advice = match entities.iter().position(Option::is_none) {
                    Some(missing) => format!(
                        " (`{}` is missing: an entity must be named by its join key)",
                        request.entities()[missing].name
                    ),
                    None => String::new(),
                };
                return refuse(format!("column `{name}` was not asked for{advice}"));
            }
        }
    }
    if let (Some(asked), Some(missing)) = (asked, features.iter().position(Option::is_none)) {
        return refuse(format!("feature `{}` is missing", asked[missing].as_str()));
    }
    let order: Vec<usize> = entities.iter().flatten().copied().collect();
    let count = order.len();
    Ok((order.into_iter().chain(features.into_iter().flatten()).chain(served).collect(), count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Type;

    fn ask(features: &[&str], rows: usize) -> Request {
        let mut request = Request::default();
        features.iter().for_each(|feature| request.add_feature(feature).unwrap());
        request.set_entity_int64("id", &vec![7; rows]).unwrap();
        request
    }

    fn column(values: &str) -> Response {
        let rows = serde_json::from_str::<Vec<serde_json::Value>>(values).map_or(1, |values| values.len());
        let body = format!(r#"{{"results":[{{"values":{values}}}],"metadata":{{"feature_names":["f"]}}}}"#);
        decode(body.as_bytes(), &ask(&["v:f"], rows)).unwrap()
    }

    fn texts(response: &Response) -> Vec<String> {
        let (offsets, data) = response.string(0).unwrap();
        let text =
            |pair: &[i64]| String::from_utf8(data[pair[0] as usize..pair[1] as usize].to_vec()).unwrap();
        offsets.windows(2).map(text).collect()
    }

    #[test]
    fn types_follow_the_lattice_whatever_the_order_of_rows() {
        for (values, expected) in [
            ("[null,null]", Type::Null),
            ("[1,null]", Type::Int64),
            ("[1,2.5]", Type::Double),
            ("[2.5,null,1]", Type::Double),
            ("[9007199254740993,0.5]", Type::Json),
            ("[0.5,9007199254740993]", Type::Json),
            ("[9223372036854775808,1]", Type::Double),
            ("[1,9223372036854775808]", Type::Double),
            ("[9223372036854775809]", Type::Json),
            ("[170141183460469231731687303715884105727]", Type::Json),
            ("[1e2,1]", Type::Double),
            ("[true,null,false]", Type::Bool),
            ("[true,1]", Type::Json),
            ("[\"a\",null]", Type::String),
            ("[\"a\",1]", Type::Json),
            ("[1,\"a\"]", Type::Json),
            ("[[1],null]", Type::Json),
            ("[null,{}]", Type::Json),
        ] {
            assert_eq!(column(values).column_type(0), Some(expected), "{values}");
        }
    }

    #[test]
    fn values_arrive_bit_for_bit() {
        assert_eq!(
            column("[9223372036854775807,null,-9223372036854775808]").int64(0).unwrap(),
            [i64::MAX, 0, i64::MIN]
        );
        let doubles = column("[null,-0.0,5e-324,1,1e308]");
        let bits: Vec<u64> = doubles.double(0).unwrap().iter().map(|double| double.to_bits()).collect();
        assert_eq!(bits, [0.0f64, -0.0, 5e-324, 1.0, 1e308].map(f64::to_bits));
        assert_eq!(column("[null,true,false]").bool(0).unwrap(), [0, 1, 0]);
        assert_eq!(texts(&column(r#"["a\n",null,"","\ud83d\ude97"]"#)), ["a\n", "", "", "🚗"]);
        assert_eq!(texts(&column(r#"[[1, 2],null,"x",1.50]"#)), ["[1, 2]", "", "\"x\"", "1.50"]);
        assert_eq!(column("[1,null]").validity(0).unwrap(), [1]);
        assert_eq!(column("[1,2]").validity(0), None);
    }

    const TWO: &str = r#"{"results":[{"values":[7,7],"statuses":["PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},{"values":[1,null],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"]},{"values":[0.5,0.25],"statuses":["OUTSIDE_MAX_AGE","SOMETHING_NEW"]}],"metadata":{"feature_names":["id","b","a"]}}"#;

    #[test]
    fn columns_come_back_in_the_order_asked() {
        let response = decode(TWO.as_bytes(), &ask(&["v:a", "v:b"], 2)).unwrap();
        assert_eq!((response.num_rows(), response.num_columns(), response.num_entities()), (2, 3, 1));
        let names: Vec<_> = (0..3).map(|i| response.name_with_nul(i).unwrap()).collect();
        assert_eq!(names, [b"id\0", b"a\0".as_slice(), b"b\0"]);
        assert_eq!(response.double(1).unwrap(), [0.5, 0.25]);
        assert_eq!(response.int64(2).unwrap(), [1, 0]);
        assert_eq!(response.statuses(2).unwrap(), [1, 3]);
        assert_eq!(response.statuses(1).unwrap(), [4, 0]);
        assert_eq!(response.event_timestamps(2).unwrap(), [1_795_395_600_000_000_000, 0]);
        assert_eq!(response.event_timestamps(1), None);
        assert_eq!(response.find_column(b"b"), Some(2));
        assert_eq!(response.find_column(b"c"), None);
    }

    #[test]
    fn a_server_without_statuses_yields_present_and_null_value() {
        let response = column("[1,null,3]");
        assert_eq!(response.statuses(0).unwrap(), [1, 2, 1]);
    }

    #[test]
    fn metadata_may_come_first_and_as_protobuf_writes_it() {
        let body = r#"{"status":true,"metadata":{"x":{},"feature_names":{"val":["id","f"]}},"results":[{"values":[7]},{"x":[],"statuses":null,"values":[1]}]}"#;
        assert_eq!(decode(body.as_bytes(), &ask(&["v:f"], 1)).unwrap().int64(1).unwrap(), [1]);
    }

    #[test]
    fn an_answer_that_does_not_fit_is_refused_with_its_reason() {
        let request = ask(&["v:a", "v:b"], 2);
        for (from, to, words) in [
            ("\"a\"]", "\"c\"]", "`c` was not asked for"),
            ("\"a\"]", "\"b\"]", "`b` stands in it twice"),
            ("\"id\",\"b\",\"a\"", "\"id\",\"b\"", "names 2 columns and holds 3"),
            ("[7,7]", "[7]", "1 values and 2 statuses"),
            (
                "[0.5,0.25],\"statuses\":[\"OUTSIDE_MAX_AGE\",\"SOMETHING_NEW\"]",
                "[0.5]",
                "`a` has 1 rows, 2 were asked",
            ),
            ("\"id\",", "\"driver\",", "(`id` is missing: an entity must be named by its join key)"),
            ("2026-11-23T01", "2026-11-23 01:0", "is not a timestamp"),
            ("\"metadata\"", "\"meta\"", "no `metadata.feature_names`"),
            ("\"results\"", "\"result\"", "no `results`"),
            ("\"feature_names\":", "\"feature_names\":[\"x\"],\"feature_names\":", "stands in it twice"),
            ("\"values\":[7,7]", "\"val\":[7,7]", "no `values`"),
            ("\"b\",\"a\"", "\"b\",\"a\\u0000\"", "contains a NUL"),
            ("\"values\":[7,7]", "\"values\":7", "an array was expected at byte 22, near `7,"),
        ] {
            assert!(TWO.contains(from), "{from}");
            let body = TWO.replacen(from, to, 1);
            let error = decode(body.as_bytes(), &request).unwrap_err();
            assert!(error.message.contains(words), "{words}: {error}");
        }
        let fewer = TWO
            .replace(r#"{"values":[0.5,0.25],"statuses":["OUTSIDE_MAX_AGE","SOMETHING_NEW"]}"#, "")
            .replace("},],", "}],");
        let fewer = fewer.replace(",\"a\"]", "]");
        assert!(decode(fewer.as_bytes(), &request).unwrap_err().message.contains("feature `v:a` is missing"));
    }

    #[test]
    fn versions_of_a_feature_are_told_apart_or_refused() {
        let answer = |names: &str| {
            format!(
                r#"{{"results":[{{"values":[7]}},{{"values":[1]}},{{"values":[2]}}],"metadata":{{"feature_names":["id",{names}]}}}}"#
            )
        };
        let ask_full = |features: &[&str]| {
            let mut request = ask(features, 1);
            request.set_full_feature_names(true);
            request
        };
        let request = ask_full(&["v@v2:f", "v:f"]);
        for (names, first) in [(r#""v__f","v@v2__f""#, 2), (r#""v@v2__f","v__f""#, 1)] {
            let response = decode(answer(names).as_bytes(), &request).unwrap();
            assert_eq!(response.int64(1).unwrap(), [first], "{names}");
        }
        let versions = ask_full(&["v@v2:f", "v@v3:f"]);
        let error = decode(answer(r#""v__f","v__f""#).as_bytes(), &versions).unwrap_err();
        assert!(error.message.contains("may be any of several versions"), "{error}");
    }

    #[test]
    fn more_than_was_asked_for_is_refused_before_it_is_stored() {
        let many = format!(r#"{{"results":[{{"values":[{}1]}}]}}"#, "1,".repeat(100_000));
        let error = decode(many.as_bytes(), &ask(&["v:f"], 2)).unwrap_err();
        assert!(error.message.contains("more than the 2 rows"), "{error}");
        let names = format!(r#"{{"metadata":{{"feature_names":[{}""]}}}}"#, "\"\",".repeat(100_001));
        let error = decode(names.as_bytes(), &ask(&["v:f"], 2)).unwrap_err();
        assert!(error.message.contains("more than 100000 columns"), "{error}");
        // A huge question and a tiny answer: no memory is claimed for what cannot come.
        assert!(decode(b"{}", &ask(&["v:f"], 1 << 20)).is_err());
    }

    #[test]
    fn every_truncation_of_an_answer_is_an_error_and_none_panics() {
        let request = ask(&["v:a", "v:b"], 2);
        for end in 0..TWO.len() {
            assert!(decode(&TWO.as_bytes()[..end], &request).is_err(), "{end}");
        }
        for (at, _) in TWO.bytes().enumerate() {
            for byte in [0, b'"', b'[', b'}', b'9', b'-', b'\\', 0xff] {
                let mut body = TWO.as_bytes().to_vec();
                body[at] = byte;
                let _ = decode(&body, &request);
            }
        }
        assert!(
            decode(format!("{TWO} x").as_bytes(), &request).unwrap_err().message.contains("after the end")
        );
        assert!(decode(b"<html>", &request).unwrap_err().message.contains("an object was expected"));
    }
}
