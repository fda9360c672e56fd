//! Answers that are larger, or nested deeper, than anybody wants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod support;

use std::sync::Mutex;

use feast_remote::error::Code;
use support::events::{next, queue};
use support::server::{Server, Step, features_of, say};
use support::store::{ask, call, fails, open};

/// They measure the process's memory, or need much of it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn an_answer_larger_than_the_limit_is_an_error_that_names_it() {
    let _alone = ONE_AT_A_TIME.lock();
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
    let _alone = ONE_AT_A_TIME.lock();
    let server = Server::start(|_| say(503, format!("<html>\nbusy\n{}", "x".repeat(5000))));
    let error = fails(&open(&server, &[("max_response_bytes", "1024")]), 1);
    assert_eq!((error.code, error.http_status, error.attempts), (Code::Server, 503, 4), "{error}");
}

#[test]
fn of_a_huge_error_page_only_the_beginning_is_kept() {
    let _alone = ONE_AT_A_TIME.lock();
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
fn three_hundred_megabytes_are_refused_unless_they_are_allowed() {
    let _alone = ONE_AT_A_TIME.lock();
    let spaces = 300_000_000;
    let server = Server::start(move |seen| {
        let body = features_of(&seen.body);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", spaces + body.len());
        vec![
            Step::Send(head.into_bytes()),
            Step::Flood { bytes: vec![b' '; 1 << 20], total: spaces },
            Step::Send(body.into_bytes()),
        ]
    });
    let keys = [("request_timeout_ms", "0"), ("connection_retries", "0")];
    let refused = fails(&open(&server, &keys), 1);
    assert_eq!(
        (refused.code, refused.http_status, refused.retriable),
        (Code::Decode, 200, false),
        "{refused}"
    );
    assert!(refused.message.contains("more than 268435456 bytes (max_response_bytes)"), "{refused}");
    let remote = open(&server, &[&keys[..], &[("max_response_bytes", "400000000")]].concat());
    call(&remote, 1).unwrap();
}

#[test]
fn json_of_ten_thousand_levels_is_an_error() {
    let _alone = ONE_AT_A_TIME.lock();
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let answer = format!(
        r#"{{"results":[{{"values":[1],"statuses":["PRESENT"]}},{{"values":[{deep}],"statuses":["PRESENT"]}},
            {{"values":[2],"statuses":["PRESENT"]}}],"metadata":{{"feature_names":["id","a","b"]}}}}"#
    );
    let body = answer.clone();
    let server = Server::start(move |_| say(200, &body));
    let (remote, queue) = (open(&server, &[]), queue());
    remote.submit(&ask(1), &queue, 0).unwrap();
    for error in [
        fails(&remote, 1),
        remote.get_online_features_json(b"{}", None).unwrap_err(),
        next(&queue).into_response().unwrap_err(),
    ] {
        assert_eq!((error.code, error.http_status, error.attempts), (Code::Decode, 200, 1), "{error}");
        assert!(error.message.contains("128"), "the limit is named: {error}");
    }
    // Of a refusal the words are looked for, and what cannot be read is shown as it is.
    for body in [answer, deep] {
        let server = Server::start(move |_| say(422, &body));
        let error = fails(&open(&server, &[]), 1);
        assert_eq!((error.code, error.http_status), (Code::InvalidRequest, 422), "{error}");
        assert!(error.message.len() < 3000, "{}", error.message.len());
    }
}
