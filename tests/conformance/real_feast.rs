//! Against a real `feast serve`: what comes back is what was written to its online store.

use std::time::Duration;

use crate::cells;
use crate::support::feast::{Feast, Version, expected};
use base64::prelude::*;
use feast_remote::columns::{Element, Response, Type};
use feast_remote::config::Config;
use feast_remote::error::Code;
use feast_remote::remote::Remote;
use feast_remote::wire::request::{MaxAge, Request, Role};
use serde_json::Value;

fn open(feast: &Feast) -> Remote {
    let mut config = Config::new().unwrap();
    config.set("path", &feast.url()).unwrap();
    config.set("request_timeout_ms", "30000").unwrap();
    Remote::open(&config).unwrap()
}

fn names(response: &Response) -> Vec<String> {
    let name = |i| String::from_utf8(response.name_with_nul(i).unwrap().to_vec()).unwrap();
    (0..response.num_columns()).map(|i| name(i).trim_end_matches('\0').to_owned()).collect()
}

/// A cell in the notation of expected.json.
fn cell(response: &Response, name: &str, row: usize) -> Value {
    let column = cells::column(response, name);
    // Integers of single values are strings in expected.json.
    match cells::cell(response, column, row) {
        Value::Number(number) if number.is_i64() => Value::String(number.to_string()),
        value => value,
    }
}

/// Integers within lists as strings, as expected.json has them.
fn integers_as_strings(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(integers_as_strings).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, item)| (key, integers_as_strings(item))).collect())
        }
        Value::Number(number) if number.is_i64() => Value::String(number.to_string()),
        other => other,
    }
}

#[test]
fn features_come_back_as_they_were_written_and_in_the_order_asked() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let expected = expected();

    // Every feature of a view, in an order of ours, for all drivers and one that does not exist.
    let features = ["is_active", "avg_daily_trips", "home_city", "acc_rate", "conv_rate"];
    let mut request = Request::default();
    features.iter().for_each(|name| request.add_feature(&format!("driver_hourly_stats:{name}")).unwrap());
    let drivers: Vec<i64> = (1001..=1020).chain([9999]).collect();
    request.set_entity_int64("driver_id", &drivers).unwrap();
    let response = remote.get_online_features(&request).unwrap();
    assert_eq!(
        names(&response),
        ["driver_id", "is_active", "avg_daily_trips", "home_city", "acc_rate", "conv_rate"]
    );
    assert_eq!(response.num_entities(), 1);
    assert_eq!(response.int64(0).unwrap(), drivers);
    let written_at: i64 =
        expected["event_timestamps_ns"]["driver_hourly_stats"].as_str().unwrap().parse().unwrap();
    for (row, driver) in drivers.iter().enumerate() {
        let written = &expected["driver_hourly_stats"][driver.to_string()];
        for (column, name) in features.iter().enumerate() {
            let found = *driver != 9999;
            let wanted = if found { written[*name].clone() } else { Value::Null };
            assert_eq!(cell(&response, name, row), wanted, "{name} of {driver}");
            let status = response.statuses(column + 1).unwrap()[row];
            assert_eq!(status, if found { 1 } else { 3 }, "status of {name} of {driver}");
            let timestamp = response.event_timestamps(column + 1).unwrap()[row];
            assert_eq!(timestamp, if found { written_at } else { 0 });
        }
    }
    assert!(response.int64(2).unwrap().contains(&((1 << 53) + 4)), "an int64 beyond a double's reach");
    remote.close();
}

#[test]
fn every_type_that_the_online_path_serves_comes_back_exactly() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let written = &expected()["every_type"]["1001"];
    let mut request = Request::default();
    for name in written.as_object().unwrap().keys() {
        request.add_feature(&format!("every_type:{name}")).unwrap();
    }
    request.set_full_feature_names(true);
    request.set_entity_int64("driver_id", &[1001, 1002]).unwrap();
    let response = remote.get_online_features(&request).unwrap();
    for (name, wanted) in written.as_object().unwrap() {
        let full = format!("every_type__{name}");
        let got = integers_as_strings(cell(&response, &full, 0));
        match name.as_str() {
            // A float32 is written in its shortest form as a double.
            "float_value" => assert_eq!(got.as_f64().unwrap() as f32, 0.1f32),
            _ => assert_eq!(&got, wanted, "{name}"),
        }
        assert_eq!(cell(&response, &full, 1), Value::Null, "{name} of a row of nulls");
    }
}

/// The type to declare for a feature of the view every_type, as its name says; NULL for what is left undeclared.
fn declared(name: &str) -> Type {
    let (element, kind) = name.rsplit_once('_').unwrap();
    let element = match element {
        "bool" => Element::Bool,
        "int32" => Element::Int32,
        "int64" => Element::Int64,
        "float" => Element::Float,
        "double" => Element::Double,
        "string" | "uuid" | "time_uuid" | "decimal" => Element::String,
        "bytes" | "pdf_bytes" | "image_bytes" => Element::Bytes,
        "unix_timestamp" | "zoned_timestamp" => Element::UnixTimestamp,
        // JSON is text to the server; maps, structs and lists of lists have no type but JSON.
        "json" if kind == "value" => Element::String,
        "json" | "map" | "struct" | "nested" => return Type::JSON,
        _ => panic!("{name}"),
    };
    Type { element, list: kind != "value" }
}

/// What was written, as `cells::cell` shows a column of this element.
fn as_declared(written: &Value, element: Element) -> Value {
    match (element, written) {
        (_, Value::Array(items)) => items.iter().map(|item| as_declared(item, element)).collect(),
        (Element::Int32 | Element::Int64, Value::String(digits)) => digits.parse::<i64>().unwrap().into(),
        (Element::UnixTimestamp, Value::String(text)) => {
            let zoned = || (text == "2026-01-01T12:00:00+01:00").then_some(1_767_265_200);
            text.parse::<i64>().ok().or_else(zoned).unwrap().into()
        }
        (Element::Float, Value::Number(number)) => f64::from(number.as_f64().unwrap() as f32).into(),
        (Element::Bytes, Value::String(text)) => BASE64_STANDARD.decode(text).unwrap().into(),
        _ => written.clone(),
    }
}

#[test]
fn every_type_comes_back_as_the_type_declared() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let written = &expected()["every_type"]["1001"];
    let mut request = Request::default();
    let names: Vec<&String> = written.as_object().unwrap().keys().collect();
    for name in &names {
        request.add_typed_feature(&format!("every_type:{name}"), declared(name)).unwrap();
    }
    request.set_entity_int64("driver_id", &[1001, 1002]).unwrap();
    let response = remote.get_online_features(&request).unwrap();
    for name in names {
        let column = cells::column(&response, name);
        let kind = declared(name);
        assert_eq!(response.column_type(column), Some(kind), "{name}");
        let got = cells::cell(&response, column, 0);
        match kind {
            Type::JSON => assert_eq!(integers_as_strings(got), written[name], "{name}"),
            kind => assert_eq!(got, as_declared(&written[name], kind.element), "{name}"),
        }
        assert_eq!(cells::cell(&response, column, 1), Value::Null, "{name} of a row of nulls");
        assert_eq!(response.statuses(column).unwrap(), [1, 1], "{name}: a null that was written is PRESENT");
    }
}

#[test]
fn string_keys_two_keys_services_and_request_data() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let expected = expected();

    let mut both = Request::default();
    both.add_feature("driver_customer_affinity:rides_together").unwrap();
    both.add_feature("customer_profile:lifetime_value").unwrap();
    both.set_entity_string("customer_id", ["C-003", "C-000"].into_iter().map(Ok)).unwrap();
    both.set_entity_int64("driver_id", &[1001, 1002]).unwrap();
    let response = remote.get_online_features(&both).unwrap();
    assert_eq!(names(&response), ["customer_id", "driver_id", "rides_together", "lifetime_value"]);
    for (row, (driver, customer)) in [("1001", "C-003"), ("1002", "C-000")].iter().enumerate() {
        let key = format!("{driver},{customer}");
        let wanted = &expected["driver_customer_affinity"][key]["rides_together"];
        assert_eq!(&cell(&response, "rides_together", row), wanted);
        assert_eq!(
            &cell(&response, "lifetime_value", row),
            &expected["customer_profile"][*customer]["lifetime_value"]
        );
    }

    let mut service = Request::default();
    service.set_feature_service("driver_activity").unwrap();
    service.set_entity_json("driver_id", "[1004]").unwrap();
    let response = remote.get_online_features(&service).unwrap();
    for name in ["conv_rate", "avg_daily_trips", "home_city"] {
        assert_eq!(cell(&response, name, 0), expected["driver_hourly_stats"]["1004"][name]);
    }
    assert_eq!((response.num_columns(), response.num_entities()), (4, 1));

    let mut forecast = Request::default();
    forecast.add_feature("trip_forecast:expected_conversions").unwrap();
    forecast.add_feature("driver_hourly_stats:conv_rate").unwrap();
    forecast.set_entity_int64("trips_today", &[10, 20]).unwrap();
    forecast.set_entity_int64("driver_id", &[1001, 1002]).unwrap();
    let response = remote.get_online_features(&forecast).unwrap();
    assert_eq!(
        names(&response),
        ["driver_id", "expected_conversions", "conv_rate"],
        "request data is not repeated"
    );
    for (row, (driver, trips)) in [("1001", 10.0), ("1002", 20.0)].iter().enumerate() {
        let rate = expected["driver_hourly_stats"][driver]["conv_rate"].as_f64().unwrap();
        assert_eq!(cell(&response, "expected_conversions", row), Value::from(rate * trips));
    }
    forecast.set_int64(Role::RequestData, "trips_today", &[10, 20]).unwrap();
    let declared = remote.get_online_features(&forecast).unwrap();
    assert_eq!(names(&declared), names(&response));
    assert_eq!(declared.double(1), response.double(1));

    // Entities by their own names, in an order of ours; the server answers with their join keys.
    let mut by_entity = Request::default();
    by_entity.add_feature("driver_customer_affinity:rides_together").unwrap();
    by_entity.set_entity_string("customer", ["C-003"].into_iter().map(Ok)).unwrap();
    by_entity.set_entity_int64("driver", &[1001]).unwrap();
    let response = remote.get_online_features(&by_entity).unwrap();
    assert_eq!(names(&response), ["customer_id", "driver_id", "rides_together"]);
    assert_eq!((response.num_entities(), response.int64(1).unwrap()), (2, &[1001][..]));
    assert_eq!(
        cell(&response, "rides_together", 0),
        expected["driver_customer_affinity"]["1001,C-003"]["rides_together"]
    );

    assert!(response.feature_views().is_empty());
    both.set_include_feature_view_version_metadata(true);
    let response = remote.get_online_features(&both).unwrap();
    let mut views: Vec<&str> =
        response.feature_views().iter().map(|view| view.name.to_str().unwrap()).collect();
    views.sort_unstable();
    assert_eq!(views, ["customer_profile", "driver_customer_affinity"]);
}

#[test]
fn the_servers_words_reach_the_caller() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let ask = |feature: &str, entity: &str| {
        let mut request = Request::default();
        request.add_feature(feature).unwrap();
        request.set_entity_json(entity, "[1001]").unwrap();
        remote.get_online_features(&request).unwrap_err()
    };
    let error = ask("nope:x", "driver_id");
    assert_eq!((error.code, error.http_status, error.attempts), (Code::NotFound, 404, 1));
    assert_eq!(error.feast_class.as_deref(), Some("FeatureViewNotFoundException"));
    assert!(error.message.contains("Feature view nope does not exist in project drivers"), "{error}");
    assert!(error.message.contains(&feast.url()) && !error.retriable);

    let collision = {
        let mut request = Request::default();
        request.add_feature("driver_hourly_stats:conv_rate").unwrap();
        request.add_feature("driver_hourly_stats@latest:conv_rate").unwrap();
        request.set_entity_json("driver_id", "[1001]").unwrap();
        remote.get_online_features(&request).unwrap_err()
    };
    // HTTP 500, but a FeastError: the same question would get the same answer, so it is asked once.
    assert_eq!((collision.code, collision.http_status, collision.attempts), (Code::Server, 500, 1));
    assert_eq!(collision.feast_class.as_deref(), Some("FeatureNameCollisionError"));

    let error = remote.get_online_features_json(b"{\"features\":[]}", None).unwrap_err();
    assert_eq!((error.code, error.http_status), (Code::InvalidRequest, 422));
    assert!(error.message.contains("body.entities: Field required"), "{error}");

    let missing = ask("driver_hourly_stats:conv_rate", "customer_id");
    assert_eq!((missing.code, missing.http_status), (Code::Server, 500));
    assert!(missing.message.contains("Missing join key values"), "{missing}");
}

#[test]
fn json_passes_through_as_it_is() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let body = br#"{"features":["driver_hourly_stats:home_city"],"entities":{"driver_id":[1001]}}"#;
    let answer: Value =
        serde_json::from_slice(&remote.get_online_features_json(body, None).unwrap()).unwrap();
    assert_eq!(answer["metadata"]["feature_names"], serde_json::json!(["driver_id", "home_city"]));
    assert_eq!(answer["results"][1]["values"][0], expected()["driver_hourly_stats"]["1001"]["home_city"]);
}

#[test]
fn two_thousand_calls_against_workers_that_come_and_go_return_two_thousand_answers() {
    let feast = Feast::serve(&[
        "--max-requests",
        "100",
        "--max-requests-jitter",
        "20",
        "--keep-alive-timeout",
        "1",
        "-w",
        "2",
    ]);
    let remote = open(&feast);
    let mut request = Request::default();
    request.add_feature("driver_hourly_stats:avg_daily_trips").unwrap();
    request.set_entity_int64("driver_id", &[1001]).unwrap();
    let trips = &expected()["driver_hourly_stats"]["1001"]["avg_daily_trips"];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for call in 0..500 {
                    let response = remote.get_online_features(&request).unwrap();
                    assert_eq!(&cell(&response, "avg_daily_trips", 0), trips);
                    // Pauses that outlive the server's keep-alive.
                    if call % 200 == 199 {
                        std::thread::sleep(std::time::Duration::from_millis(1300));
                    }
                }
            });
        }
    });
    let figures: Value = serde_json::from_str(&remote.stats_json()).unwrap();
    assert_eq!(figures["total_latency"]["count"], 2000);
    assert!(figures["connections_closed_by_server"].as_u64().unwrap() > 0, "{figures}");
}

/// Feast 0.61 sends the metadata first, NaN as null, and cannot send bytes, sets, maps and structs.
#[test]
fn an_older_server_is_understood_type_by_type() {
    let feast = Feast::serve_as(Version::Oldest, &[], &[], &[]);
    let remote = open(&feast);
    let written = Version::Oldest.expected();
    let names: Vec<&String> = written.as_object().unwrap().keys().collect();
    for typed in [false, true] {
        let mut request = Request::default();
        for name in &names {
            let kind = match name.as_str() {
                "nan_value" => Type::of(Element::Double),
                name => declared(name),
            };
            let kind = if typed { kind } else { Type::NULL };
            request.add_typed_feature(&format!("every_type:{name}"), kind).unwrap();
        }
        request.set_entity_int64("driver_id", &[1002, 1001, 9999]).unwrap();
        let response = remote.get_online_features(&request).unwrap();
        assert_eq!(response.int64(0).unwrap(), [1002, 1001, 9999]);
        for name in &names {
            let column = cells::column(&response, name);
            let (got, wanted) = (cells::cell(&response, column, 1), &written[*name]);
            if typed {
                assert_eq!(got, as_declared(wanted, declared_element(name)), "{name}");
            } else if name.starts_with("float") {
                assert_eq!(as_declared(&got, Element::Float), as_declared(wanted, Element::Float), "{name}");
            } else {
                assert_eq!(&got, wanted, "{name}");
            }
            assert_eq!(cells::cell(&response, column, 0), Value::Null, "{name} of a row of nulls");
            assert_eq!(response.statuses(column).unwrap(), [1, 1, 3], "{name}");
            let written_at = 1_767_323_045_678_901_000;
            let timestamps = response.event_timestamps(column).unwrap();
            assert!(
                [written_at, written_at / 1_000_000_000 * 1_000_000_000].contains(&timestamps[1]),
                "{timestamps:?}"
            );
            assert_eq!(timestamps[2], 0);
        }
    }
    // What that server cannot send is its own error, word for word.
    let mut request = Request::default();
    request.add_feature("every_type:no_such_feature").unwrap();
    request.set_entity_int64("driver_id", &[1001]).unwrap();
    let error = remote.get_online_features(&request).unwrap_err();
    assert!(error.http_status >= 400 && error.message.contains("no_such_feature"), "{error}");
}

fn declared_element(name: &str) -> Element {
    if name == "nan_value" { Element::Double } else { declared(name).element }
}

#[test]
fn a_large_call_in_parts_is_the_same_as_in_one() {
    let feast = Feast::serve(&["-w", "2"]);
    let mut config = Config::new().unwrap();
    config.set("path", &feast.url()).unwrap();
    config.set("request_timeout_ms", "30000").unwrap();
    let whole = Remote::open(&config).unwrap();
    config.set("max_rows_per_request", "100").unwrap();
    let parts = Remote::open(&config).unwrap();
    let mut request = Request::default();
    // Of a service the server has the order, and some drivers are not there.
    request.set_feature_service("driver_activity").unwrap();
    request.set_entity_int64("driver_id", &(900..1900).collect::<Vec<_>>()).unwrap();
    let (whole, parts) =
        (whole.get_online_features(&request).unwrap(), parts.get_online_features(&request).unwrap());
    assert_eq!(names(&whole), names(&parts));
    for column in 0..whole.num_columns() {
        assert_eq!(whole.column_type(column), parts.column_type(column));
        assert_eq!(whole.statuses(column), parts.statuses(column));
        assert_eq!(whole.event_timestamps(column), parts.event_timestamps(column));
        for row in 0..1000 {
            assert_eq!(cells::cell(&whole, column, row), cells::cell(&parts, column, row), "{column} {row}");
        }
    }
}

#[test]
fn stale_values_of_the_server_are_told_by_their_event_timestamps() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let statuses = |age: Duration, drops: bool| {
        let mut request = Request::default();
        request.add_feature("driver_hourly_stats:avg_daily_trips").unwrap();
        request.set_entity_int64("driver_id", &[1001, 9999]).unwrap();
        request.set_max_age(Some(MaxAge { age, drops }));
        let response = remote.get_online_features(&request).unwrap();
        let trips = response.int64(1).unwrap_or(&[0, 0])[0];
        (response.statuses(1).unwrap().to_vec(), trips > 0)
    };
    // They were written two hours before the repository was filled.
    assert_eq!(statuses(Duration::from_secs(3600), false), (vec![4, 3], true));
    assert_eq!(statuses(Duration::from_secs(3600), true), (vec![4, 3], false));
    assert_eq!(statuses(Duration::from_secs(10 * 365 * 86_400), true), (vec![1, 3], true));
}
