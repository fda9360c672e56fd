//! What goes over the wire: connections, deadlines, retries, the idle timeout, against the misbehaving server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use feast_remote::config::Config;
use feast_remote::error::{Code, Error};
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;
use support::server::{Server, Step, Welcome, answer, features_of, reply, say};
use support::wait_until;

/// A store without pauses between retries, unless `keys` say otherwise.
fn open(server: &Server, keys: &[(&str, &str)]) -> Remote {
    let mut config = Config::new().unwrap();
    config.set("path", &server.url()).unwrap();
    config.set("retry_backoff_factor", "0").unwrap();
    keys.iter().for_each(|(key, value)| config.set(key, value).unwrap());
    Remote::open(&config).unwrap()
}

fn ask(id: i64) -> Request {
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.add_feature("v:b").unwrap();
    request.set_entity_int64("id", &[id]).unwrap();
    request
}

/// One call, whose answer must belong to its question.
fn call(remote: &Remote, id: i64) -> Result<(), Error> {
    let response = remote.get_online_features(&ask(id))?;
    assert_eq!(response.int64(0).unwrap(), [id]);
    assert_eq!(response.int64(1).unwrap(), [1000 * id]);
    assert_eq!(response.int64(2).unwrap(), [1000 * id + 1]);
    Ok(())
}

fn fails(remote: &Remote, id: i64) -> Error {
    call(remote, id).unwrap_err()
}

#[test]
fn the_request_is_what_a_feature_server_expects() {
    let server = Server::start(answer);
    call(&open(&server, &[]), 7).unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "POST /get-online-features?status=true");
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["user-agent"], format!("feast_remote/{}", env!("CARGO_PKG_VERSION")));
    assert!(!seen.headers.contains_key("expect") && !seen.headers.contains_key("accept-encoding"));
}

/// Plain paths are given to libcurl apart from the URL, others within it.
#[test]
fn the_stores_path_is_kept_whatever_it_looks_like() {
    let server = Server::start(answer);
    let authority = server.url();
    let port = authority.rsplit(':').next().unwrap();
    for (path, target, host) in [
        (authority.clone(), "", authority.replace("http://", "")),
        (format!("{authority}/"), "", authority.replace("http://", "")),
        (format!("{authority}/team-a/feast_2"), "/team-a/feast_2", authority.replace("http://", "")),
        (format!("{authority}/v1.2/%7Efeast"), "/v1.2/%7Efeast", authority.replace("http://", "")),
        (format!("HTTP://LOCALHOST:{port}/Feast"), "/Feast", format!("LOCALHOST:{port}")),
    ] {
        let before = server.requests();
        call(&open(&server, &[("path", &path)]), 7).unwrap_or_else(|error| panic!("{path}: {error}"));
        let seen = &server.seen()[before];
        assert_eq!(seen.target, format!("POST {target}/get-online-features?status=true"), "{path}");
        assert!(seen.headers["host"].eq_ignore_ascii_case(&host), "{path}: {}", seen.headers["host"]);
    }
}

#[test]
fn credentials_in_the_path_are_sent_with_each_request() {
    let server = Server::start(answer);
    let path = server.url().replace("http://", "http://us%20er:p%40ss@") + "/store";
    let remote = open(&server, &[("path", &path)]);
    (0..2).for_each(|id| call(&remote, id).unwrap());
    for seen in server.seen() {
        assert_eq!(seen.headers["authorization"], "Basic dXMgZXI6cEBzcw=="); // base64 of "us er:p@ss"
        assert_eq!(seen.target, "POST /store/get-online-features?status=true");
    }
    assert_eq!(server.requests(), 2);
}

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
fn the_json_call_returns_one_whole_json_text_or_an_error() {
    let server = Server::start(|seen| say(200, &seen.body));
    let remote = open(&server, &[]);
    for whole in ["{}", " [1,{\"a\":null}]\n", "7"] {
        assert_eq!(remote.get_online_features_json(whole.as_bytes(), None).unwrap(), whole.as_bytes());
    }
    for (broken, words) in
        [("", "at its end"), ("{\"a\":", "at its end"), ("{} x", "text after the end"), ("\"\u{0}", "")]
    {
        let error = remote.get_online_features_json(broken.as_bytes(), None).unwrap_err();
        assert_eq!(
            (error.code, error.http_status, error.attempts),
            (Code::Decode, 200, 1),
            "{broken}: {error}"
        );
        assert!(error.message.contains(words) && error.message.contains(&server.url()), "{broken}: {error}");
    }
    assert!(remote.stats_json().contains("\"calls_failed\":4"), "{}", remote.stats_json());
}

#[test]
fn a_url_that_libcurl_cannot_use_is_refused_when_the_store_is_opened() {
    for path in [
        "http://h:99999",
        "http://h:-1",
        "http://[::1",
        "http://a b",
        "http://%00",
        "http://u%00:p@h",
        "http://h|x",
    ] {
        let mut config = Config::new().unwrap();
        let refused = config.set("path", path).and_then(|()| Remote::open(&config).map(drop)).unwrap_err();
        assert_eq!(refused.code, Code::Config, "{path}: {refused}");
        assert!(refused.message.starts_with("path: "), "{path}: {refused}");
    }
}

#[test]
fn only_what_has_a_connection_counts_as_one() {
    let figure = |remote: &Remote, name: &str| {
        let figures: serde_json::Value = serde_json::from_str(&remote.stats_json()).unwrap();
        figures[name].as_u64().unwrap()
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    let mut config = Config::new().unwrap();
    config.set("path", &format!("http://{gone}")).unwrap();
    config.set("connection_retries", "0").unwrap();
    let remote = Remote::open(&config).unwrap();
    fails(&remote, 1);
    assert_eq!((figure(&remote, "connections_opened"), figure(&remote, "connections_idle")), (0, 0));
    let server = Server::start(|seen| {
        let close: &[_] = if seen.number == 1 { &[("Connection", "close")] } else { &[] };
        vec![Step::Send(reply(200, close, features_of(&seen.body)))]
    });
    let remote = open(&server, &[]);
    for idle in [1, 0, 1] {
        call(&remote, 1).unwrap();
        assert_eq!(figure(&remote, "connections_idle"), idle);
    }
    assert_eq!(figure(&remote, "connections_opened"), 2);
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
fn ten_thousand_calls_on_one_thread_open_one_connection() {
    let server = Server::start(answer);
    server.forget_requests();
    let remote = open(&server, &[]);
    (0..10_000).for_each(|id| call(&remote, id).unwrap());
    assert_eq!((server.connections(), server.requests()), (1, 10_000));
}

#[test]
fn sixty_four_threads_on_a_pool_of_eight_never_open_a_ninth_connection() {
    let server = Server::start(answer);
    server.forget_requests();
    let remote = open(&server, &[("connection_pool_size", "8"), ("request_timeout_ms", "60000")]);
    thread::scope(|scope| {
        for thread in 0..64 {
            let remote = &remote;
            scope.spawn(move || (0..100).for_each(|i| call(remote, thread * 1000 + i).unwrap()));
        }
    });
    assert!(server.connections() <= 8, "{}", server.connections());
    assert_eq!(server.requests(), 6400);
}

/// Steps that wait until a gate opens.
struct Gate(AtomicBool);

impl Gate {
    fn new() -> Arc<Gate> {
        Arc::new(Gate(AtomicBool::new(false)))
    }

    fn pass(&self) {
        wait_until("the gate opens", || self.0.load(Ordering::SeqCst));
    }

    fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn waiting_calls_are_served_in_the_order_of_their_arrival() {
    let gate = Gate::new();
    let held = Arc::clone(&gate);
    let server = Server::start(move |seen| {
        held.pass();
        answer(seen)
    });
    let remote = open(&server, &[("connection_pool_size", "1"), ("request_timeout_ms", "60000")]);
    thread::scope(|scope| {
        for id in 0..6 {
            let remote = &remote;
            scope.spawn(move || call(remote, id).unwrap());
            // The first is on the wire, or the next has joined the queue, before another one comes.
            if id == 0 {
                wait_until("the first call is on the wire", || server.requests() == 1);
            } else {
                wait_until("the call waits", || remote.waiting() == id as usize);
            }
        }
        gate.open();
    });
    let order: Vec<String> = server
        .seen()
        .iter()
        .map(|seen| String::from_utf8_lossy(&seen.body).split(['[', ']']).nth(3).unwrap().to_owned())
        .collect();
    assert_eq!(order, ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn a_call_that_finds_no_place_until_its_deadline_is_overloaded() {
    let server = Server::start(|_| vec![Step::Stall]);
    let remote = open(&server, &[("connection_pool_size", "1"), ("request_timeout_ms", "0")]);
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(fails(&remote, 1).code, Code::Closed));
        wait_until("the place is taken", || server.requests() == 1);
        let mut request = ask(2);
        request.set_timeout(Duration::from_millis(50));
        let start = Instant::now();
        let error = remote.get_online_features(&request).unwrap_err();
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!((error.code, error.attempts, error.retriable), (Code::Overloaded, 0, true));
        assert!(error.message.contains("all 1 connections (connection_pool_size)"), "{error}");
        remote.close();
    });
    assert_eq!(server.requests(), 1);
}

#[test]
fn the_connection_used_last_is_used_first() {
    let gate = Gate::new();
    let held = Arc::clone(&gate);
    let server = Server::start(move |seen| {
        if seen.number < 3 {
            held.pass();
        }
        answer(seen)
    });
    let remote = open(&server, &[]);
    thread::scope(|scope| {
        for id in 0..3 {
            let remote = &remote;
            scope.spawn(move || call(remote, id).unwrap());
        }
        wait_until("three calls are on the wire", || server.requests() == 3);
        gate.open();
    });
    (10..20).for_each(|id| call(&remote, id).unwrap());
    let later: Vec<usize> = server.seen()[3..].iter().map(|seen| seen.connection).collect();
    assert!(later.windows(2).all(|pair| pair[0] == pair[1]), "{later:?}");
    assert_eq!(server.connections(), 3);
}

#[test]
fn an_idle_connection_is_closed_at_its_time_with_no_call_to_trigger_it() {
    let server = Server::start(answer);
    let remote = open(&server, &[("connection_idle_timeout", "1")]);
    let start = Instant::now();
    call(&remote, 1).unwrap();
    wait_until("the connection is closed", || server.open() == 0);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    call(&remote, 2).unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn connections_that_the_server_closes_cost_no_error() {
    // Each connection serves 20 requests and is closed without a word.
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let server = Server::start_with(
        |_| Welcome::IdleLimit(Duration::from_secs(1)),
        move |seen| {
            let mut steps = answer(seen);
            if count.fetch_add(1, Ordering::SeqCst) % 20 == 19 {
                steps.push(Step::Close);
            }
            steps
        },
    );
    server.forget_requests();
    let remote = open(&server, &[("connection_retries", "0")]);
    (0..10_000).for_each(|id| call(&remote, id).unwrap());
    assert!(server.connections() >= 500, "{}", server.connections());
    // All of them idle for longer than the server keeps them.
    wait_until("the server has closed every connection", || server.open() == 0);
    call(&remote, 1).unwrap();
}

#[test]
fn a_stalled_server_cannot_make_a_call_outlive_its_deadline_and_the_error_names_the_phase() {
    type Script = (&'static str, fn() -> Vec<Step>, &'static str);
    let scripts: [Script; 4] = [
        ("before the answer", || vec![Step::Stall], "waiting for the first byte of the answer"),
        (
            "within the header",
            || vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()), Step::Stall],
            "receiving the answer",
        ),
        (
            "within the body",
            || vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()), Step::Stall],
            "receiving the answer",
        ),
        (
            "dripping",
            || {
                let bytes = reply(200, &[], vec![b' '; 100_000]);
                vec![Step::Drip { bytes, count: 100, every: Duration::from_millis(5) }]
            },
            "receiving the answer",
        ),
    ];
    for (name, script, phase) in scripts {
        let server = Server::start(move |_| script());
        let remote = open(&server, &[("request_timeout_ms", "150")]);
        let start = Instant::now();
        let error = fails(&remote, 1);
        assert!(start.elapsed() >= Duration::from_millis(150), "{name}");
        assert_eq!(
            (error.code, error.attempts, error.retriable),
            (Code::Timeout, 1, true),
            "{name}: {error}"
        );
        assert!(error.message.contains(phase), "{name}: {error}");
    }
}

#[test]
fn an_attempt_limit_leaves_time_for_another_try() {
    let server = Server::start(|seen| if seen.number == 0 { vec![Step::Stall] } else { answer(seen) });
    let remote = open(&server, &[("attempt_timeout_ms", "100"), ("request_timeout_ms", "30000")]);
    call(&remote, 3).unwrap();
    assert_eq!((server.requests(), server.connections()), (2, 2));
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
fn no_pause_is_begun_that_would_pass_the_deadline() {
    let server = Server::start(|_| vec![Step::Send(reply(503, &[("Retry-After", "3600")], "\"later\""))]);
    let start = Instant::now();
    let error = fails(&open(&server, &[("request_timeout_ms", "5000")]), 1);
    assert!(start.elapsed() < Duration::from_secs(5), "it did not wait for the deadline");
    assert_eq!((error.code, error.attempts), (Code::Server, 1));
    assert!(error.message.contains("would have come after 3600.0s, past the call's deadline"), "{error}");
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
fn an_answer_larger_than_the_limit_is_an_error_that_names_it() {
    let server = Server::start(|_| {
        let header = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        vec![Step::Send(header), Step::Flood { bytes: chunk, total: 300 << 20 }]
    });
    let error = fails(&open(&server, &[("max_response_bytes", "1048576")]), 1);
    assert_eq!((error.code, error.attempts), (Code::Decode, 1));
    assert!(error.message.contains("more than 1048576 bytes (max_response_bytes)"), "{error}");
}

#[test]
fn the_limit_of_an_answer_does_not_hide_a_long_error_page() {
    let server = Server::start(|_| say(503, format!("<html>\nbusy\n{}", "x".repeat(5000))));
    let error = fails(&open(&server, &[("max_response_bytes", "1024")]), 1);
    assert_eq!((error.code, error.http_status, error.attempts), (Code::Server, 503, 4), "{error}");
}

#[test]
fn of_a_huge_error_page_only_the_beginning_is_kept() {
    let head = b"HTTP/1.1 400 Bad\r\nContent-Length: 50000000\r\n\r\n[0".to_vec();
    let server = Server::start(move |_| {
        vec![Step::Send(head.clone()), Step::Flood { bytes: b",0".repeat(4096), total: 50_000_000 - 2 }]
    });
    let before = support::process::resident_bytes();
    let error = fails(&open(&server, &[("request_timeout_ms", "30000")]), 1);
    assert_eq!((error.code, error.http_status, error.attempts), (Code::InvalidRequest, 400, 1), "{error}");
    let grown = support::process::resident_bytes().saturating_sub(before);
    assert!(grown < 40 << 20, "{grown} bytes more");
}

#[test]
fn the_last_status_stays_known_when_a_later_attempt_brings_none() {
    let server =
        Server::start(|seen| if seen.number == 0 { say(503, "\"busy\"") } else { vec![Step::Reset] });
    let error = fails(&open(&server, &[("connection_retries", "1")]), 1);
    assert_eq!((error.code, error.http_status, error.attempts), (Code::Io, 503, 2), "{error}");
}

#[test]
fn odd_but_legal_http_is_understood() {
    let server = Server::start(|seen| {
        let body = features_of(&seen.body);
        match seen.number {
            0 => {
                let mut text =
                    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n".to_vec();
                text.extend(reply(200, &[], body));
                vec![Step::Send(text)]
            }
            1 => {
                let mut text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                body.as_bytes().chunks(7).for_each(|part| {
                    text.extend(format!("{:x}\r\n", part.len()).bytes());
                    text.extend(part);
                    text.extend(b"\r\n");
                });
                text.extend(b"0\r\n\r\n");
                vec![Step::Drip { bytes: text, count: 11, every: Duration::from_micros(50) }]
            }
            _ => vec![Step::Send(format!("HTTP/1.0 200 OK\r\n\r\n{body}").into_bytes()), Step::Close],
        }
    });
    let remote = open(&server, &[("connection_retries", "0")]);
    (0..3).for_each(|id| call(&remote, id).unwrap());
}

/// A gzip file with one stored block.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    });
    let length = u16::try_from(bytes.len()).unwrap();
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(bytes);
    file.extend(crc.to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}

#[test]
fn an_answer_compressed_unasked_is_understood() {
    let server = Server::start(|seen| {
        let body = gzip(features_of(&seen.body).as_bytes());
        vec![Step::Send(reply(200, &[("Content-Encoding", "gzip")], body))]
    });
    call(&open(&server, &[]), 4).unwrap();
    assert!(!server.seen()[0].headers.contains_key("accept-encoding"));
}

#[test]
fn a_server_that_resets_new_connections_is_unreachable() {
    let server = Server::start_with(|_| Welcome::Reset, answer);
    let error = fails(&open(&server, &[]), 1);
    assert!(matches!(error.code, Code::Io | Code::Connect), "{error}");
    assert_eq!((error.attempts, error.retriable), (4, true));
}

#[test]
fn a_server_that_accepts_late_is_waited_for_within_the_deadline() {
    let server = Server::start_with(|_| Welcome::Late(Duration::from_millis(200)), answer);
    call(&open(&server, &[]), 1).unwrap();
}

/// The store's figures.
fn figures(remote: &Remote) -> serde_json::Value {
    serde_json::from_str(&remote.stats_json()).unwrap()
}

#[test]
fn the_statistics_have_exactly_the_fields_that_statistics_md_describes() {
    let server = Server::start(answer);
    let remote = open(&server, &[]);
    call(&remote, 1).unwrap();
    let figures = figures(&remote);
    let text = feast_remote::stats::reference();
    let described: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split_once("` | ").unwrap())
        .map(|(name, rest)| (name, rest.split(" | ").next().unwrap()))
        .collect();
    assert_eq!(described.len(), figures.as_object().unwrap().len());
    for (name, kind) in described {
        match kind {
            "latency" => {
                for part in ["count", "p50_us", "p90_us", "p99_us", "max_us"] {
                    assert!(figures[name][part].is_u64(), "{name}.{part}");
                }
            }
            _ => assert!(figures[name].is_u64(), "{name}"),
        }
    }
}

#[test]
fn the_statistics_count_what_went_over_the_wire() {
    // Closes after every second answer without a word; the fifth request is refused once.
    let server = Server::start(|seen| {
        let mut steps = if seen.number == 4 { say(503, "\"busy\"") } else { answer(seen) };
        if seen.number % 2 == 1 {
            steps.push(Step::Close);
        }
        steps
    });
    let remote = open(&server, &[("connection_idle_timeout", "1")]);
    for id in 0..7 {
        call(&remote, id).unwrap();
        // The next call finds the connection closed, and not in the middle of closing.
        wait_until("the server has closed", || server.open() == server.requests() % 2);
    }
    let now = figures(&remote);
    assert_eq!(server.requests(), 8);
    for (field, expected) in [
        ("calls", 7),
        ("calls_failed", 0),
        ("attempts", 8),
        ("retries_status", 1),
        ("retries_io", 0),
        ("connections_opened", 4),
        ("connections_closed_by_server", 3),
        ("connections_in_use", 0),
        ("waiting_calls", 0),
        ("retry_budget_tokens", 498),
    ] {
        assert_eq!(now[field], expected, "{field} of {now}");
    }
    // libcurl may find out that a kept connection is dead by sending on it, and sends again.
    let wire_requests = now["wire_requests"].as_u64().unwrap();
    assert!((8..=8 + 3).contains(&wire_requests), "{now}");
    assert_eq!(now["total_latency"]["count"], 7);
    assert_eq!(now["connect_latency"]["count"], 4);
    assert_eq!(now["tls_latency"]["count"], 0);
    wait_until("the idle connection is closed", || figures(&remote)["connections_closed_idle"] == 1);
    assert_eq!(figures(&remote)["connections_idle"], 0);
}
