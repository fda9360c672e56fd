//! Every call returns by its deadline and says where the time went.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod support;

use std::time::{Duration, Instant};

use feast_remote::error::Code;
use support::server::{Server, Step, Welcome, answer, reply};
use support::store::{call, fails, open};

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
fn no_pause_is_begun_that_would_pass_the_deadline() {
    let server = Server::start(|_| vec![Step::Send(reply(503, &[("Retry-After", "3600")], "\"later\""))]);
    let start = Instant::now();
    let error = fails(&open(&server, &[("request_timeout_ms", "5000")]), 1);
    assert!(start.elapsed() < Duration::from_secs(5), "it did not wait for the deadline");
    assert_eq!((error.code, error.attempts), (Code::Server, 1));
    assert!(error.message.contains("would have come after 3600.0s, past the call's deadline"), "{error}");
}

#[test]
fn a_server_that_accepts_late_is_waited_for_within_the_deadline() {
    let server = Server::start_with(|_| Welcome::Late(Duration::from_millis(200)), answer);
    call(&open(&server, &[]), 1).unwrap();
}
