//! Every type of column through the C interface: its own accessors, matrices, Arrow, DLPack.

use std::process::Command;
use std::ptr;
use std::sync::Arc;

use crate::support::cc::{compile, passes_plain_and_under_memcheck};
use crate::support::feast::program;
use crate::support::paths::{library, root};
use crate::support::server::{Seen, Server, Step, say};
use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, StructArray};
use feast_remote::ffi;
use serde_json::json;

/// One of each type, and nulls of each kind.
fn every_type(seen: &Seen) -> Vec<Step> {
    let columns = json!({
        "flag": [true, false, null],
        "small": [-7, 2147483647, null],
        "real": [0.1, "NaN", null],
        "blob": ["AAEC", null, ""],
        "when": [1700000000, "2023-11-14 22:13:20Z", null],
        "words": [["a", "bc"], [], null],
        "vector": [[1, 2.5], [null, 4.0], null],
        "any": [{"k": 1}, [[1]], null],
    });
    let column = |values: &serde_json::Value, statuses: [&str; 3]| {
        let times = ["2026-11-23T01:00:00.123456789Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"];
        json!({"values": values, "statuses": statuses, "event_timestamps": times})
    };
    let question: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let mut names = vec!["id".to_owned()];
    let mut results = vec![column(&json!([1, 2, 3]), ["PRESENT"; 3])];
    for feature in question["features"].as_array().unwrap() {
        let name = feature.as_str().unwrap().strip_prefix("v:").unwrap();
        let last = if name == "flag" { "NULL_VALUE" } else { "NOT_FOUND" };
        names.push(name.to_owned());
        results.push(column(&columns[name], ["PRESENT", "PRESENT", last]));
    }
    say(200, json!({"metadata": {"feature_names": names}, "results": results}).to_string())
}

#[test]
fn types_lists_matrices_arrow_and_dlpack_hold_in_c() {
    let server = Server::start(every_type);
    passes_plain_and_under_memcheck(&compile("tests/programs/c/columns.c"), &[&server.url()]);
}

/// What a server answers where nothing was declared, some of it null.
fn undeclared(seen: &Seen) -> Vec<Step> {
    let columns = json!({
        "id": [1, 2], "none": [null, null], "whole": [3.0, null], "real": [null, 0.1], "text": [null, "x"],
        "lists": [[null, 5], null], "flag": [true, null], "wide": [9007199254740993_i64, null],
    });
    let question: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let features = question["features"].as_array().unwrap().iter();
    let names: Vec<&str> = ["id"]
        .into_iter()
        .chain(features.map(|name| name.as_str().unwrap().strip_prefix("v:").unwrap()))
        .collect();
    let results: Vec<serde_json::Value> =
        names.iter().map(|&name| json!({"values": columns[name]})).collect();
    say(200, json!({"metadata": {"feature_names": names}, "results": results}).to_string())
}

#[test]
fn what_a_program_asks_for_by_name_is_what_it_gets() {
    let server = Server::start(undeclared);
    passes_plain_and_under_memcheck(&compile("tests/programs/c/typed_columns.c"), &[&server.url()]);
}

#[test]
fn pyarrow_and_numpy_read_what_is_exported() {
    let server = Server::start(every_type);
    let output = Command::new(program("python"))
        .arg(root().join("tests/programs/python/arrow_and_dlpack.py"))
        .arg(library())
        .arg(server.url())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "as expected\n", "{printed}");
    assert!(output.status.success(), "{printed}");
}

/// A response by the C interface, within this process.
fn response(url: &str, features: &[&str]) -> *mut ffi::feast_response_t {
    let text = |text: &str| std::ffi::CString::new(text).unwrap();
    let none = ptr::null_mut();
    let ids = [1i64, 2, 3];
    let (mut remote, mut response) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: as the header asks.
    unsafe {
        let config = ffi::feast_config_new();
        assert_eq!(ffi::feast_config_set(config, c"path".as_ptr(), text(url).as_ptr(), none), 0);
        assert_eq!(ffi::feast_remote_open(config, &mut remote, none), 0);
        ffi::feast_config_free(config);
        let request = ffi::feast_request_new();
        for feature in features {
            assert_eq!(ffi::feast_request_add_feature(request, text(feature).as_ptr(), none), 0);
        }
        assert_eq!(ffi::feast_request_set_entity_int64(request, c"id".as_ptr(), ids.as_ptr(), 3, none), 0);
        assert_eq!(ffi::feast_get_online_features(remote, request, &mut response, none), 0);
        ffi::feast_request_free(request);
        ffi::feast_close(remote);
    }
    response
}

#[test]
fn the_arrow_crate_reads_what_is_exported() {
    let server = Server::start(every_type);
    let response = response(&server.url(), &["v:flag", "v:small", "v:real", "v:words", "v:vector", "v:any"]);
    let (mut array, mut schema) = (FFI_ArrowArray::empty(), FFI_ArrowSchema::empty());
    // SAFETY: both sides follow the C data interface.
    let table = unsafe {
        let code = ffi::feast_response_export_arrow(
            response,
            (&raw mut array).cast(),
            (&raw mut schema).cast(),
            ptr::null_mut(),
        );
        assert_eq!(code, 0);
        ffi::feast_response_free(response);
        StructArray::from(from_ffi(array, &schema).unwrap())
    };
    table.to_data().validate_full().unwrap();
    let column = |name| table.column_by_name(name).unwrap();
    assert_eq!(column("id").as_primitive::<Int64Type>().values(), &[1, 2, 3]);
    let flags: Vec<Option<bool>> = column("flag").as_boolean().iter().collect();
    assert_eq!(flags, [Some(true), Some(false), None]);
    let small: Vec<Option<i64>> = column("small").as_primitive::<Int64Type>().iter().collect();
    assert_eq!(small, [Some(-7), Some(2147483647), None], "undeclared integers are INT64");
    assert!(column("real").as_primitive::<Float64Type>().value(1).is_nan());
    assert!(column("real").as_primitive_opt::<Float32Type>().is_none());
    let words = column("words").as_list::<i64>().value(0);
    assert_eq!(words.as_string::<i64>().iter().flatten().collect::<Vec<_>>(), ["a", "bc"]);
    assert!(column("words").is_null(2) && column("words").is_valid(1));
    let vector: Arc<dyn Array> = column("vector").as_list::<i64>().value(1);
    assert!(vector.is_null(0) && vector.as_primitive::<Float64Type>().value(1) == 4.0);
    assert_eq!(column("any").as_string::<i64>().value(0), r#"{"k":1}"#);
}
