//! What is tried again, and what remains when nothing helps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use feast_remote::error::Code;
use support::server::{Server, Step, Welcome, answer, features_of, reply, say};
use support::store::{call, fails, open};
use support::wait_until;

#[test]
fn an_answer_that_ends_amid_its_header_is_a_broken_connection() {
    let whole = reply(
        200,
        &[("Content-Type", "application/json")],
        features_of(br#"{"features":["v:a","v:b"],"entities":{"id":[1]}}"#),
    );
    let header = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let cut = Arc::new(AtomicUsize::new(0));
    let (bytes, until) = (whole.clone(), Arc::clone(&cut));
    let server =
        Server::start(move |_| vec![Step::Send(bytes[..until.load(Ordering::SeqCst)].to_vec()), Step::Close]);
    let remote = open(&server, &[("connection_retries", "1"), ("retry_budget", "0")]);
    for length in 1..header {
        cut.store(length, Ordering::SeqCst);
        let error = fails(&remote, 1);
        assert_eq!(
            (error.code, error.http_status, error.attempts),
            (Code::Io, 0, 2),
            "{length} bytes: {error}"
        );
        let json = remote.get_online_features_json(b"{}", None).unwrap_err();
        assert_eq!((json.code, json.attempts), (Code::Io, 2), "{length} bytes: {json}");
    }
    cut.store(whole.len(), Ordering::SeqCst);
    call(&remote, 1).unwrap();
}

#[test]
fn the_last_http_status_outlives_what_ends_a_call_between_attempts() {
    let server = Server::start(|_| say(503, ""));
    let remote = open(&server, &[("retry_backoff_factor", "60"), ("request_timeout_ms", "0")]);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| fails(&remote, 1));
        // The second attempt comes at once, the third after two minutes.
        wait_until("two attempts have been answered", || server.requests() == 2);
        wait_until("the call pauses", || remote.stats_json().contains("\"retries_status\":2"));
        remote.close();
        let error = waiting.join().unwrap();
        assert_eq!((error.code, error.http_status, error.attempts), (Code::Closed, 503, 2), "{error}");
    });
}

#[test]
fn every_fault_before_a_full_answer_is_retried() {
    type Script = (&'static str, fn() -> Vec<Step>);
    let scripts: [Script; 9] = [
        ("reset before the header", || vec![Step::Reset]),
        ("reset within the header", || vec![Step::Send(b"HTTP/1.1 20".to_vec()), Step::Reset]),
        ("reset within the body", || {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), Step::Reset]
        }),
        ("closed before the header", || vec![Step::Close]),
        ("closed within a chunk", || {
            vec![
                Step::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{".to_vec()),
                Step::Close,
            ]
        }),
        ("half-closed within the body", || {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), Step::HalfClose]
        }),
        ("garbage instead of HTTP", || vec![Step::Send(b"SSH-2.0-x\r\n\r\n".to_vec()), Step::Close]),
        ("an error status", || say(503, "\"busy\"")),
        ("a gateway's page", || say(504, "<html>504</html>")),
    ];
    for (name, script) in scripts {
        // The first call warms a connection; the second one meets the fault twice.
        let server = Server::start(move |seen| match seen.number {
            1 | 2 => script(),
            _ => answer(seen),
        });
        let remote = open(&server, &[]);
        call(&remote, 1).unwrap();
        call(&remote, 2).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(server.requests() >= 3, "{name}: {}", server.requests());
    }
}

#[test]
fn nothing_of_a_failed_attempt_leaks_into_the_next() {
    let server = Server::start(|seen| match seen.number {
        0 => say(503, "x".repeat(100_000)),
        1 => vec![
            Step::Send(
                b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nRetry-After: 9\r\n\r\n{\"results\":[".to_vec(),
            ),
            Step::Close,
        ],
        _ => answer(seen),
    });
    call(&open(&server, &[]), 5).unwrap();
    assert_eq!(server.requests(), 3);
}

#[test]
fn the_last_status_and_words_survive_exhaustion() {
    let server = Server::start(|seen| say(500, format!("\"trouble {}\"", seen.number)));
    let error = fails(&open(&server, &[]), 1);
    assert_eq!((error.code, error.http_status, error.attempts), (Code::Server, 500, 4));
    assert!(error.message.contains("HTTP 500: trouble 3 (4 attempts in"), "{error}");
    assert!(error.message.starts_with(&server.url()), "{error}");
    assert_eq!(server.connections(), 1, "the connection of an error answer is used again");
}

#[test]
fn a_feast_error_is_an_answer_and_is_asked_for_once() {
    let body =
        r#""{\"module\": \"feast.errors\", \"class\": \"FeatureNameCollisionError\", \"message\": \"no\"}""#;
    let server = Server::start(move |_| say(500, body));
    let error = fails(&open(&server, &[]), 1);
    assert_eq!((error.attempts, error.retriable), (1, false));
    assert_eq!(error.feast_class.as_deref(), Some("FeatureNameCollisionError"));
}

#[test]
fn retry_after_replaces_the_pause() {
    let server = Server::start(|seen| match seen.number {
        0 => vec![Step::Send(reply(429, &[("Retry-After", "1")], "\"slow down\""))],
        _ => answer(seen),
    });
    let start = Instant::now();
    call(&open(&server, &[]), 1).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn in_an_outage_the_retry_budget_bounds_what_the_server_sees() {
    let down = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&down);
    let server =
        Server::start(
            move |seen| {
                if state.load(Ordering::SeqCst) { say(503, "\"down\"") } else { answer(seen) }
            },
        );
    let remote = open(&server, &[]);
    // 500 tokens at 5 a retry: the first 100 retries use the budget up.
    let mut calls = 0;
    while server.requests() < calls + 100 {
        fails(&remote, 1);
        calls += 1;
    }
    let (before, spent) = (server.requests(), calls);
    for _ in 0..200 {
        let error = fails(&remote, 1);
        assert!(error.message.contains("retry budget is used up"), "{error}");
    }
    assert!(server.requests() - before <= 220, "{} requests for 200 calls", server.requests() - before);
    assert!(spent <= 34, "{spent} calls used 100 retries");
    down.store(false, Ordering::SeqCst);
    (0..100).for_each(|id| call(&remote, id).unwrap());
}

#[test]
fn the_last_status_stays_known_when_a_later_attempt_brings_none() {
    let server =
        Server::start(|seen| if seen.number == 0 { say(503, "\"busy\"") } else { vec![Step::Reset] });
    let error = fails(&open(&server, &[("connection_retries", "1")]), 1);
    assert_eq!((error.code, error.http_status, error.attempts), (Code::Io, 503, 2), "{error}");
}

#[test]
fn a_server_that_resets_new_connections_is_unreachable() {
    let server = Server::start_with(|_| Welcome::Reset, answer);
    let error = fails(&open(&server, &[]), 1);
    assert!(matches!(error.code, Code::Io | Code::Connect), "{error}");
    assert_eq!((error.attempts, error.retriable), (4, true));
}
