//! Calls of many rows that go out as several requests (`max_rows_per_request`).

use std::cell::Cell;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::events::{code, next, nothing_comes, queue};
use crate::support::server::{Seen, Server, Step, answer, say};
use crate::support::store::{ask_for, figures, open};
use crate::support::wait::wait_until;
use feast_remote::error::Code;
use serde_json::Value;

#[test]
fn large_calls_go_out_as_several_requests_at_once_and_come_back_as_one() {
    let together = Barrier::new(11);
    let server = Server::start(move |seen| {
        if seen.number < 11 {
            together.wait();
        }
        answer(seen)
    });
    let remote = open(&server, &[("max_rows_per_request", "100")]);
    let ids: Vec<i64> = (0..1001).collect();
    let response = remote.get_online_features(&ask_for(&ids)).unwrap();
    assert_eq!(response.int64(0).unwrap(), ids);
    assert_eq!(response.int64(2).unwrap(), ids.iter().map(|id| 1000 * id + 1).collect::<Vec<_>>());
    assert_eq!(server.requests(), 11);
    assert_eq!(server.most_open(), 11, "at the same time");
    let rows = |seen: &Seen| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        body["entities"]["id"].as_array().unwrap().len()
    };
    assert!(server.seen().iter().all(|seen| rows(seen) == 91));
    let queue = queue();
    remote.submit(&ask_for(&ids), &queue, 7).unwrap();
    let event = next(&queue);
    assert_eq!((event.tag(), event.into_response().unwrap().int64(0).unwrap().to_vec()), (7, ids.clone()));
    assert!(nothing_comes(&queue));
    remote.get_online_features(&ask_for(&ids[..100])).unwrap();
    assert_eq!(server.requests(), 23, "what is not too large is one request");
    let figures = figures(&remote);
    assert_eq!((&figures["calls"], &figures["attempts"]), (&3.into(), &23.into()));
}

#[test]
fn calls_in_parts_come_to_use_different_workers_and_stay_there() {
    // The first three connections are with one worker, which answers one request after the other, then every other one.
    let workers = [Mutex::new(()), Mutex::new(())];
    let worker_of = |connection: usize| usize::from(connection > 2 && connection % 2 == 1);
    let server = Server::start(move |seen| {
        let _busy = workers[worker_of(seen.connection)].lock().unwrap();
        thread::sleep(Duration::from_millis(10));
        answer(seen)
    });
    let remote = open(&server, &[("max_rows_per_request", "500")]);
    let ids: Vec<i64> = (0..1000).collect();
    let request = ask_for(&ids);
    let spread = || {
        let before = server.requests();
        remote.get_online_features(&request).unwrap();
        let seen = server.seen();
        seen[before..].iter().map(|seen| worker_of(seen.connection)).sum::<usize>() == 1
    };
    let in_a_row = Cell::new(0);
    wait_until("ten calls in a row have used both workers", || {
        in_a_row.set(if spread() { in_a_row.get() + 1 } else { 0 });
        in_a_row.get() == 10
    });
    let figures = figures(&remote);
    let closed = figures["connections_closed_rebalancing"].as_u64().unwrap();
    // The last call may have closed one.
    let opened = figures["connections_opened"].as_u64().unwrap();
    assert!(closed >= 2 && (opened == 1 + closed || opened == 2 + closed), "{figures}");
    assert_eq!((&figures["calls_failed"], &figures["connections_closed_by_server"]), (&0.into(), &0.into()));
}

#[test]
fn parts_stay_within_the_pool() {
    let server = Server::start(answer);
    let remote = open(&server, &[("max_rows_per_request", "10"), ("connection_pool_size", "3")]);
    let ids: Vec<i64> = (0..1000).collect();
    let queue = queue();
    remote.submit(&ask_for(&ids), &queue, 1).unwrap();
    assert_eq!(remote.get_online_features(&ask_for(&ids)).unwrap().int64(0).unwrap(), ids);
    assert_eq!(next(&queue).into_response().unwrap().int64(0).unwrap(), ids);
    assert_eq!((server.requests(), server.most_open()), (200, 3));
}

#[test]
fn the_first_failure_of_a_split_call_ends_all_of_it() {
    let server = Server::start(|seen| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        match body["entities"]["id"][0].as_i64().unwrap() {
            20 => say(422, r#"{"detail":[{"type":"x","loc":["body"],"msg":"no"}]}"#),
            _ => vec![Step::Stall],
        }
    });
    let keys = [("max_rows_per_request", "10"), ("request_timeout_ms", "0"), ("connection_pool_size", "4")];
    let remote = open(&server, &keys);
    let ids: Vec<i64> = (0..60).collect();
    let error = remote.get_online_features(&ask_for(&ids)).unwrap_err();
    assert_eq!((error.code, error.attempts), (Code::InvalidRequest, 1), "{error}");
    wait_until("the other requests are gone", || {
        let figures = figures(&remote);
        figures["async_requests"] == 0 && figures["connections_in_use"] == 0
    });
    assert_eq!(figures(&remote)["calls_failed"], 1);
}

#[test]
fn a_call_of_very_many_requests_may_fail_too() {
    let server = Server::start(|_| vec![Step::Stall]);
    let remote = open(&server, &[("max_rows_per_request", "1"), ("request_timeout_ms", "300")]);
    let ids: Vec<i64> = (0..16_000).collect();
    let error = remote.get_online_features(&ask_for(&ids)).unwrap_err();
    assert!([Code::Timeout, Code::Overloaded].contains(&error.code), "{error}");
    wait_until("its requests are gone", || figures(&remote)["async_requests"] == 0);
    let queue = queue();
    let call = remote.submit(&ask_for(&ids), &queue, 0).unwrap();
    call.cancel();
    assert!([Code::Cancelled, Code::Timeout, Code::Overloaded].contains(&code(next(&queue))));
    wait_until("its requests are gone", || figures(&remote)["async_requests"] == 0);
}
