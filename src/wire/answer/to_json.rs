//! An answer's columns as one JSON text, for languages whose JSON parser is their quickest way to values of their own.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::columns::{Element, Items, Response, is_valid};
use crate::error::{Code, Error, Result};
use crate::wire::json::{write_integer, write_string};

/// `{"NAME":[VALUE,…],…}`, as `feast_response_to_json` tells it.
pub fn to_json(response: &Response) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(2 * response.size());
    out.push(b'{');
    for column in 0..response.num_columns() {
        separate(&mut out, column);
        write_string(&mut out, utf8(response.name(column).unwrap_or_default())?)?;
        out.extend_from_slice(b":[");
        write_rows(&mut out, response, column)?;
        out.push(b']');
    }
    out.push(b'}');
    Ok(out)
}

fn write_rows(out: &mut Vec<u8>, response: &Response, column: usize) -> Result<()> {
    let Some((kind, items)) = response.column_type(column).zip(response.items(column)) else { return Ok(()) };
    let validity = response.validity(column);
    let lists = response.list_offsets(column);
    let item_validity = response.item_validity(column);
    for row in 0..response.num_rows() {
        separate(out, row);
        match lists {
            _ if !is_valid(validity, row) => out.extend_from_slice(b"null"),
            None => write_item(out, kind.element, items, row)?,
            Some(offsets) => {
                let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
                out.push(b'[');
                for item in start..end {
                    separate(out, item - start);
                    if is_valid(item_validity, item) {
                        write_item(out, kind.element, items, item)?;
                    } else {
                        out.extend_from_slice(b"null");
                    }
                }
                out.push(b']');
            }
        }
    }
    Ok(())
}

fn separate(out: &mut Vec<u8>, place: usize) {
    if place > 0 {
        out.push(b',');
    }
}

fn write_item(out: &mut Vec<u8>, element: Element, items: Items<'_>, place: usize) -> Result<()> {
    match items {
        Items::Null => out.extend_from_slice(b"null"),
        Items::Bool(values) => out.extend_from_slice(if values[place] != 0 { b"true" } else { b"false" }),
        Items::Int32(values) => write_integer(out, values[place].into()),
        Items::Int64(values) => write_integer(out, values[place]),
        Items::Float(values) => return write_real(out, values[place].into()),
        Items::Double(values) => return write_real(out, values[place]),
        Items::Text(offsets, text) => {
            let text = &text[offsets[place] as usize..offsets[place + 1] as usize];
            match element {
                Element::Json => out.extend_from_slice(text),
                Element::Bytes => {
                    out.push(b'"');
                    out.extend_from_slice(STANDARD.encode(text).as_bytes());
                    out.push(b'"');
                }
                _ => return write_string(out, utf8(text)?),
            }
        }
    }
    Ok(())
}

/// What is no number has the names that Python and JavaScript know.
fn write_real(out: &mut Vec<u8>, value: f64) -> Result<()> {
    let written = match value {
        value if value.is_finite() => return serde_json::to_writer(out, &value).map_err(internal),
        value if value.is_nan() => out.write_all(b"NaN"),
        value if value > 0.0 => out.write_all(b"Infinity"),
        _ => out.write_all(b"-Infinity"),
    };
    written.map_err(internal)
}

fn utf8(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::new(Code::Internal, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Type;
    use crate::wire::answer::decode::decode;
    use crate::wire::answer::frame::Layout;
    use crate::wire::request::Request;

    fn json_of(kind: Type, values: &str, rows: usize) -> String {
        let mut request = Request::default();
        request.add_typed_feature("v:a", kind).unwrap();
        request.set_entity_int64("id", &vec![7; rows]).unwrap();
        let statuses = vec!["\"PRESENT\""; rows].join(",");
        let body = format!(
            r#"{{"metadata":{{"feature_names":["a"]}},"results":[{{"values":[{values}],"statuses":[{statuses}]}}]}}"#
        );
        let response = decode(body.as_bytes(), &request, &mut Layout::default()).unwrap();
        String::from_utf8(to_json(&response).unwrap()).unwrap()
    }

    #[test]
    fn a_value_is_written_by_its_columns_type() {
        let list = Type::list_of;
        for (kind, values, rows, expected) in [
            (Type::NULL, "1,null,-9223372036854775808", 3, "[1,null,-9223372036854775808]"),
            (Type::NULL, "null", 1, "[null]"),
            (Type::NULL, "true,null,false", 3, "[true,null,false]"),
            (Type::NULL, "1,0.1", 2, "[1.0,0.1]"),
            (Type::NULL, r#"1.5,"NaN","-Infinity""#, 3, "[1.5,NaN,-Infinity]"),
            (Type::NULL, r#""a\"\u00f6\n",null,"""#, 3, "[\"a\\\"\u{f6}\\n\",null,\"\"]"),
            (Type::NULL, r#"{"k": [1, NaN]},null"#, 2, r#"[{"k": [1, NaN]},null]"#),
            (Type::NULL, "[1,null],[],null", 3, "[[1,null],[],null]"),
            (Type::of(Element::Float), "0.1,null", 2, "[0.10000000149011612,null]"),
            (Type::of(Element::Double), "3,1e300", 2, "[3.0,1e+300]"),
            (Type::of(Element::Bytes), r#""AAE=",null"#, 2, r#"["AAE=",null]"#),
            (Type::of(Element::UnixTimestamp), "5,null", 2, "[5,null]"),
            (list(Element::String), r#"["x","y"],null"#, 2, r#"[["x","y"],null]"#),
            (list(Element::Float), "[0.5,2]", 1, "[[0.5,2.0]]"),
        ] {
            assert_eq!(json_of(kind, values, rows), format!("{{\"a\":{expected}}}"), "{values}");
        }
    }
}
