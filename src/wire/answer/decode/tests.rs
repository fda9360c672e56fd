//! Which answers are read, and which are refused and why.

mod matrices;
mod max_age;
mod types;

use super::super::frame::Layout;
use super::super::scanner::Scanner;
use crate::columns::{Dense, Element, Items, Matrix, Response, Type};
use crate::error::{Code, Result};
use crate::wire::request::{Request, Role};
fn decode(body: &[u8], request: &Request) -> Result<Response> {
    super::decode(body, request, &mut Layout::default())
}

fn ask(features: &[&str], rows: usize) -> Request {
    let mut request = Request::default();
    features.iter().for_each(|feature| request.add_feature(feature).unwrap());
    request.set_entity_int64("id", &vec![7; rows]).unwrap();
    request
}

fn count(values: &str) -> usize {
    let mut count = 0;
    let mut scanner = Scanner::new(values);
    let counted = scanner.array(|scanner| {
        count += 1;
        scanner.value().map(drop)
    });
    counted.unwrap();
    count
}

fn column(values: &str) -> Response {
    let rows = count(values);
    let body = format!(r#"{{"results":[{{"values":{values}}}],"metadata":{{"feature_names":["f"]}}}}"#);
    decode(body.as_bytes(), &ask(&["v:f"], rows)).unwrap()
}

/// Takes a matrix, and notes what is written twice or beyond it.
struct Cells {
    values: Vec<f32>,
    statuses: Vec<u8>,
}

impl Matrix<f32> for Cells {
    fn put(&mut self, at: usize, value: f32) {
        self.values[at] = value;
    }
    fn put_status(&mut self, at: usize, status: u8) {
        self.statuses[at] = status;
    }
}

const UNTOUCHED: f32 = -77.0;

fn dense(body: &str, request: &Request, row_stride: usize) -> Result<(Vec<f32>, Vec<u8>)> {
    let size = request.rows() * row_stride;
    let mut out = Cells { values: vec![UNTOUCHED; size], statuses: vec![99; size] };
    let mut dense = Dense { out: &mut out, statuses: true, row_stride, missing: -1.0 };
    super::decode_into(body.as_bytes(), request, &mut Layout::default(), &mut dense)?;
    Ok((out.values, out.statuses))
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
        ("\"id\",\"b\",\"a\"", "\"id\",\"b\"", "feature `v:a` is missing"),
        ("{\"values\":[7,7]", "{\"values\":[7,7]},{\"values\":[7,7]", "names 3 columns and holds more"),
        (
            r#"{"values":[7,7],"statuses":["PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},"#,
            "",
            "names 3 columns and holds 2",
        ),
        ("[7,7]", "[7]", "column `id`: it has 1 values and 2 statuses"),
        (
            "[0.5,0.25],\"statuses\":[\"OUTSIDE_MAX_AGE\",\"SOMETHING_NEW\"]",
            "[0.5]",
            "column `a`: it has 1 rows, 2 were asked",
        ),
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
fn an_entity_asked_for_by_its_own_name_is_answered_by_its_join_key() {
    let response =
        decode(TWO.replacen("\"id\",", "\"driver_id\",", 1).as_bytes(), &ask(&["v:a", "v:b"], 2)).unwrap();
    assert_eq!((response.num_entities(), response.name(0)), (1, Some(&b"driver_id"[..])));
    assert_eq!((response.int64(0).unwrap(), response.double(1).unwrap()), (&[7, 7][..], &[0.5, 0.25][..]));

    let answer = |names: &str| {
        format!(
            r#"{{"results":[{{"values":[1]}},{{"values":[2]}},{{"values":[3]}}],"metadata":{{"feature_names":[{names}]}}}}"#
        )
    };
    let mut request = Request::default();
    request.add_feature("v:f").unwrap();
    request.set_entity_int64("driver", &[1]).unwrap();
    request.set_entity_int64("customer", &[2]).unwrap();
    let response = decode(answer(r#""driver_id","customer_id","f""#).as_bytes(), &request).unwrap();
    assert_eq!(
        [0, 1, 2].map(|column| response.int64(column).unwrap()[0]),
        [1, 2, 3],
        "in the order of the request"
    );
    let response = decode(answer(r#""driver_id","customer","f""#).as_bytes(), &request).unwrap();
    assert_eq!([0, 1, 2].map(|column| response.int64(column).unwrap()[0]), [1, 2, 3]);
    // It comes before the features.
    let error = decode(answer(r#""customer","f","driver_id""#).as_bytes(), &request).unwrap_err();
    assert!(error.message.contains("`driver_id` was not asked for"), "{error}");
    // Request data is no entity.
    request.set_int64(Role::RequestData, "customer", &[2]).unwrap();
    let error = decode(answer(r#""driver_id","customer_id","f""#).as_bytes(), &request).unwrap_err();
    assert!(error.message.contains("`customer_id` was not asked for"), "{error}");
}

#[test]
fn a_feature_that_is_named_like_request_data_is_the_feature() {
    let body = r#"{"results":[{"values":[1]},{"values":[2]},{"values":[3]}],"metadata":{"feature_names":["id","x","y"]}}"#;
    let mut request = Request::default();
    request.set_entity_int64("id", &[1]).unwrap();
    request.set_int64(Role::RequestData, "x", &[9]).unwrap();
    let mut service = request.clone();
    service.set_feature_service("s").unwrap();
    request.add_feature("v:x").unwrap();
    request.add_feature("v:y").unwrap();
    for request in [&request, &service] {
        let response = decode(body.as_bytes(), request).unwrap();
        assert_eq!((response.num_entities(), response.int64(1).unwrap()), (1, &[2][..]));
    }
}

#[test]
fn versions_of_feature_views_are_told_with_the_answer() {
    let body = |views: &str| {
        format!(
            r#"{{"results":[{{"values":[7]}},{{"values":[1]}}],"metadata":{{"feature_names":["id","f"]{views}}}}}"#
        )
    };
    let told = |views: &str| {
        let mut request = ask(&["v:f"], 1);
        request.set_include_feature_view_version_metadata(true);
        decode(body(views).as_bytes(), &request).map(|response| {
            let views = response.feature_views().iter();
            views.map(|view| (view.name.to_str().unwrap().to_owned(), view.version)).collect::<Vec<_>>()
        })
    };
    assert_eq!(
        told(r#","feature_view_metadata":[{"name":"v","version":2}]"#).unwrap(),
        [("v".to_owned(), 2)]
    );
    assert_eq!(told("").unwrap(), []);
    let error = told(r#","feature_view_metadata":7"#).unwrap_err();
    assert!(error.message.contains("feature_view_metadata"), "{error}");
    let unasked = body(r#","feature_view_metadata":7"#);
    assert!(decode(unasked.as_bytes(), &ask(&["v:f"], 1)).unwrap().feature_views().is_empty());
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
    let many = format!(
        r#"{{"results":[{{"values":[{}1]}}],"metadata":{{"feature_names":["f"]}}}}"#,
        "1,".repeat(100_000)
    );
    let error = decode(many.as_bytes(), &ask(&["v:f"], 2)).unwrap_err();
    assert!(error.message.contains("more than the 2 rows"), "{error}");
    let names = format!(r#"{{"results":[],"metadata":{{"feature_names":[{}""]}}}}"#, "\"\",".repeat(100_001));
    let error = decode(names.as_bytes(), &ask(&["v:f"], 2)).unwrap_err();
    assert!(error.message.contains("more than 100000 columns"), "{error}");
    let long = format!(r#"{{"results":[],"metadata":{{"feature_names":["{}"]}}}}"#, "x".repeat(5000));
    let error = decode(long.as_bytes(), &ask(&["v:f"], 2)).unwrap_err();
    assert!(error.message.contains("name has more than 4096 bytes"), "{error}");
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
    assert!(decode(format!("{TWO} x").as_bytes(), &request).unwrap_err().message.contains("after the end"));
    assert!(decode(b"<html>", &request).unwrap_err().message.contains("an object was expected"));
}

#[test]
fn an_unknown_escape_is_no_json_wherever_it_stands() {
    let answer = r#"{"results":[{"values":[1]},{"values":[2],"statuses":["PRESENT"],"more":["x"]}],"metadata":{"feature_names":["id","f"]}}"#;
    let request = ask(&["v:f"], 1);
    decode(answer.as_bytes(), &request).unwrap();
    for place in ["results", "values", "statuses", "PRESENT", "more", "x", "metadata", "feature_names", "id"]
    {
        let broken = answer.replace(&format!("\"{place}\""), &format!("\"{place}\\q\""));
        let error = decode(broken.as_bytes(), &request).unwrap_err();
        assert_eq!(error.code, Code::Decode, "{place}: {error}");
        assert!(error.message.contains("an unknown escape in a string"), "{place}: {error}");
    }
}

#[test]
fn the_metadata_is_found_wherever_it_stands() {
    let request = ask(&["v:f"], 1);
    for body in [
        // Decoys: a value, a key of a map, an earlier key of the same name within another.
        r#"{"results":[{"values":[7]},{"values":["metadata"]}],"metadata":{"feature_names":["id","f"]}}"#,
        r#"{"results":[{"values":[7]},{"values":[{"metadata":{"feature_names":["f","id"]}}]}],"metadata":{"feature_names":["id","f"]}}"#,
        r#"{"x":0,"metadata":{"feature_names":["id","f"]},"results":[{"values":[7]},{"values":[{"metadata":{"feature_names":["f","id"]}}]}]}"#,
        r#"{"x":{"metadata":1},"metadata" : {"feature_names":["id","f"]},"results":[{"values":[7]},{"values":[{}]}]}"#,
        r#"{"metadata":{"feature_names":["id","\u0066"]},"results":[{"values":[7]},{"values":[{"metadata":0}]}],"more":{"metadata":{"feature_names":[]}}}"#,
        r#"{"met\u0061data":{"feature_names":["id","f"]},"results":[{"values":[7]},{"values":[[[]]]}]}"#,
    ] {
        let response = decode(body.as_bytes(), &request).unwrap_or_else(|error| panic!("{error} in {body}"));
        assert_eq!(response.int64(0).unwrap(), [7], "{body}");
        assert_eq!(response.name(1).unwrap(), b"f", "{body}");
    }
    let twice = r#"{"metadata":{"feature_names":["id","f"]},"results":[{"values":[7]},{"values":[1]}],"metadata":{"feature_names":["id","f"]}}"#;
    assert!(
        decode(twice.as_bytes(), &request).unwrap_err().message.contains("`metadata` stands in it twice")
    );
}

/// As the Go server writes (encoding/json of maps sorts the keys; arrow/go writes the values).
#[test]
fn the_go_servers_dialect_is_read() {
    let body = r#"{"metadata":{"feature_names":["driver_id","f32","f64","when","text","flag","vec","blob"]},"results":[
        {"event_timestamps":["2026-11-23T07:00:00Z","2026-11-23T07:00:00Z"],"statuses":["PRESENT","PRESENT"],"values":[1001,9999]},
        {"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"],"statuses":["OUTSIDE_MAX_AGE","NOT_FOUND"],"values":[0.1,null]},
        {"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"],"statuses":["PRESENT","PRESENT"],"values":["+Inf",-0]},
        {"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"],"statuses":["PRESENT","NOT_FOUND"],"values":["2023-11-14 22:13:20Z",null]},
        {"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"],"statuses":["PRESENT","NOT_FOUND"],"values":["\u003ca\u0026b\u003e",null]},
        {"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"],"statuses":["PRESENT","NOT_FOUND"],"values":[true,null]},
        {"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"],"statuses":["PRESENT","NOT_FOUND"],"values":[["NaN",1,1e-07],null]},
        {"event_timestamps":["2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"],"statuses":["PRESENT","NOT_FOUND"],"values":["AAEC",null]}]}
"#;
    let mut request = Request::default();
    for (feature, kind) in [
        ("v:f32", Type::of(Element::Float)),
        ("v:f64", Type::of(Element::Double)),
        ("v:when", Type::of(Element::UnixTimestamp)),
        ("v:text", Type::NULL),
        ("v:flag", Type::NULL),
        ("v:vec", Type::list_of(Element::Float)),
        ("v:blob", Type::of(Element::Bytes)),
    ] {
        request.add_typed_feature(feature, kind).unwrap();
    }
    request.set_entity_int64("driver_id", &[1001, 9999]).unwrap();
    let response = decode(body.as_bytes(), &request).unwrap();
    assert_eq!(response.float(1).unwrap(), [0.1, 0.0]);
    assert_eq!(
        (response.statuses(1).unwrap(), response.statuses(2).unwrap()),
        ([4, 3].as_slice(), [1, 1].as_slice())
    );
    let doubles = response.double(2).unwrap();
    assert!(doubles[0] == f64::INFINITY && doubles[1] == 0.0 && doubles[1].is_sign_negative());
    assert_eq!(response.int64(3).unwrap(), [1_700_000_000, 0]);
    assert_eq!(response.string(4).unwrap().1, b"<a&b>");
    assert_eq!(response.bool(5).unwrap(), [1, 0]);
    let Some(Items::Float([nan, one, small])) = response.items(6) else { panic!("{response:?}") };
    assert!(nan.is_nan() && *one == 1.0 && *small == 1e-7);
    assert_eq!(response.string(7).unwrap().1, [0, 1, 2]);
    assert_eq!(response.event_timestamps(1).unwrap(), [1_795_395_600_000_000_000, 0]);
    // Without `?status=true` there are values alone.
    let bare = r#"{"metadata":{"feature_names":["id","f"]},"results":[{"values":[7]},{"values":[null]}]}"#;
    assert_eq!(decode(bare.as_bytes(), &ask(&["v:f"], 1)).unwrap().statuses(1).unwrap(), [2]);

    // Straight into a matrix, statuses come before the values, and so before it is known how wide lists are.
    let go = |values: &str| {
        format!(
            r#"{{"metadata":{{"feature_names":["a","b"]}},"results":[{{"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T01:00:00Z"],"statuses":["PRESENT","OUTSIDE_MAX_AGE"],"values":{values}}},{{"event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T01:00:00Z"],"statuses":["NOT_FOUND","PRESENT"],"values":[null,4]}}]}}"#
        )
    };
    let request = ask(&["v:a", "v:b"], 2);
    assert_eq!(dense(&go("[1,2]"), &request, 2).unwrap(), (vec![1.0, -1.0, 2.0, 4.0], vec![1, 3, 4, 1]));
    let lists = dense(&go("[[1,2],[3,4]]"), &request, 3).unwrap();
    assert_eq!(lists, (vec![1.0, 2.0, -1.0, 3.0, 4.0, 4.0], vec![1, 1, 3, 4, 4, 1]));
}

/// Decisions that INTERNALS.md lists.
#[test]
fn odd_answers_are_treated_as_documented() {
    let request = ask(&["v:f"], 1);
    let body = |value: &str, more: &str| {
        format!(
            r#"{{"results":[{{"values":[7]}},{{"values":[{value}]{more}}}],"metadata":{{"feature_names":["id","f"]}}}}"#
        )
    };
    let refused = |body: &str| decode(body.as_bytes(), &request).unwrap_err().message;
    let marked = decode(format!("\u{feff}{}", body("1", "")).as_bytes(), &request).unwrap();
    assert_eq!(marked.int64(1).unwrap(), [1], "a byte order mark is passed over");
    let escaped = body("1", r#","statuses":["\u0050RESENT"],"event_timestamps":[null]"#);
    let escaped = decode(escaped.as_bytes(), &request).unwrap();
    assert_eq!((escaped.statuses(1).unwrap(), escaped.event_timestamps(1).unwrap()), (&[1][..], &[0][..]));
    assert!(refused(&format!("{}}}", body("1", ""))).contains("text after the end"));
    assert!(refused(&body(r#""\ud83d""#, "")).contains("lone surrogate"));
    assert!(refused(&body("1", r#","values":[2]"#)).contains("column `f`: `values` stands in it twice"));
    assert!(refused(&body("1", r#","statuses":["PRESENT","PRESENT"]"#)).contains("more than the 1 rows"));
    assert!(
        refused(&body(&format!("{}{}", "[".repeat(200), "]".repeat(200)), ""))
            .contains("nested more than 128")
    );
    assert!(decode(b"\xff", &request).unwrap_err().message.contains("not UTF-8 at byte 0"));
    let odd = decode(
        body("1", r#","statuses":["LATER"],"event_timestamps":null,"new":{"k":[]}"#).as_bytes(),
        &request,
    );
    let odd = odd.unwrap();
    assert_eq!((odd.statuses(1).unwrap(), odd.event_timestamps(1)), ([0].as_slice(), None));
    let white = body("1", "").replace(':', " :\n").replace(',', "\t,\r ");
    assert_eq!(decode(white.as_bytes(), &request).unwrap().int64(1).unwrap(), [1]);
}
