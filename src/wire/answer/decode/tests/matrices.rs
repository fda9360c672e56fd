//! Answers that go straight into a matrix.

use super::super::decode_into;
use super::{Cells, TWO, UNTOUCHED, ask, decode, dense};
use crate::columns::{Dense, Element, Type};
use crate::error::Code;
use crate::wire::answer::frame::Layout;
use crate::wire::request::Request;

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
    let error = decode_into(wider.as_bytes(), &request, &mut Layout::default(), &mut matrix).unwrap_err();
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
            decode_into(body(id, more).as_bytes(), &request, &mut Layout::default(), &mut without).is_err()
        );
    }
    let nulls = r#"{"results":[{"values":[[1,null],[2,3]]}],"metadata":{"feature_names":["f"]}}"#;
    assert_eq!(dense(nulls, &request, 2).unwrap().1, [1; 4], "the row has a value");
}

/// Two features, a list and a number, of two rows.
fn list_and_number(list: &str, number: &str) -> String {
    format!(
        r#"{{"results":[{{"values":{list}}},{{"values":{number}}}],"metadata":{{"feature_names":["a","b"]}}}}"#
    )
}

#[test]
fn a_list_of_declared_length_never_moves_the_columns_behind_it() {
    let mut request = Request::default();
    request.add_list_feature("v:a", Type::list_of(Element::Float), 3).unwrap();
    request.add_feature("v:b").unwrap();
    request.set_entity_int64("id", &[1, 2]).unwrap();
    assert_eq!(request.matrix_width(), Some(4));
    let of = |list: &str, number: &str| dense(&list_and_number(list, number), &request, 4);
    assert_eq!(of("[[1,2,3],null]", "[4,5]").unwrap().0, [1.0, 2.0, 3.0, 4.0, -1.0, -1.0, -1.0, 5.0]);
    assert_eq!(of("[null,null]", "[4,5]").unwrap().0, [-1.0, -1.0, -1.0, 4.0, -1.0, -1.0, -1.0, 5.0]);
    assert_eq!(of("[null,null]", "[4,5]").unwrap().1[..4], [2, 2, 2, 1]);
    let error = of("[[1,2,3],[1,2]]", "[4,5]").unwrap_err();
    assert_eq!(error.code, Code::Type);
    assert!(error.message.contains("feature `v:a`, row 1: a list of 2 items, and 3 are declared"), "{error}");
}

#[test]
fn an_undeclared_feature_without_any_value_may_be_a_list_and_says_so() {
    let request = ask(&["v:a", "v:b"], 2);
    let nulls = list_and_number("[null,null]", "[4,5]");
    assert_eq!(dense(&nulls, &request, 2).unwrap().0, [-1.0, 4.0, -1.0, 5.0], "there is room for no list");
    let error = dense(&nulls, &request, 4).unwrap_err();
    assert_eq!(error.code, Code::Type);
    assert!(error.message.contains("column `a`: it has no value and is not declared"), "{error}");
    assert!(error.message.contains("pass 2 as row_stride"), "{error}");
}

#[test]
fn each_feature_may_have_a_missing_value_of_its_own() {
    let mut request = ask(&["v:a", "v:b"], 2);
    request.set_missing_value("v:b", 0.5).unwrap();
    assert!(request.set_missing_value("v:c", 0.5).is_err());
    let body = list_and_number("[null,1]", "[null,2]");
    assert_eq!(dense(&body, &request, 2).unwrap().0, [-1.0, 0.5, 1.0, 2.0]);
    // Over columns, too.
    let response = decode(body.as_bytes(), &request).unwrap();
    assert_eq!((response.declared_missing(0), response.declared_missing(1)), (None, Some(0.5)));
    let lists = list_and_number("[null,[1,2]]", "[null,2]");
    assert_eq!(dense(&lists, &request, 3).unwrap().0, [-1.0, -1.0, 0.5, 1.0, 2.0, 2.0]);
}

#[test]
fn columns_of_a_feature_service_can_be_declared_by_name() {
    let mut request = Request::default();
    request.set_feature_service("s").unwrap();
    request.set_entity_int64("id", &[1, 2]).unwrap();
    request.declare_column("a", Type::list_of(Element::Double), 2).unwrap();
    request.declare_column("b", Type::of(Element::Int32), 0).unwrap();
    request.declare_column("id", Type::of(Element::Double), 0).unwrap();
    request.set_missing_value("b", 7.0).unwrap();
    assert!(request.declare_column("b", Type::of(Element::Int32), 2).is_err());
    let body = r#"{"results":[{"values":[1,2]},{"values":[null,null]},{"values":[null,5]}],
        "metadata":{"feature_names":["id","a","b"]}}"#;
    let response = decode(body.as_bytes(), &request).unwrap();
    let kinds: Vec<&str> = (0..3).map(|column| response.column_type(column).unwrap().name()).collect();
    assert_eq!(kinds, ["DOUBLE", "DOUBLE_LIST", "INT32"]);
    assert_eq!(dense(body, &request, 3).unwrap().0, [-1.0, -1.0, 7.0, -1.0, -1.0, 5.0]);
    let odd = body.replace("[null,5]", "[null,0.5]");
    let error = decode(odd.as_bytes(), &request).unwrap_err();
    assert!(error.message.contains("row 1: 0.5 is no integer of 32 bits"), "{error}");
}
