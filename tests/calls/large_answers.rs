//! Answers that are larger, or nested deeper, than anybody wants.

use crate::support::events::{next, queue};
use crate::support::server::{Server, Step, features_of, say};
use crate::support::store::{ask, call, fails, open};
use feast_remote::error::Code;

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
fn three_hundred_megabytes_are_refused_unless_they_are_allowed() {
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
