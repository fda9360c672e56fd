//! Every call returns by its deadline and says where the time went.

use std::thread;
use std::time::{Duration, Instant};

use crate::stalled::Stalled;
use crate::support::events::{next, queue};
use crate::support::server::{Server, Step, Welcome, answer, reply};
use crate::support::store::{ask, ask_for, call, config, fails, figures, open};
use feast_remote::error::Code;
use feast_remote::remote::Remote;

#[test]
fn no_phase_of_a_call_outlives_its_deadline_and_the_error_names_it() {
    let limit = Duration::from_secs(2);
    // The last word belongs to the call's own deadline.
    let keys = [("request_timeout_ms", "2000"), ("connect_timeout_ms", "600000")];
    let all = Stalled::everywhere();
    thread::scope(|scope| {
        for stalled in &all {
            let remote = Remote::open(&config(&stalled.url, &keys)).unwrap();
            let (phase, request, queue) = (stalled.phase, stalled.request(), queue());
            scope.spawn(move || {
                let start = Instant::now();
                remote.submit(&request, &queue, 0).unwrap();
                let blocking = remote.get_online_features(&request).unwrap_err();
                let asynchronous = next(&queue).into_response().unwrap_err();
                assert!(start.elapsed() >= limit, "{phase}");
                for error in [blocking, asynchronous] {
                    let told = (error.code, error.attempts, error.retriable);
                    assert_eq!(told, (Code::Timeout, 1, true), "{phase}: {error}");
                    assert!(error.message.contains(&format!("while {phase}")), "{phase}: {error}");
                }
            });
        }
    });
}

#[test]
fn an_answer_that_drips_does_not_outlive_the_deadline() {
    let server = Server::start(|_| {
        let bytes = reply(200, &[], vec![b' '; 100_000]);
        vec![Step::Drip { bytes, count: 100, every: Duration::from_millis(5) }]
    });
    let error = fails(&open(&server, &[("request_timeout_ms", "150")]), 1);
    assert_eq!((error.code, error.attempts), (Code::Timeout, 1), "{error}");
    assert!(error.message.contains("receiving the answer"), "{error}");
}

#[test]
fn connecting_has_a_limit_of_its_own_and_is_tried_again() {
    let keys = [("connect_timeout_ms", "100"), ("connection_retries", "2"), ("request_timeout_ms", "0")];
    for stalled in Stalled::everywhere().iter().take(2) {
        let remote = Remote::open(&config(&stalled.url, &keys)).unwrap();
        let start = Instant::now();
        let error = fails(&remote, 1);
        assert!(start.elapsed() >= Duration::from_millis(300), "{}", stalled.phase);
        assert_eq!((error.code, error.attempts), (Code::Connect, 3), "{}: {error}", stalled.phase);
        assert_eq!(figures(&remote)["retries_connect"], 2);
    }
}

#[test]
fn an_attempt_limit_leaves_time_for_another_try() {
    let server = Server::start(|seen| if seen.number == 0 { vec![Step::Stall] } else { answer(seen) });
    let remote = open(&server, &[("attempt_timeout_ms", "1000"), ("request_timeout_ms", "30000")]);
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

#[test]
fn a_deadline_that_has_passed_ends_a_call_at_once_and_nothing_is_sent() {
    let server = Server::start(answer);
    for keys in [&[][..], &[("merge_max_rows", "100")], &[("max_rows_per_request", "1")]] {
        let remote = open(&server, keys);
        let queue = queue();
        let mut timed_out = ask_for(&[1, 2]);
        timed_out.set_timeout(Duration::ZERO);
        let mut late = ask_for(&[1, 2]);
        late.set_timeout(Duration::from_secs(60));
        late.set_deadline(Some(Instant::now()));
        for request in [timed_out, late] {
            let blocking = remote.get_online_features(&request).unwrap_err();
            remote.submit(&request, &queue, 0).unwrap();
            let asynchronous = next(&queue).into_response().unwrap_err();
            for error in [blocking, asynchronous] {
                assert_eq!(
                    (error.code, error.attempts, error.retriable),
                    (Code::Timeout, 0, true),
                    "{error}"
                );
                let words = format!("{}: the time was up before anything was sent", server.url());
                assert!(error.message.starts_with(&words), "{error}");
            }
        }
        assert_eq!(server.connections(), 0, "{keys:?}");
        assert_eq!((&figures(&remote)["calls"], &figures(&remote)["calls_failed"]), (&4.into(), &4.into()));
    }
}

#[test]
fn the_earlier_of_deadline_and_timeout_counts_and_the_stores_only_without_either() {
    let server = Server::start(|_| vec![Step::Stall]);
    let remote = open(&server, &[("request_timeout_ms", "1"), ("connection_retries", "0")]);
    let (short, long) = (Duration::from_millis(100), Duration::from_secs(3600));
    for (timeout, deadline) in [(Some(short), Some(long)), (Some(long), Some(short)), (None, Some(short))] {
        let start = Instant::now();
        let mut request = ask(1);
        request.set_timeout(timeout);
        request.set_deadline(deadline.map(|left| start + left));
        let error = remote.get_online_features(&request).unwrap_err();
        assert_eq!(error.code, Code::Timeout, "{error}");
        assert!(start.elapsed() >= short, "{timeout:?} {deadline:?}");
    }
    let mut request = ask(1);
    request.set_deadline(Some(Instant::now() + long));
    request.set_deadline(None);
    assert_eq!(remote.get_online_features(&request).unwrap_err().code, Code::Timeout);
}
