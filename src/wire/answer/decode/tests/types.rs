//! Which type a column gets, found out or declared, and that its values keep every bit.

use super::{ask, column, count, decode, dense};
use crate::columns::{Element, Items, Response, Type};
use crate::error::{Code, Result};
use crate::wire::request::Request;

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
        (single(Element::Int32), "[1.5]", "1.5 is no integer of 32 bits"),
        (single(Element::Int32), "[1e10]", "1e10 is no integer of 32 bits"),
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
fn integers_are_read_by_their_digits_and_never_rounded() {
    let int64 =
        |text: &str| declared(Type::of(Element::Int64), &format!("[{text}]")).map(|r| r.int64(0).unwrap()[0]);
    assert_eq!(int64("9007199254740993.0").unwrap(), 9007199254740993);
    assert_eq!(int64("-3.000").unwrap(), -3);
    for text in
        ["0.99999999999999999999", "1.00000000000000000001", "1e-400", "-0.0", "9223372036854775808.0"]
    {
        assert!(int64(text).is_err(), "{text}");
    }
    assert!(declared(Type::of(Element::UnixTimestamp), "[0.99999999999999999999]").is_err());
    assert!(declared(Type::of(Element::Int32), "[2147483647.00000000001]").is_err());
}
