use super::super::frame::Layout;
use super::super::scanner::Scanner;
use crate::columns::{Dense, Element, Items, Matrix, Response, Type};
use crate::error::{Code, Result};
use crate::wire::request::Request;

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

fn texts(response: &Response) -> Vec<String> {
    let (offsets, data) = response.string(0).unwrap();
    let text = |pair: &[i64]| String::from_utf8(data[pair[0] as usize..pair[1] as usize].to_vec()).unwrap();
    offsets.windows(2).map(text).collect()
}

#[test]
fn types_follow_the_lattice_whatever_the_order_of_rows() {
    for (values, expected) in [
        ("[null,null]", Element::Null),
        ("[1,null]", Element::Int64),
        ("[1,2.5]", Element::Double),
        ("[2.5,null,1]", Element::Double),
        ("[9007199254740993,0.5]", Element::Json),
        ("[0.5,9007199254740993]", Element::Json),
        ("[9223372036854775808,1]", Element::Double),
        ("[1,9223372036854775808]", Element::Double),
        ("[9223372036854775809]", Element::Json),
        ("[170141183460469231731687303715884105727]", Element::Json),
        ("[1e2,1]", Element::Double),
        ("[true,null,false]", Element::Bool),
        ("[true,1]", Element::Json),
        ("[\"a\",null]", Element::String),
        ("[\"a\",1]", Element::Json),
        ("[1,\"a\"]", Element::Json),
        ("[null,{}]", Element::Json),
    ] {
        assert_eq!(column(values).column_type(0), Some(Type::of(expected)), "{values}");
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
fn lists_follow_the_same_lattice() {
    for (values, expected) in [
        ("[[1,2],null,[]]", Type::list_of(Element::Int64)),
        ("[null,[],[1]]", Type::list_of(Element::Int64)),
        ("[[],[1],[0.5]]", Type::list_of(Element::Double)),
        ("[[0.5,1],[2]]", Type::list_of(Element::Double)),
        ("[[9007199254740993,0.5]]", Type::JSON),
        ("[[null,1]]", Type::list_of(Element::Int64)),
        ("[[null],null]", Type::list_of(Element::Null)),
        ("[[],[]]", Type::list_of(Element::Null)),
        ("[[true],[false,null]]", Type::list_of(Element::Bool)),
        ("[[\"a\"],[\"b\",\"\"]]", Type::list_of(Element::String)),
        ("[[\"a\",1]]", Type::JSON),
        ("[[1],1]", Type::JSON),
        ("[1,[1]]", Type::JSON),
        ("[[],1]", Type::JSON),
        ("[[[1]]]", Type::JSON),
        ("[[{}]]", Type::JSON),
        ("[{},[1]]", Type::JSON),
    ] {
        assert_eq!(column(values).column_type(0), Some(expected), "{values}");
    }
    let lists = column("[null,[1,null],[],[3]]");
    assert_eq!(lists.list_offsets(0).unwrap(), [0, 0, 2, 2, 3]);
    assert!(matches!(lists.items(0), Some(Items::Int64([1, 0, 3]))));
    assert_eq!(
        (lists.validity(0).unwrap(), lists.item_validity(0).unwrap()),
        ([0b1110].as_slice(), [0b101].as_slice())
    );
    assert_eq!(lists.int64(0), None, "items are not rows");
    let texts = column(r#"[["a\n","b"],null,["ü"]]"#);
    let Some(Items::Text(offsets, data)) = texts.items(0) else { panic!("{texts:?}") };
    assert_eq!((offsets, data), ([0, 2, 3, 5].as_slice(), "a\nbü".as_bytes()));
    assert_eq!(texts.list_offsets(0).unwrap(), [0, 2, 2, 3]);
}

#[test]
fn words_for_numbers_are_doubles_among_numbers() {
    let double = |values: &str| column(values).double(0).map(<[f64]>::to_vec);
    let [nan, minus, plus, real] = *double(r#"["NaN","-Infinity","+Inf",1.5]"#).unwrap() else { panic!() };
    assert!(nan.is_nan());
    assert_eq!((minus, plus, real), (f64::NEG_INFINITY, f64::INFINITY, 1.5));
    assert_eq!(double(r#"[1,"Infinity",null]"#).unwrap(), [1.0, f64::INFINITY, 0.0]);
    assert_eq!(
        column(r#"["NaN",null]"#).column_type(0),
        Some(Type::of(Element::String)),
        "no number among them"
    );
    assert_eq!(column(r#"["NaN",true]"#).column_type(0), Some(Type::JSON));
    assert_eq!(column(r#"["NaN",1,"x"]"#).column_type(0), Some(Type::JSON));
    assert_eq!(column(r#"[["NaN"],[0.5]]"#).column_type(0), Some(Type::list_of(Element::Double)));
    assert_eq!(double("[NaN,-Infinity]").unwrap()[1], f64::NEG_INFINITY);
    assert_eq!(texts(&column("[1e400,0.5]")), ["1e400", "0.5"], "beyond a double nothing is lost as JSON");
}

fn declared(kind: Type, values: &str) -> Result<Response> {
    let rows = count(values);
    let mut request = Request::default();
    request.add_typed_feature("v:f", kind).unwrap();
    request.set_entity_int64("id", &vec![7; rows]).unwrap();
    let body = format!(r#"{{"results":[{{"values":{values}}}],"metadata":{{"feature_names":["f"]}}}}"#);
    decode(body.as_bytes(), &request)
}

#[test]
fn declared_columns_are_converted_exactly() {
    let column = |element, values: &str| declared(Type::of(element), values).unwrap();
    assert_eq!(
        column(Element::Int32, "[2147483647,null,-2147483648,1.0]").int32(0).unwrap(),
        [i32::MAX, 0, i32::MIN, 1]
    );
    assert_eq!(
        column(Element::Int64, "[9007199254740993,-2.0,null]").int64(0).unwrap(),
        [9007199254740993, -2, 0]
    );
    let floats = column(Element::Float, r#"[0.1,16777216,1e-46,"-Inf",3.4028235e38,null,"NaN"]"#);
    let floats = floats.float(0).unwrap();
    assert_eq!(floats[..6], [0.1, 16777216.0, 0.0, f32::NEG_INFINITY, f32::MAX, 0.0]);
    assert!(floats[6].is_nan());
    assert_eq!(
        column(Element::Double, "[1,-0.0,9223372036854775808]").double(0).unwrap()[2],
        9223372036854775808.0
    );
    assert_eq!(column(Element::Bool, "[true,null]").bool(0).unwrap(), [1, 0]);
    assert_eq!(texts(&column(Element::Json, r#"[1.50,null,"x",[ 1 ]]"#)), ["1.50", "", "\"x\"", "[ 1 ]"]);
    let bytes = column(Element::Bytes, r#"["AAEC/w==",null,""]"#);
    assert_eq!(bytes.string(0).unwrap(), ([0, 4, 4, 4].as_slice(), [0, 1, 2, 255].as_slice()));
    let moments = r#"[1700000000,null,"2023-11-14 22:13:20Z","2023-11-14T17:13:20-05:00",-1,"9999-12-31T23:59:59Z",2.0]"#;
    let moments = column(Element::UnixTimestamp, moments);
    assert_eq!(moments.int64(0).unwrap(), [1700000000, 0, 1700000000, 1700000000, -1, 253402300799, 2]);
    assert_eq!(moments.column_type(0), Some(Type::of(Element::UnixTimestamp)));
    for kind in (-1..40).filter_map(Type::from_number).filter(|kind| kind.element != Element::Null) {
        let empty = declared(kind, "[null,null]").unwrap();
        assert_eq!(empty.column_type(0), Some(kind), "an all-null column keeps its type");
        assert_eq!(empty.validity(0).unwrap(), [0]);
    }
    let lists = declared(Type::list_of(Element::Float), r#"[[1,0.1],null,[],["NaN",null]]"#).unwrap();
    let Some(Items::Float(items)) = lists.items(0) else { panic!("{lists:?}") };
    assert_eq!((items[0], items[1], items[3]), (1.0, 0.1, 0.0));
    assert_eq!(lists.list_offsets(0).unwrap(), [0, 2, 2, 2, 4]);
    assert_eq!(lists.item_validity(0).unwrap(), [0b0111]);
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
fn what_is_no_json_is_told_as_that_whatever_was_declared() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for value in [r#""\ud800""#, r#""\x""#, &deep, "{\"a\":}"] {
        let answer = format!(
            r#"{{"results":[{{"values":[1]}},{{"values":[{value}]}}],"metadata":{{"feature_names":["id","f"]}}}}"#
        );
        let request = ask(&["v:f"], 1);
        let mut typed = Request::default();
        typed.add_typed_feature("v:f", Type::of(Element::Int64)).unwrap();
        typed.set_entity_int64("id", &[7]).unwrap();
        let errors = [
            decode(answer.as_bytes(), &request).unwrap_err(),
            dense(&answer, &request, 1).unwrap_err(),
            decode(answer.as_bytes(), &typed).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code, Code::Decode, "{value:.20}: {error}");
        }
    }
}

#[test]
fn a_value_that_does_not_fit_its_declared_type_names_feature_row_and_value() {
    let single = Type::of;
    for (kind, values, words) in [
        (
            single(Element::Int32),
            "[1,2147483648]",
            "feature `v:f`, row 1: 2147483648 is no integer of 32 bits",
        ),
        (single(Element::Int64), "[9223372036854775808]", "9223372036854775808 is no integer of 64 bits"),
        (single(Element::Int64), "[1.5]", "1.5 is no integer"),
        (single(Element::Int64), "[-0.0]", "-0.0 is no integer"),
        (single(Element::Int64), "[1e300]", "1e300 is no integer"),
        (single(Element::Int64), "[\"1\"]", "\"1\" is no integer"),
        (single(Element::Float), "[16777217]", "16777217 is not a number of 32 bits"),
        (single(Element::Float), "[1e39]", "1e39 is not a number of 32 bits"),
        (single(Element::Double), "[9007199254740993]", "9007199254740993 is not exactly a double"),
        (single(Element::Double), "[1e400]", "1e400 is not exactly a double"),
        (single(Element::Double), "[\"x\"]", "\"x\" is no number"),
        (single(Element::Double), "[true]", "true is no number"),
        (single(Element::Bool), "[1]", "1 is no boolean"),
        (single(Element::String), "[1]", "1 is no string"),
        (single(Element::Bytes), "[\"*\"]", "\"*\" is no base64"),
        (single(Element::Bytes), "[\"AAE\"]", "\"AAE\" is no base64"),
        (single(Element::UnixTimestamp), "[0.5]", "0.5 is no timestamp"),
        (single(Element::UnixTimestamp), "[\"1970-01-01T00:00:00.5Z\"]", "is no timestamp in whole seconds"),
        (single(Element::Int64), "[[1]]", "[1] is no integer"),
        (Type::list_of(Element::Int64), "[null,1]", "row 1: 1 is no list"),
        (Type::list_of(Element::Int64), "[[1],[2,true]]", "row 1: true is no integer"),
    ] {
        let error = declared(kind, values).unwrap_err();
        assert_eq!(error.code, Code::Type, "{error}");
        assert!(error.message.contains(words), "{words}: {error}");
        assert!(error.message.ends_with(&format!("the type declared is {}", kind.name())), "{error}");
    }
    let long = format!("[\"{}\"]", "x".repeat(1000));
    let error = declared(single(Element::Double), &long).unwrap_err();
    assert!(error.message.len() < 200 && error.message.contains("x…"), "{error}");
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

#[test]
fn numbers_go_straight_into_a_matrix_in_the_order_asked() {
    let request = ask(&["v:a", "v:b"], 2);
    let (values, statuses) = dense(TWO, &request, 3).unwrap();
    assert_eq!(values, [0.5, 1.0, UNTOUCHED, 0.25, -1.0, UNTOUCHED]);
    assert_eq!(statuses, [4, 1, 99, 0, 3, 99]);
    let error = dense(TWO, &ask(&["v:a", "v:b", "v:c"], 2), 3).unwrap_err();
    assert!(error.message.contains("feature `v:c` is missing"), "{error}");
}

#[test]
fn lists_take_several_columns_of_a_matrix() {
    let answer = |first: &str, second: &str, names: &str| {
        format!(
            r#"{{"results":[{{"values":{first},"statuses":["PRESENT","NOT_FOUND"]}},{{"values":{second}}}],"metadata":{{"feature_names":{names}}}}}"#
        )
    };
    let request = ask(&["v:a", "v:b"], 2);
    let expected = [1.0, 2.0, 0.5, -1.0, -1.0, 7.0];
    let in_order = answer("[[1,2],null]", "[0.5,7]", r#"["a","b"]"#);
    let (values, statuses) = dense(&in_order, &request, 3).unwrap();
    assert_eq!((values, statuses), (expected.to_vec(), vec![1, 1, 1, 3, 3, 1]));
    // In another order, or with a null before the first list, the way leads over columns.
    let reversed = in_order.replace(r#"["a","b"]"#, r#"["b","a"]"#);
    let swapped = ask(&["v:b", "v:a"], 2);
    assert_eq!(dense(&reversed, &swapped, 3).unwrap(), dense(&in_order, &request, 3).unwrap());
    let (values, _) = dense(&reversed, &request, 3).unwrap();
    assert_eq!(values, [0.5, 1.0, 2.0, 7.0, -1.0, -1.0]);
    let (values, _) = dense(&answer("[null,[1,2]]", "[0.5,7]", r#"["a","b"]"#), &request, 3).unwrap();
    assert_eq!(values, [-1.0, -1.0, 0.5, 1.0, 2.0, 7.0]);
    for (first, stride, words) in [
        ("[[1,2],[3]]", 3, "row 1 has a list of 1 items, rows before it of 2"),
        ("[[1,2],[3,4]]", 2, "row_stride is 2, the features take 3 columns"),
        ("[[1,2,3,4],[3,4,5,6]]", 3, "row_stride is 3, the features take 5 columns"),
        ("[[1,2],3]", 3, "row 1: 3 is no list"),
        ("[\"x\",3]", 3, "feature `v:a`, row 0: \"x\" is no number"),
        ("[[1,\"x\"],[3,4]]", 3, "row 0: \"x\" is no number"),
        ("[[[1]],[[2]]]", 3, "is no number"),
    ] {
        let error = dense(&answer(first, "[0.5,7]", r#"["a","b"]"#), &request, stride).unwrap_err();
        assert!(error.message.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_matrix_of_the_answer_is_the_matrix_of_its_columns() {
    let kinds = [
        Type::NULL,
        Type::of(Element::Float),
        Type::of(Element::Double),
        Type::of(Element::Int64),
        Type::of(Element::UnixTimestamp),
    ];
    for values in [
        "[1,null,3]",
        "[0.1,1e300,\"NaN\"]",
        "[true,false,null]",
        "[null,null,null]",
        "[9007199254740993,1,2]",
        "[1e-50,16777217,0]",
        "[\"1970-01-01T00:00:09Z\",4,null]",
    ] {
        for kind in kinds {
            let mut request = Request::default();
            request.add_typed_feature("v:f", kind).unwrap();
            request.set_entity_int64("id", &[1, 2, 3]).unwrap();
            let body =
                format!(r#"{{"results":[{{"values":{values}}}],"metadata":{{"feature_names":["f"]}}}}"#);
            let straight = dense(&body, &request, 1);
            let over_columns = decode(body.as_bytes(), &request).and_then(|response| {
                let mut out = Cells { values: vec![0.0; 3], statuses: vec![0; 3] };
                let layout = crate::columns::DenseLayout::new(&response, 0..1)?;
                Dense { out: &mut out, statuses: true, row_stride: 1, missing: -1.0 }
                    .fill(&response, &layout)?;
                Ok((out.values, out.statuses))
            });
            match (straight, over_columns) {
                (Ok(straight), Ok(columns)) => {
                    let bits =
                        |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                    assert_eq!(
                        (bits(&straight.0), straight.1),
                        (bits(&columns.0), columns.1),
                        "{values} as {kind:?}"
                    );
                }
                (Err(straight), Err(columns)) => {
                    assert_eq!(straight.code, columns.code, "{straight}, {columns}")
                }
                (straight, columns) => panic!("{values} as {kind:?}: {straight:?}, {columns:?}"),
            }
        }
    }
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
    assert!(refused(&format!("\u{feff}{}", body("1", ""))).contains("an object was expected at byte 0"));
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

#[test]
fn integers_are_read_by_their_digits_and_never_rounded() {
    let int64 =
        |text: &str| declared(Type::of(Element::Int64), &format!("[{text}]")).map(|r| r.int64(0).unwrap()[0]);
    assert_eq!(int64("9007199254740993.0").unwrap(), 9007199254740993);
    assert_eq!(int64("-3.000").unwrap(), -3);
    for text in
        ["0.99999999999999999999", "1.00000000000000000001", "1e-400", "1e3", "-0.0", "9223372036854775808.0"]
    {
        assert!(int64(text).is_err(), "{text}");
    }
    assert!(declared(Type::of(Element::UnixTimestamp), "[0.99999999999999999999]").is_err());
    assert!(declared(Type::of(Element::Int32), "[2147483647.00000000001]").is_err());
}

/// Found by a reviewer: a list for a feature declared as a number moved the columns behind it.
#[test]
fn a_list_for_a_feature_declared_as_a_number_is_an_error_in_a_matrix_too() {
    let mut request = Request::default();
    request.add_typed_feature("v:a", Type::of(Element::Float)).unwrap();
    request.add_feature("v:b").unwrap();
    request.set_entity_int64("id", &[1, 2]).unwrap();
    let body =
        r#"{"results":[{"values":[[1,2],[3,4]]},{"values":[5,6]}],"metadata":{"feature_names":["a","b"]}}"#;
    let error = dense(body, &request, 4).unwrap_err();
    assert_eq!(error.code, Code::Type);
    assert!(error.message.contains("feature `v:a`, row 0: [1,2] is no number"), "{error}");
    // Once a list has shown how wide lists are, a wider one writes nothing beyond that.
    let wider = r#"{"results":[{"values":[[1,2],[3,4,5,6]]}],"metadata":{"feature_names":["a"]}}"#;
    let request = ask(&["v:a"], 2);
    let mut out = Cells { values: vec![UNTOUCHED; 8], statuses: vec![99; 8] };
    let mut matrix = Dense { out: &mut out, statuses: false, row_stride: 4, missing: -1.0 };
    let error =
        super::decode_into(wider.as_bytes(), &request, &mut Layout::default(), &mut matrix).unwrap_err();
    assert!(error.message.contains("row 1 has a list of 4 items"), "{error}");
    assert_eq!(out.values[6..], [UNTOUCHED; 2]);
    let empty = r#"{"results":[{"values":[null,[]]}],"metadata":{"feature_names":["a"]}}"#;
    assert!(dense(empty, &ask(&["v:a"], 2), 2).unwrap_err().message.contains("its lists are empty"));
}

#[test]
fn a_matrix_needs_the_entities_of_the_request_and_whole_columns() {
    let request = ask(&["v:f"], 2);
    let body = |id: &str, more: &str| {
        format!(r#"{{"results":[{id},{{"values":[1,2]{more}}}],"metadata":{{"feature_names":["id","f"]}}}}"#)
    };
    assert!(dense(&body(r#"{"values":[7,7]}"#, ""), &request, 1).is_ok());
    for (id, more, words) in [
        (r#"{"values":[7]}"#, "", "column `id`: it has 1 rows, 2 were asked for"),
        (r#"{"statuses":[]}"#, "", "column `id`: it has no `values`"),
        ("7", "", "an object was expected"),
        (
            r#"{"values":[7,7]}"#,
            r#","event_timestamps":["1970-01-01T00:00:00Z"]"#,
            "2 values and 1 event timestamps",
        ),
        (r#"{"values":[7,7]}"#, r#","statuses":["PRESENT"]"#, "2 values and 1 statuses"),
    ] {
        let error = dense(&body(id, more), &request, 1).unwrap_err();
        assert!(error.message.contains(words), "{words}: {error}");
        let mut out = Cells { values: vec![0.0; 2], statuses: Vec::new() };
        let mut without = Dense { out: &mut out, statuses: false, row_stride: 1, missing: -1.0 };
        assert!(
            super::decode_into(body(id, more).as_bytes(), &request, &mut Layout::default(), &mut without)
                .is_err()
        );
    }
    let nulls = r#"{"results":[{"values":[[1,null],[2,3]]}],"metadata":{"feature_names":["f"]}}"#;
    assert_eq!(dense(nulls, &request, 2).unwrap().1, [1; 4], "the row has a value");
}
