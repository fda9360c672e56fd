//! Values that are older than a program takes.

use std::time::Duration;

use super::{decode, dense};
use crate::columns::{Items, Response, is_valid};
use crate::wire::request::{MaxAge, Request};

const OLD: &str = "2001-01-01T00:00:00Z";
const NEW: &str = "2200-01-01T00:00:00Z";

/// Columns of each kind, of four rows of which the second is old, the third has no time, and the fourth is null.
fn body() -> String {
    let times = format!(r#""event_timestamps":["{NEW}","{OLD}","1970-01-01T00:00:00Z","{NEW}"]"#);
    let column = |values: &str| {
        format!(r#"{{"values":{values},"statuses":["PRESENT","PRESENT","NOT_FOUND","NULL_VALUE"],{times}}}"#)
    };
    let columns = [
        column("[1,2,3,null]"),
        column("[0.5,1.5,2.5,null]"),
        column("[true,true,true,null]"),
        column(r#"["a","bc","d",null]"#),
        column("[[1,null],[2,3],[4],null]"),
        column(r#"[["x"],["yy","z"],["w",null],null]"#),
        column("[[true],[true],[false],null]"),
        r#"{"values":[1,2,3,null]}"#.to_owned(),
    ];
    let names = r#"["int","real","flag","text","ints","texts","flags","timeless"]"#;
    format!(r#"{{"results":[{}],"metadata":{{"feature_names":{names}}}}}"#, columns.join(","))
}

fn ask(drops: bool) -> Request {
    let mut request = Request::default();
    for name in ["int", "real", "flag", "text", "ints", "texts", "flags", "timeless"] {
        request.add_feature(&format!("v:{name}")).unwrap();
    }
    request.set_entity_int64("id", &[1, 2, 3, 4]).unwrap();
    request.set_max_age(Some(MaxAge { age: Duration::from_secs(3600), drops }));
    request
}

fn valid(response: &Response, column: usize) -> [bool; 4] {
    std::array::from_fn(|row| is_valid(response.validity(column), row))
}

#[test]
fn old_values_get_their_status_and_are_kept_or_dropped_as_asked() {
    let body = body();
    let kept = decode(body.as_bytes(), &ask(false)).unwrap();
    assert_eq!(kept.statuses(0).unwrap(), [1, 4, 3, 2]);
    assert_eq!((kept.int64(0).unwrap(), valid(&kept, 0)), (&[1, 2, 3, 0][..], [true, true, true, false]));
    assert_eq!(kept.statuses(7).unwrap(), [1, 1, 1, 2], "what has no event timestamp is not judged");

    let dropped = decode(body.as_bytes(), &ask(true)).unwrap();
    for column in 0..7 {
        assert_eq!(dropped.statuses(column).unwrap(), [1, 4, 3, 2], "column {column}");
        assert_eq!(valid(&dropped, column), [true, false, true, false], "column {column}");
    }
    assert_eq!(dropped.int64(0).unwrap(), [1, 0, 3, 0]);
    assert_eq!(dropped.double(1).unwrap(), [0.5, 0.0, 2.5, 0.0]);
    assert_eq!(dropped.bool(2).unwrap(), [1, 0, 1, 0]);
    assert_eq!(dropped.string(3).unwrap(), (&[0, 1, 1, 2, 2][..], &b"ad"[..]));
    assert_eq!(dropped.list_offsets(4).unwrap(), [0, 2, 2, 3, 3]);
    assert!(matches!(dropped.items(4), Some(Items::Int64([1, 0, 4]))), "{:?}", dropped.items(4));
    assert_eq!(dropped.item_validity(4).unwrap(), [0b101]);
    assert_eq!(dropped.list_offsets(5).unwrap(), [0, 1, 1, 3, 3]);
    assert!(matches!(dropped.items(5), Some(Items::Text([0, 1, 2, 2], b"xw"))), "{:?}", dropped.items(5));
    assert!(matches!(dropped.items(6), Some(Items::Bool([1, 0]))), "{:?}", dropped.items(6));
    assert_eq!(dropped.int64(7).unwrap(), [1, 2, 3, 0]);
}

#[test]
fn in_matrices_old_values_are_missing_whether_they_are_kept_or_not() {
    let body = format!(
        r#"{{"results":[{{"values":[1,2],"event_timestamps":["{NEW}","{OLD}"]}}],"metadata":{{"feature_names":["a"]}}}}"#
    );
    for drops in [false, true] {
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.set_entity_int64("id", &[1, 2]).unwrap();
        assert_eq!(dense(&body, &request, 1).unwrap().0, [1.0, 2.0]);
        request.set_max_age(Some(MaxAge { age: Duration::from_secs(3600), drops }));
        assert_eq!(dense(&body, &request, 1).unwrap(), (vec![1.0, -1.0], vec![1, 4]));
    }
}

#[test]
fn a_views_age_goes_before_that_of_the_request() {
    let body = format!(
        r#"{{"results":[{{"values":[1],"event_timestamps":["{OLD}"]}},{{"values":[2],"event_timestamps":["{OLD}"]}}],
            "metadata":{{"feature_names":["v__a","w__b"]}}}}"#
    );
    let ages = |service: bool| {
        let mut request = Request::default();
        if service {
            request.set_feature_service("s").unwrap();
        } else {
            request.add_feature("v@v2:a").unwrap();
            request.add_feature("w:b").unwrap();
        }
        request.set_full_feature_names(true);
        request.set_entity_int64("id", &[1]).unwrap();
        request.set_max_age(Some(MaxAge { age: Duration::from_secs(3600), drops: true }));
        let century = Duration::from_secs(100 * 365 * 86_400);
        request.set_view_max_age("v", MaxAge { age: century, drops: true }).unwrap();
        let response = decode(body.as_bytes(), &request).unwrap();
        (response.statuses(0).unwrap()[0], response.statuses(1).unwrap()[0])
    };
    assert_eq!((ages(false), ages(true)), ((1, 4), (1, 4)));
}

/// Found by a reviewer: columns with the same statuses share them, and the judged one's went to the other.
#[test]
fn what_is_judged_of_one_view_is_not_said_of_another() {
    let tail = format!(r#""statuses":["PRESENT"],"event_timestamps":["{OLD}"]"#);
    let body = format!(
        r#"{{"results":[{{"values":[1],{tail}}},{{"values":[2],{tail}}}],"metadata":{{"feature_names":["a","b"]}}}}"#
    );
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.add_feature("w:b").unwrap();
    request.set_entity_int64("id", &[1]).unwrap();
    request.set_view_max_age("v", MaxAge { age: Duration::from_secs(3600), drops: false }).unwrap();
    let response = decode(body.as_bytes(), &request).unwrap();
    assert_eq!((response.statuses(0).unwrap(), response.statuses(1).unwrap()), (&[4][..], &[1][..]));
    assert_eq!(dense(&body, &request, 2).unwrap().0, [-1.0, 2.0]);
}
