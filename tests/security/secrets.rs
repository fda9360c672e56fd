//! Servers that repeat what they were sent: no credential comes back in an error.

use crate::support::events::{next, queue};
use crate::support::server::{Server, say};
use crate::support::store::ask_for;
use feast_remote::columns::{Element, Type};
use feast_remote::config::{Config, Environment};
use feast_remote::error::{Code, Error};
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;
use serde_json::json;

const TOKEN: &str = "eyJhbGciOi.issued-by-the-provider.signature";
const KEY: &str = "key-of-the-gateway-0123456789";

/// An identity provider and a feature server in one, whose answers the test makes of what it was sent.
fn repeating(body: impl Fn(&str) -> String + Send + Sync + 'static) -> (Server, Remote) {
    let server = Server::start(move |seen| match &seen.target[..5] {
        "GET /" => {
            let endpoint = format!("http://{}/token", seen.headers["host"]);
            say(200, json!({"token_endpoint": endpoint}).to_string())
        }
        "POST " if seen.target.contains("/token") => {
            say(200, json!({"access_token": TOKEN, "expires_in": 3600}).to_string())
        }
        _ => {
            let sent = [&seen.headers["authorization"], &seen.headers["x-key"]].map(String::as_str);
            assert_eq!(sent, [&format!("Bearer {TOKEN}"), KEY]);
            say(200, body(&sent.join(" ")))
        }
    });
    let mut config = Config::new().unwrap();
    for (key, value) in [
        ("path", server.url().as_str()),
        ("header.X-Key", KEY),
        ("auth.type", "oidc"),
        ("auth.auth_discovery_url", &format!("{}/discovery", server.url())),
        ("auth.client_id", "somebody"),
        ("auth.client_secret", "something"),
        ("max_rows_per_request", "2"),
    ] {
        config.set(key, value).unwrap();
    }
    let environment = Environment { variable: Box::new(|_| None), service_account_file: "/nowhere".into() };
    let remote = Remote::open_in(&config, &environment).unwrap();
    (server, remote)
}

/// Six characters of a secret in a row.
fn gives_away(error: &Error) -> bool {
    [TOKEN, KEY].iter().any(|secret| {
        let mut parts = secret.as_bytes().windows(6).map(|part| std::str::from_utf8(part).unwrap());
        parts.any(|part| error.message.contains(part))
    })
}

#[test]
fn an_answer_that_cannot_be_read_gives_no_secret_away() {
    type Body = fn(&str) -> String;
    let bodies: [(Body, Code); 5] = [
        (|sent| sent.to_owned(), Code::Decode),
        (|sent| format!("\"{sent}\""), Code::Decode),
        (|sent| format!("{{\"results\":[],\"metadata\":{{\"feature_names\":[\"{sent}\"]}}}}"), Code::Decode),
        // An excerpt of the answer would end within them.
        (|sent| format!("{{\"results\":{sent}"), Code::Decode),
        (
            |sent| {
                let names = r#"{"feature_names":["id","a","b"]}"#;
                let column = |value: &str| format!("{{\"values\":[{value}],\"statuses\":[\"PRESENT\"]}}");
                let columns = [column("1"), column(&format!("\"{}\"", &sent[7..])), column("1")].join(",");
                format!("{{\"results\":[{columns}],\"metadata\":{names}}}")
            },
            Code::Type,
        ),
    ];
    for (number, (body, code)) in bodies.into_iter().enumerate() {
        let (_server, remote) = repeating(body);
        let mut request = Request::default();
        request.add_typed_feature("v:a", Type::of(Element::Int64)).unwrap();
        request.add_feature("v:b").unwrap();
        request.set_entity_int64("id", &[1]).unwrap();
        let queue = queue();
        let mut errors = vec![remote.get_online_features(&request).unwrap_err()];
        remote.submit(&request, &queue, 0).unwrap();
        errors.push(next(&queue).into_response().unwrap_err());
        if code == Code::Decode {
            errors.push(remote.get_online_features(&ask_for(&[1, 2, 3])).unwrap_err());
        }
        for error in errors {
            assert_eq!((error.code, error.http_status), (code, 200), "{number}: {error}");
            assert!(!gives_away(&error), "{number}: {error}");
            assert!(error.message.starts_with("http://127.0.0.1:"), "{number}: {error}");
        }
        if let Err(error) = remote.get_online_features_json(b"{}", None) {
            assert!(!gives_away(&error), "{number}: {error}");
        }
    }
}

#[test]
fn an_answer_without_secrets_is_told_as_it_is() {
    let (_server, remote) = repeating(|_| r#"{"results":[{"values":["x\qy"]}]}"#.to_owned());
    let error = remote.get_online_features_json(b"{}", None).unwrap_err();
    assert!(error.message.contains("an unknown escape in a string at byte 24, near `x\\\\qy"), "{error}");
}
