//! Request data, where the server takes it: Feast's Python server among the entities, the Go server in `request_context`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use feast_remote::remote::Remote;
use feast_remote::wire::request::{Request, Role};
use serde_json::{Value, json};

use crate::support::events::{next, queue};
use crate::support::server::{Seen, Server, Step, say};
use crate::support::store::{config, figures};

fn question(ids: &[i64]) -> Request {
    let mut request = Request::default();
    request.add_feature("view:sum").unwrap();
    request.set_entity_int64("id", ids).unwrap();
    request.set_int64(Role::RequestData, "x", &ids.iter().map(|id| 10 * id).collect::<Vec<_>>()).unwrap();
    request
}

/// id + x, as an on demand feature view would have it.
fn sums(body: &Value, x: &Value) -> Vec<i64> {
    let numbers =
        |list: &Value| list.as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect::<Vec<_>>();
    numbers(&body["entities"]["id"]).iter().zip(numbers(x)).map(|(id, x)| id + x).collect()
}

/// As the Go server answers (go/internal/feast/server/http_server.go).
fn go(seen: &Seen) -> Vec<Step> {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    if body["entities"].get("x").is_some() {
        return say(
            500,
            r#"{"error":"Error getting feature vector: Invalid entity join key: x","status_code":500}"#,
        );
    }
    let ids = body["entities"]["id"].as_array().unwrap().clone();
    let sums = sums(&body, &body["request_context"]["x"]);
    let moments = vec!["2026-11-23T07:00:00Z"; ids.len()];
    let statuses = vec!["PRESENT"; ids.len()];
    // serde_json sorts the keys of maps as Go does.
    let answer = json!({
        "metadata": {"feature_names": ["id", "sum"]},
        "results": [
            {"event_timestamps": moments, "statuses": statuses, "values": ids},
            {"event_timestamps": moments, "statuses": statuses, "values": sums},
        ],
    });
    say(200, answer.to_string())
}

/// As `feast serve` answers.
fn python(seen: &Seen) -> Vec<Step> {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    if body["entities"].get("x").is_none() {
        let error =
            r#"{"module":"feast.errors","class":"RequestDataNotFoundInEntityRowsException","message":"x"}"#;
        return say(500, serde_json::to_string(error).unwrap());
    }
    let (ids, sums) = (&body["entities"]["id"], sums(&body, &body["entities"]["x"]));
    let statuses = vec!["PRESENT"; sums.len()];
    say(
        200,
        format!(
            r#"{{"metadata":{{"feature_names":["id","sum"]}},"results":[{{"values":{ids},"statuses":{statuses:?}}},{{"values":{sums:?},"statuses":{statuses:?}}}]}}"#
        ),
    )
}

fn open(server: &Server, keys: &[(&str, &str)]) -> Remote {
    Remote::open(&config(&server.url(), keys)).unwrap()
}

fn check(remote: &Remote, ids: &[i64]) {
    let response = remote.get_online_features(&question(ids)).unwrap();
    assert_eq!(response.int64(1).unwrap(), ids.iter().map(|id| 11 * id).collect::<Vec<_>>());
}

fn check_asynchronously(remote: &Remote, ids: &[i64]) {
    let queue = queue();
    remote.submit(&question(ids), &queue, 0).unwrap();
    let response = next(&queue).into_response().unwrap();
    assert_eq!(response.int64(1).unwrap(), ids.iter().map(|id| 11 * id).collect::<Vec<_>>());
}

#[test]
fn request_data_goes_where_the_server_takes_it_once_that_is_known() {
    for (server, in_vain) in [(Server::start(go), 1), (Server::start(python), 0)] {
        let remote = open(&server, &[("retry_application_errors", "never")]);
        check(&remote, &[1, 2]);
        assert_eq!(server.requests(), 1 + in_vain);
        check(&remote, &[3]);
        check_asynchronously(&remote, &[4]);
        assert_eq!(server.requests(), 3 + in_vain);
        let now = figures(&remote);
        assert_eq!((&now["calls_failed"], &now["retries_status"]), (&0.into(), &in_vain.into()), "{now}");
    }
}

#[test]
fn an_asynchronous_call_and_parts_and_merged_calls_are_told_too() {
    for keys in [
        &[("connection_retries", "0")][..],
        &[("max_rows_per_request", "2")],
        &[("merge_max_rows", "100"), ("merge_check", "false")],
        &[("merge_max_rows", "100")],
        &[("hedge_percent", "10")],
    ] {
        let server = Server::start(go);
        let remote = open(&server, keys);
        check_asynchronously(&remote, &[1, 2, 3]);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let remote = &remote;
                scope.spawn(move || (0..20).for_each(|id| check(remote, &[100 * thread + id])));
            }
        });
        assert_eq!(figures(&remote)["calls_failed"], 0, "{keys:?}");
    }
}

#[test]
fn an_answer_without_request_data_tells_which_server_it_is() {
    let server = Server::start(|seen| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        match body["entities"].get("x").or(body["request_context"].get("x")) {
            Some(_) => go(seen),
            None => {
                let column = |value: i64| json!({"event_timestamps": ["2026-11-23T07:00:00Z"], "statuses": ["PRESENT"], "values": [value]});
                let answer =
                    json!({"metadata": {"feature_names": ["id", "f"]}, "results": [column(1), column(2)]});
                say(200, answer.to_string())
            }
        }
    });
    let remote = open(&server, &[]);
    let mut plain = Request::default();
    plain.add_feature("view:f").unwrap();
    plain.set_entity_int64("id", &[1]).unwrap();
    remote.get_online_features(&plain).unwrap();
    check(&remote, &[1]);
    assert_eq!(server.requests(), 2, "no request was in vain");
}

#[test]
fn a_server_that_becomes_another_one_is_told_again() {
    let turn = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&turn);
    let server =
        Server::start(
            move |seen| if now.load(Ordering::SeqCst).is_multiple_of(2) { go(seen) } else { python(seen) },
        );
    let remote = open(&server, &[]);
    for next in 1..=4 {
        check(&remote, &[1, 2]);
        check_asynchronously(&remote, &[3]);
        turn.store(next, Ordering::SeqCst);
    }
}

#[test]
fn what_is_configured_is_not_learnt_anew() {
    let server = Server::start(go);
    let remote = open(&server, &[("server", "go")]);
    check(&remote, &[1]);
    assert_eq!(server.requests(), 1);
    let remote = open(&server, &[("server", "python"), ("retry_application_errors", "never")]);
    let error = remote.get_online_features(&question(&[1])).unwrap_err();
    assert!(error.message.contains("Invalid entity join key: x"), "{}", error.message);
    assert_eq!(server.requests(), 2);
}

#[test]
fn a_gateways_errors_do_not_pass_for_the_other_server() {
    for (error, kind) in [
        (r#"{"error":"upstream","status_code":503}"#, python as fn(&Seen) -> Vec<Step>),
        (r#"{"type":"about:blank","title":"Unavailable","status":503,"detail":"x"}"#, go),
    ] {
        let turn = AtomicUsize::new(0);
        let server = Server::start(move |seen| match turn.fetch_add(1, Ordering::SeqCst) {
            0 | 3 => say(503, error),
            _ => kind(seen),
        });
        let remote = open(&server, &[]);
        check(&remote, &[1]);
        check(&remote, &[2]);
        check_asynchronously(&remote, &[3]);
        assert_eq!(figures(&remote)["calls_failed"], 0);
    }
}
