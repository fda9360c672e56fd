//! A call and what HTTP lets a server say to it.

use std::time::Duration;

use crate::support::server::{Server, Step, answer, chunks, features_of, gzip, reply, say};
use crate::support::store::{ask, call, fails, open};
use feast_remote::config::Config;
use feast_remote::error::Code;
use feast_remote::remote::Remote;

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

#[test]
fn a_call_sends_its_request_once_and_takes_its_answer_whole() {
    let server = Server::start(answer);
    let remote = open(&server, &[]);
    call(&remote, 10).unwrap();
    let (request, answer) = server.bytes();
    let body = &server.seen()[0].body;
    assert!(request > body.len() && answer > features_of(body).len());
    (11..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(server.bytes(), (10 * request, 10 * answer));
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
                text.extend(chunks(body.as_bytes(), 7));
                vec![Step::Drip { bytes: text, count: 11, every: Duration::from_micros(50) }]
            }
            _ => vec![Step::Send(format!("HTTP/1.0 200 OK\r\n\r\n{body}").into_bytes()), Step::Close],
        }
    });
    let remote = open(&server, &[("connection_retries", "0")]);
    (0..3).for_each(|id| call(&remote, id).unwrap());
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
fn an_answer_that_ends_with_the_connection_and_is_cut_short_is_asked_for_again() {
    let cut = |body: &str, length: usize| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
        vec![Step::Send([head.as_bytes(), &body.as_bytes()[..length]].concat()), Step::Close]
    };
    let whole = features_of(br#"{"features":["v:a","v:b"],"entities":{"id":[1]}}"#);
    for length in [0, 1, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let server = Server::start(move |seen| {
            let whole = features_of(&seen.body);
            cut(&whole, if seen.number == 0 { length } else { whole.len() })
        });
        call(&open(&server, &[]), 1).unwrap_or_else(|error| panic!("{length}: {error}"));
        assert_eq!(server.requests(), 2, "{length}");
    }
    let server = Server::start(move |seen| cut(&features_of(&seen.body), 40));
    let error = fails(&open(&server, &[("connection_retries", "1")]), 1);
    assert_eq!((error.code, error.attempts, error.retriable), (Code::Io, 2, true), "{error}");
    assert!(error.message.contains("ended after 40 bytes of an answer that is not whole"), "{error}");
    // What is no answer at all does not become one by asking again.
    let server = Server::start(move |_| cut("<html>welcome</html>", 20));
    let error = fails(&open(&server, &[]), 1);
    assert_eq!((error.code, error.attempts), (Code::Decode, 1), "{error}");
}

#[test]
fn a_broken_or_unknown_encoding_is_a_decode_error_and_not_retried() {
    for (encoding, body) in [
        ("gzip", b"\x1f\x8b\x08\x00 this is no deflate".to_vec()),
        ("gzip", b"plain".to_vec()),
        ("klingon", b"{}".to_vec()),
    ] {
        let server =
            Server::start(move |_| vec![Step::Send(reply(200, &[("Content-Encoding", encoding)], &body))]);
        let error = fails(&open(&server, &[]), 1);
        let told = (error.code, error.attempts, error.http_status, error.retriable);
        assert_eq!(told, (Code::Decode, 1, 200, false), "{encoding}: {error}");
        assert!(error.message.contains("Content-Encoding"), "{error}");
    }
}

#[test]
fn a_refused_redirect_names_its_location_without_secrets() {
    let server = Server::start(|_| {
        vec![Step::Send(reply(307, &[("Location", "https://me:hunter2@other:8443/features?token=abc")], ""))]
    });
    let error = fails(&open(&server, &[]), 1);
    assert!(error.message.contains("not followed (Location: https://other:8443/features)"), "{error}");
    assert!(!error.message.contains("hunter2") && !error.message.contains("abc"), "{error}");
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_column_of_nulls_keeps_the_type_that_it_had_if_types_are_remembered() {
    use crate::support::events::{next, queue, submit};
    use feast_remote::columns::{Element, Items, Type};
    let server = Server::start(|seen| {
        let (a, b) = match seen.number % 2 {
            0 => ("[0.5]", r#"[["x"]]"#),
            _ => ("[null]", "[null]"),
        };
        let names = r#"{"feature_names":["id","a","b"]}"#;
        let body = format!(
            r#"{{"results":[{{"values":[1]}},{{"values":{a}}},{{"values":{b}}}],"metadata":{names}}}"#
        );
        say(200, body)
    });
    let kinds = |response: &feast_remote::columns::Response| {
        [1, 2].map(|column| response.column_type(column).unwrap())
    };
    let (double, texts) = (Type::of(Element::Double), Type::list_of(Element::String));
    let forgetful = open(&server, &[]);
    assert_eq!(kinds(&forgetful.get_online_features(&ask(1)).unwrap()), [double, texts]);
    assert_eq!(kinds(&forgetful.get_online_features(&ask(1)).unwrap()), [Type::NULL, Type::NULL]);
    let remote = open(&server, &[("remember_types", "true")]);
    assert_eq!(kinds(&remote.get_online_features(&ask(1)).unwrap()), [double, texts]);
    let response = remote.get_online_features(&ask(1)).unwrap();
    assert_eq!(kinds(&response), [double, texts]);
    assert_eq!((response.double(1).unwrap(), response.list_offsets(2).unwrap()), (&[0.0][..], &[0, 0][..]));
    assert!(
        matches!(response.items(2), Some(Items::Text([0], []))) && response.validity(1) == Some(&[0][..])
    );
    let queue = queue();
    for _ in 0..2 {
        submit(&remote, &queue, 1);
        assert_eq!(kinds(&next(&queue).into_response().unwrap()), [double, texts]);
    }
}
