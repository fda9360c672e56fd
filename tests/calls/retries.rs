//! What is tried again, and what remains when nothing helps.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::stalled::socket_that_refuses;
use crate::support::events::{next, outcome, queue, submit};
use crate::support::server::{Server, Step, Welcome, answer, features_of, reply, say};
use crate::support::store::{call, config, fails, figures, open};
use crate::support::wait::wait_until;
use feast_remote::error::Code;
use feast_remote::remote::Remote;

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
    let scripts: [Script; 10] = [
        ("reset before the header", || vec![Step::Reset]),
        ("reset within the header", || vec![Step::Send(b"HTTP/1.1 20".to_vec()), Step::Reset]),
        ("reset after the header", || {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec()), Step::Reset]
        }),
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
    let error = fails(&open(&server, &[("retry_application_errors", "always")]), 1);
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
    type Outage = (&'static str, fn() -> Vec<Step>, u64, &'static str);
    // 500 tokens at 5 a retry, 10 after a timeout.
    let outages: [Outage; 3] = [
        ("busy", || say(503, "\"down\""), 100, "0"),
        ("broken", || vec![Step::Reset], 100, "0"),
        // Long enough for a healthy answer on a busy machine.
        ("stalled", || vec![Step::Stall], 10, "400"),
    ];
    for (name, outage, affordable, limit) in outages {
        let (budget, each) = if limit == "0" { ("500", [8, 25]) } else { ("100", [2, 3]) };
        let faults_left = Arc::new(AtomicUsize::new(usize::MAX));
        let left = Arc::clone(&faults_left);
        let server = Server::start(move |seen| {
            let fails =
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            if fails { outage() } else { answer(seen) }
        });
        let remote = open(&server, &[("attempt_timeout_ms", limit), ("retry_budget", budget)]);
        let calls = |each: i64| {
            thread::scope(|scope| {
                (0..8).for_each(|_| drop(scope.spawn(|| (0..each).for_each(|id| drop(fails(&remote, id))))));
            });
        };
        calls(each[0]);
        let spent = figures(&remote);
        assert_eq!(spent["attempts"], 8 * each[0] as u64 + affordable, "{name}: {spent}");
        calls(each[1]);
        let now = figures(&remote);
        let seen = now["attempts"].as_u64().unwrap() - spent["attempts"].as_u64().unwrap();
        let calls = 8 * each[1] as u64;
        assert!(10 * seen <= 11 * calls, "{name}: {seen} requests for {calls} calls");
        assert!(fails(&remote, 1).message.contains("retry budget is used up"));
        faults_left.store(0, Ordering::SeqCst);
        (0..100).for_each(|id| call(&remote, id).unwrap());
        // As before, retries included.
        faults_left.store(2, Ordering::SeqCst);
        call(&remote, 1).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn a_refused_connection_is_tried_again() {
    // Bound and not listening, so that nobody else gets the port.
    let socket = socket_that_refuses();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let remote = Remote::open(&config(&url, &[])).unwrap();
    let queue = queue();
    let blocking = fails(&remote, 1);
    drop(submit(&remote, &queue, 1));
    let asynchronous = outcome(next(&queue)).1.unwrap_err();
    for error in [blocking, asynchronous] {
        let told = (error.code, error.attempts, error.http_status, error.retriable);
        assert_eq!(told, (Code::Connect, 4, 0, true), "{error}");
        assert!(error.message.starts_with(&format!("{url}: cannot connect: ")), "{error}");
    }
    assert_eq!(figures(&remote)["retries_connect"], 6);
}

/// Content-Length and the body that comes with it; what becomes of the first call, whether it is made again, and that the
/// second call gets its own answer in any case.
#[test]
fn a_wrong_content_length_never_passes_for_another_answer() {
    type Case = (&'static str, fn(&str) -> String, Result<(), Code>, u32);
    let cases: [Case; 6] = [
        (
            "too short",
            |body| format!("Content-Length: {}\r\n\r\n{body}", body.len() - 9),
            Err(Code::Decode),
            1,
        ),
        ("surplus", |body| format!("Content-Length: {}\r\n\r\n{body}HTTP/1.1 200", body.len()), Ok(()), 1),
        (
            "a second answer",
            |body| {
                let whole = format!("Content-Length: {}\r\n\r\n{body}", body.len());
                format!("{whole}HTTP/1.1 200 OK\r\n{}", whole.replace("1000", "6666"))
            },
            Ok(()),
            1,
        ),
        ("no number", |body| format!("Content-Length: many\r\n\r\n{body}"), Err(Code::Io), 4),
        ("negative", |body| format!("Content-Length: -5\r\n\r\n{body}"), Err(Code::Io), 4),
        (
            "two",
            |body| format!("Content-Length: {0}\r\nContent-Length: 3\r\n\r\n{body}", body.len()),
            Err(Code::Io),
            4,
        ),
    ];
    for (name, script, expected, attempts) in cases {
        let server = Server::start(move |seen| {
            if !seen.body.windows(3).any(|bytes| bytes == b"[1]") {
                return answer(seen);
            }
            vec![Step::Send(format!("HTTP/1.1 200 OK\r\n{}", script(&features_of(&seen.body))).into_bytes())]
        });
        let remote = open(&server, &[]);
        let first = call(&remote, 1);
        assert_eq!(first.as_ref().map(|_| ()).map_err(|error| error.code), expected, "{name}: {first:?}");
        assert_eq!(figures(&remote)["attempts"], attempts, "{name}: {first:?}");
        (2..5).for_each(|id| call(&remote, id).unwrap_or_else(|error| panic!("{name}: {error}")));
    }
}

#[test]
fn what_a_server_sends_unasked_is_no_answer() {
    let others = features_of(br#"{"features":["v:a","v:b"],"entities":{"id":[6]}}"#);
    let send = |bytes: Vec<u8>| vec![Step::Send(bytes)];
    let scripts = [
        ("another answer", send(reply(200, &[], others))),
        ("a timeout", [send(reply(408, &[], "")), vec![Step::Close]].concat()),
        ("an end", vec![Step::Close]),
        ("half a line", send(b"HTT".to_vec())),
    ];
    for (name, unasked) in &scripts {
        for blocking in [true, false] {
            let flags: [Arc<AtomicBool>; 2] = Default::default();
            let ([was_read, was_sent], unasked) = (flags.clone(), unasked.clone());
            let server = Server::start(move |seen| match seen.connection {
                0 => {
                    // Apart from the answer, or libcurl would see at once that there is too much.
                    let apart = [Step::Until(Arc::clone(&was_read))];
                    [&answer(seen)[..], &apart, &unasked, &[Step::Tell(Arc::clone(&was_sent))]].concat()
                }
                _ => answer(seen),
            });
            let remote = open(&server, &[("connection_retries", "0")]);
            let queue = queue();
            let one = |id| match blocking {
                true => call(&remote, id),
                false => {
                    drop(submit(&remote, &queue, id));
                    outcome(next(&queue)).1
                }
            };
            one(1).unwrap();
            flags[0].store(true, Ordering::SeqCst);
            wait_until("it is sent", || flags[1].load(Ordering::SeqCst) || server.open() == 0);
            (2..5).for_each(|id| one(id).unwrap_or_else(|error| panic!("{name}: {error}")));
            let figures = figures(&remote);
            let counted = ["connections_opened", "connections_closed_by_server", "wire_requests"];
            assert_eq!(counted.map(|figure| figures[figure].as_u64().unwrap()), [2, 1, 4], "{name}");
        }
    }
}

#[test]
fn an_answer_without_a_length_ends_with_its_connection() {
    let server = Server::start(|seen| {
        let body = features_of(&seen.body);
        vec![Step::Send(format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes()), Step::Close]
    });
    let remote = open(&server, &[("connection_retries", "0")]);
    (0..3).for_each(|id| call(&remote, id).unwrap());
    assert_eq!((server.connections(), server.requests()), (3, 3));
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

#[test]
fn what_the_application_says_itself_is_asked_for_once_more_and_at_once() {
    let server =
        Server::start(|_| say(500, "\"'Feature nosuch not found in projection driver_hourly_stats'\""));
    for (key, requests) in [("once", 2), ("never", 1), ("always", 4)] {
        let waits = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&waits);
        let config =
            config(&server.url(), &[("retry_application_errors", key), ("retry_backoff_factor", "0.5")]);
        let remote =
            Remote::open_with_pause(&config, move |wait: Duration| told.lock().unwrap().push(wait)).unwrap();
        let error = fails(&remote, 1);
        assert_eq!((error.code, error.attempts, error.retriable), (Code::Server, requests, key == "always"));
        assert!(error.message.contains("Feature nosuch not found"), "{error}");
        let paused = waits.lock().unwrap().iter().any(|wait| !wait.is_zero());
        assert_eq!(paused, key == "always", "{key}");
    }
}

#[test]
fn a_callers_mistakes_do_not_use_up_the_retry_budget() {
    let mistake = |body: &[u8]| body.windows(4).any(|four| four == b"[13]");
    let server = Server::start(move |seen| match mistake(&seen.body) {
        true => say(500, "\"'Feature nosuch not found'\""),
        false => answer(seen),
    });
    let remote = open(&server, &[("retry_budget", "20")]);
    for _ in 0..36 {
        fails(&remote, 13);
    }
    assert_eq!(figures(&remote)["retry_budget_tokens"], 20);
    // Four of them were asked for once more; then that, too, was used up.
    assert_eq!((server.requests(), &figures(&remote)["retries_status"]), (36 + 4, &4.into()));
}

#[test]
fn what_the_go_server_says_is_understood() {
    let cases = [
        ("NotFound", Code::NotFound, 1),
        ("InvalidArgument", Code::InvalidRequest, 1),
        ("PermissionDenied", Code::PermissionDenied, 1),
        ("Unavailable", Code::Server, 4),
        ("DeadlineExceeded", Code::Server, 4),
        ("Unknown", Code::Server, 2),
    ];
    for (grpc, code, attempts) in cases {
        let body = format!(r#"{{"error":"rpc error: code = {grpc} desc = words","status_code":500}}"#);
        let server = Server::start(move |_| say(500, body.clone()));
        let error = fails(&open(&server, &[]), 1);
        assert_eq!((error.code, error.attempts), (code, attempts), "{grpc}: {error}");
    }
}

#[test]
fn https_spoken_to_an_http_server_is_final_and_explained() {
    // As nginx and others answer bytes that are no HTTP.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let error = fails(&Remote::open(&config(&path, &[])).unwrap(), 1);
    assert_eq!((error.code, error.attempts), (Code::Tls, 1), "{error}");
    assert!(error.message.contains("should `path` begin with http://?"), "{error}");
}
