//! Tokens on the wire: which goes to which server, what a refusal leads to, and how identity providers fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::provider::Provider;
use crate::support::feast::{Feast, Version};
use crate::support::server::{Seen, Server, Step, answer, reply, say};
use crate::support::tls::Authority;
use crate::support::wait::wait_until;
use feast_remote::config::{Config, Environment};
use feast_remote::error::{Code, Error};
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::{EventQueue, Remote};
use feast_remote::wire::request::Request;
use serde_json::{Value, json};

fn nowhere() -> Environment {
    variables(&[])
}

fn variables(variables: &[(&'static str, String)]) -> Environment {
    let variables: HashMap<&str, String> = variables.iter().cloned().collect();
    Environment {
        variable: Box::new(move |name| variables.get(name).cloned()),
        service_account_file: "/nonexistent".into(),
    }
}

fn open(url: &str, keys: &[(&str, &str)]) -> Remote {
    open_in(url, keys, &nowhere()).unwrap()
}

fn open_in(url: &str, keys: &[(&str, &str)], environment: &Environment) -> Result<Remote, Error> {
    let mut config = Config::new().unwrap();
    config.set("path", url).unwrap();
    config.set("retry_backoff_factor", "0").unwrap();
    keys.iter().for_each(|(key, value)| config.set(key, value).unwrap());
    Remote::open_in(&config, environment)
}

fn question(id: i64) -> Request {
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[id]).unwrap();
    request
}

fn call(remote: &Remote, id: i64) -> Result<(), Error> {
    let response = remote.get_online_features(&question(id))?;
    assert_eq!(response.int64(1).unwrap(), [1000 * id]);
    Ok(())
}

fn bearer(seen: &Seen) -> Option<&str> {
    seen.headers.get("authorization").map(|value| value.strip_prefix("Bearer ").unwrap())
}

/// An identity provider's answers: `token-N` for the Nth token.
fn provider() -> (Server, Arc<AtomicUsize>) {
    let tokens = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tokens);
    let server = Server::start(move |seen| {
        if seen.target.starts_with("GET ") {
            let endpoint = format!("http://{}/token", seen.headers["host"]);
            return say(200, json!({"token_endpoint": endpoint}).to_string());
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        say(200, json!({"access_token": format!("token-{number}"), "expires_in": 3600}).to_string())
    });
    (server, tokens)
}

fn discovery(server: &Server) -> String {
    format!("{}/.well-known/openid-configuration", server.url())
}

fn client_of(url: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("auth.type", "oidc"),
        ("auth.client_id", "feast"),
        ("auth.client_secret", "s3cret"),
        ("auth.auth_discovery_url", url),
    ]
}

#[test]
fn tokens_and_headers_go_to_the_server_and_nowhere_else() {
    let server = Server::start(answer);
    call(&open(&server.url(), &[]), 1).unwrap();
    let keys = [
        ("auth.type", "oidc"),
        ("auth.token", "abc.def"),
        ("header.X-Team", "drivers"),
        ("header.Accept", "*/*"),
        ("user_agent", "mine/1"),
    ];
    let remote = open(&server.url(), &keys);
    (2..4).for_each(|id| call(&remote, id).unwrap());
    let seen = server.seen();
    assert_eq!(bearer(&seen[0]), None);
    for seen in &seen[1..] {
        assert_eq!(bearer(seen), Some("abc.def"));
        let header = |name: &str| seen.headers[name].as_str();
        assert_eq!((header("x-team"), header("accept"), header("user-agent")), ("drivers", "*/*", "mine/1"));
        assert_eq!(header("content-type"), "application/json");
    }
    // A redirect to somebody else is not followed, and a fixed token that is refused is not tried again.
    let elsewhere = Server::start(answer);
    let to = elsewhere.url();
    let redirecting = Server::start(move |_| vec![Step::Send(reply(307, &[("Location", &to)], ""))]);
    let error = call(&open(&redirecting.url(), &keys), 1).unwrap_err();
    assert!(error.message.contains("redirects are not followed"), "{error}");
    assert_eq!(elsewhere.connections(), 0);
    let refusing = Server::start(|_| say(401, r#"{"detail":"Invalid or expired access token"}"#));
    let error = call(&open(&refusing.url(), &keys), 1).unwrap_err();
    assert_eq!((error.code, error.attempts, error.http_status), (Code::Unauthenticated, 1, 401));
    assert!(
        error.message.contains("Invalid or expired access token") && !error.message.contains("abc"),
        "{error}"
    );
}

#[test]
fn a_refused_token_is_fetched_anew_once() {
    let (idp, tokens) = provider();
    let url = discovery(&idp);
    // The first token is not taken, the second is.
    let server = Server::start(|seen| match bearer(seen) {
        Some("token-2") => answer(seen),
        _ => say(401, r#"{"detail":"Invalid or expired access token"}"#),
    });
    let remote = open(&server.url(), &client_of(&url));
    (1..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!((tokens.load(Ordering::SeqCst), idp.requests(), server.requests()), (2, 3, 20));
    let stats: Value = serde_json::from_str(&remote.stats_json()).unwrap();
    assert_eq!((&stats["tokens_refused"], &stats["retries_status"]), (&json!(1), &json!(0)));
    // A server that takes none is asked twice.
    let strict = Server::start(|_| say(401, "\"no\""));
    let error = call(&open(&strict.url(), &client_of(&url)), 1).unwrap_err();
    assert_eq!((error.code, error.attempts, strict.requests()), (Code::Unauthenticated, 2, 2));
    // Permission is another matter.
    let forbidding = Server::start(|_| {
        say(
            403,
            r#""{\"module\": \"feast.errors\", \"class\": \"FeastPermissionError\", \"message\": \"Permission error: denied\"}""#,
        )
    });
    let error = call(&open(&forbidding.url(), &client_of(&url)), 1).unwrap_err();
    assert_eq!((error.code, error.attempts), (Code::PermissionDenied, 1));
    assert_eq!(error.feast_class.as_deref(), Some("FeastPermissionError"));
    assert!(error.message.contains("Permission error: denied"), "{error}");
}

#[test]
fn a_merged_request_renews_its_token_once_for_all_its_calls() {
    let (idp, tokens) = provider();
    let url = discovery(&idp);
    let go = Arc::new(AtomicBool::new(false));
    let goes = Arc::clone(&go);
    // The first token is taken twice: for a slow call, after which others are patient, and for the one that they wait for.
    let server = Server::start(move |seen| match (seen.number, bearer(seen)) {
        (0, _) => [vec![Step::Wait(Duration::from_millis(500))], answer(seen)].concat(),
        (1, _) => [vec![Step::Until(Arc::clone(&goes))], answer(seen)].concat(),
        (_, Some("token-2")) => answer(seen),
        _ => say(401, r#"{"detail":"Invalid or expired access token"}"#),
    });
    let merged = [("merge_max_rows", "64"), ("merge_in_flight", "1"), ("merge_check", "false")];
    let remote = open(&server.url(), &[&client_of(&url)[..], &merged].concat());
    call(&remote, 1).unwrap();
    let queue = Arc::new(EventQueue::new().unwrap());
    let submit = |id: i64| drop(remote.submit(&question(id), &queue, id as usize).unwrap());
    submit(1);
    wait_until("the first request is under way", || server.requests() == 2);
    (2..6).for_each(submit);
    go.store(true, Ordering::SeqCst);
    (0..5).for_each(|_| end(&queue).1.unwrap());
    let seen = server.seen();
    let with_tokens: Vec<_> = seen.iter().skip(2).map(|seen| bearer(seen).unwrap()).collect();
    assert_eq!(with_tokens, ["token-1", "token-2"]);
    assert_eq!(seen[2].body, seen[3].body, "the same request once more");
    let stats: Value = serde_json::from_str(&remote.stats_json()).unwrap();
    assert_eq!((&stats["tokens_refused"], &stats["calls_merged"]), (&json!(1), &json!(4)));
    assert_eq!(tokens.load(Ordering::SeqCst), 2);
}

#[test]
fn identity_providers_fail_with_clear_errors_within_the_deadline() {
    let server = Server::start(answer);
    let fails = |url: &str, more: &[(&str, &str)]| {
        let mut keys = client_of(url);
        keys.extend(more);
        let start = Instant::now();
        let error = call(&open(&server.url(), &keys), 1).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(20), "{error}");
        assert!(!error.message.contains("s3cret"), "{error}");
        error
    };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fails(&format!("http://{closed}/c"), &[]);
    assert_eq!(error.code, Code::Connect);
    assert!(error.message.contains("no discovery document from the identity provider at http://"), "{error}");

    for (body, words) in [("{}", "names no token_endpoint"), ("<html>", "names no token_endpoint")] {
        let idp = Server::start(move |_| say(200, body));
        let error = fails(&idp.url(), &[]);
        assert_eq!(error.code, Code::Unauthenticated);
        assert!(error.message.contains(words), "{error}");
    }
    let missing = Server::start(|_| say(404, "not here"));
    assert!(fails(&missing.url(), &[]).message.contains("refused a discovery document with HTTP 404"));

    let refusing = |body: &'static str, status| {
        Server::start(move |seen| match seen.target.starts_with("GET") {
            true => {
                say(200, json!({"token_endpoint": format!("http://{}/t", seen.headers["host"])}).to_string())
            }
            false => say(status, body),
        })
    };
    for (status, body, words) in [
        (400, r#"{"error":"invalid_client","x":"s3cret"}"#, "refused a token with HTTP 400: invalid_client"),
        (500, "s3cret", "refused a token with HTTP 500"),
        (200, "{}", "holds no access_token"),
        (200, r#"{"access_token":""}"#, "the access_token is empty"),
        (200, r#"{"access_token":"a\r\nX-Evil: b"}"#, "a character that a header cannot have"),
    ] {
        let error = fails(&refusing(body, status).url(), &[]);
        assert_eq!(error.code, Code::Unauthenticated);
        assert!(error.message.contains(words), "{words}: {error}");
    }
    let stalling = Server::start(|_| vec![Step::Stall]);
    let error = fails(&stalling.url(), &[("request_timeout_ms", "200")]);
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.contains("waiting for the first byte"), "{error}");
    assert_eq!(server.connections(), 0, "nothing goes to the server without a token");
}

#[test]
fn closing_ends_the_fetch_of_a_token() {
    let stalling = Arc::new(Server::start(|_| vec![Step::Stall]));
    let server = Server::start(answer);
    let url = stalling.url();
    let mut keys = client_of(&url);
    keys.push(("request_timeout_ms", "60000"));
    let remote = Arc::new(open(&server.url(), &keys));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let remote = Arc::clone(&remote);
            thread::spawn(move || call(&remote, 1).unwrap_err().code)
        })
        .collect();
    wait_until("the provider is asked", || stalling.requests() == 1);
    remote.close();
    callers.into_iter().for_each(|caller| assert_eq!(caller.join().unwrap(), Code::Closed));
}

/// How an asynchronous call ended.
fn end(queue: &EventQueue) -> (usize, Result<(), Error>) {
    let mut ended = None;
    queue.poll(1, Deadline::in_milliseconds(30_000), |event| {
        ended = Some((event.tag(), event.into_response().map(drop)));
    });
    ended.expect("an event")
}

#[test]
fn an_asynchronous_call_that_needs_a_token_holds_up_no_other() {
    // A token that is stale at once, and another one that does not come until `go`.
    let go = Arc::new(AtomicBool::new(false));
    let (asked, held) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&go));
    let count = Arc::clone(&asked);
    let idp = Server::start(move |seen| {
        if seen.target.starts_with("GET ") {
            return say(
                200,
                json!({"token_endpoint": format!("http://{}/token", seen.headers["host"])}).to_string(),
            );
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        while number > 1 && !held.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        say(200, json!({"access_token": format!("token-{number}"), "expires_in": 30}).to_string())
    });
    let url = discovery(&idp);
    let server = Server::start(|seen| match seen.headers["authorization"].as_str() {
        "Bearer token-1" if seen.body.windows(3).any(|bytes| bytes == b"[9]") => say(401, "\"old\""),
        _ => answer(seen),
    });
    let mut keys = client_of(&url);
    keys.extend([("auth.token_refresh_margin_seconds", "29.99"), ("request_timeout_ms", "60000")]);
    let remote = open(&server.url(), &keys);
    let queue = Arc::new(EventQueue::new().unwrap());
    let submit = |id: i64| remote.submit(&question(id), &queue, id as usize).unwrap();
    wait_until("the next token is asked for", || {
        drop(submit(1));
        end(&queue).1.unwrap();
        asked.load(Ordering::SeqCst) == 2
    });
    (2..8).for_each(|id| drop(submit(id)));
    (2..8).for_each(|_| end(&queue).1.unwrap());
    assert!(server.seen().iter().all(|seen| bearer(seen) == Some("token-1")), "the old one does meanwhile");
    // Refused, a call must wait for the new one; that can be cancelled, and ends in time.
    let before = server.requests();
    drop(submit(9));
    let mut hasty = Request::default();
    hasty.add_feature("v:a").unwrap();
    hasty.set_entity_int64("id", &[9]).unwrap();
    wait_until("it was refused", || server.requests() == before + 1);
    hasty.set_timeout(Duration::from_millis(30));
    remote.submit(&hasty, &queue, 100).unwrap();
    let (tag, error) = end(&queue);
    let error = error.unwrap_err();
    assert_eq!((tag, error.code), (100, Code::Timeout), "{error}");
    assert!(error.message.contains("waiting for a token"), "{error}");
    submit(101).cancel();
    let (tag, error) = end(&queue);
    assert_eq!((tag, error.unwrap_err().code), (101, Code::Cancelled));
    go.store(true, Ordering::SeqCst);
    let (tag, outcome) = end(&queue);
    outcome.unwrap();
    assert_eq!((tag, bearer(server.seen().last().unwrap())), (9, Some("token-2")));
}

/// Lets `token-2` in, and says of others that they are too old.
fn wants_the_second_token() -> Server {
    Server::start(|seen| match bearer(seen) {
        Some("token-2") => answer(seen),
        _ => say(401, r#"{"detail":"too old"}"#),
    })
}

#[test]
fn the_next_attempt_uses_the_token_that_the_program_has_set() {
    let server = Server::start(answer);
    let remote = open(&server.url(), &[]);
    call(&remote, 1).unwrap();
    for token in ["one", "two", "two"] {
        remote.set_token(token).unwrap();
        call(&remote, 2).unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen.iter().map(bearer).collect::<Vec<_>>(), [None, Some("one"), Some("two"), Some("two")]);
    for bad in ["", "Bearer two", "a\r\nX: y"] {
        let error = remote.set_token(bad).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument, "{error}");
        assert!(!error.message.contains("two"), "{error}");
    }
    let both = open(&server.url(), &[("header.Authorization", "Basic x")]);
    assert!(both.set_token("one").unwrap_err().message.contains("would both set the same header"));
    remote.close();
    drop(remote);

    // It goes before a source of the configuration, and a 401 is final there.
    let refusing = wants_the_second_token();
    let remote = open(&refusing.url(), &[("auth.type", "oidc"), ("auth.token", "token-0")]);
    remote.set_token("token-1").unwrap();
    let error = call(&remote, 1).unwrap_err();
    assert_eq!((error.code, error.attempts), (Code::Unauthenticated, 1), "{error}");
    assert_eq!(bearer(&refusing.seen()[0]), Some("token-1"));
}

#[test]
fn after_a_401_a_call_waits_for_a_newer_token_of_the_program() {
    // A check of merged answers would be a request more.
    for keys in [&[][..], &[("merge_max_rows", "100"), ("merge_check", "false")]] {
        let server = wants_the_second_token();
        let remote =
            open(&server.url(), &[&[("auth", "host"), ("request_timeout_ms", "60000")], keys].concat());
        let queue = Arc::new(EventQueue::new().unwrap());
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.set_entity_int64("id", &[1]).unwrap();
        remote.set_token("token-1").unwrap();
        thread::scope(|scope| {
            let blocking = scope.spawn(|| call(&remote, 2));
            remote.submit(&request, &queue, 1).unwrap();
            wait_until("somebody was refused", || server.requests() > 0);
            // The same one is not newer.
            remote.set_token("token-1").unwrap();
            wait_until("both were refused", || {
                let figures: Value = serde_json::from_str(&remote.stats_json()).unwrap();
                figures["tokens_refused"].as_u64() == Some(server.requests() as u64)
            });
            remote.set_token("token-2").unwrap();
            blocking.join().unwrap().unwrap();
            end(&queue).1.unwrap();
        });
        let refused = server.seen().iter().filter(|seen| bearer(seen) == Some("token-1")).count();
        assert!(refused <= 2, "{refused} requests with the old token");
    }
}

#[test]
fn a_newer_token_that_does_not_come_leaves_the_servers_refusal() {
    let server = wants_the_second_token();
    for keys in [&[][..], &[("merge_max_rows", "100")]] {
        let remote =
            open(&server.url(), &[&[("auth.type", "host"), ("request_timeout_ms", "150")], keys].concat());
        let queue = Arc::new(EventQueue::new().unwrap());
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.set_entity_int64("id", &[1]).unwrap();
        let outcomes = || {
            let blocking = remote.get_online_features(&request).map(drop);
            remote.submit(&request, &queue, 1).unwrap();
            [blocking, end(&queue).1]
        };
        let before = server.requests();
        for outcome in outcomes() {
            let error = outcome.unwrap_err();
            assert_eq!((error.code, error.attempts), (Code::Timeout, 0), "{error}");
            assert!(error.message.contains("waiting for a token from feast_remote_set_token"), "{error}");
        }
        assert_eq!(server.requests(), before, "nothing is sent without a token");
        remote.set_token("token-1").unwrap();
        for outcome in outcomes() {
            let error = outcome.unwrap_err();
            assert_eq!((error.code, error.http_status), (Code::Unauthenticated, 401), "{error}");
            assert!(error.message.contains("too old"), "{error}");
            assert!(error.message.contains("no newer token was set by the call's deadline"), "{error}");
        }
    }
}

#[test]
fn closing_ends_the_wait_for_a_token_of_the_program() {
    let server = Server::start(answer);
    let remote = open(&server.url(), &[("auth", "host"), ("request_timeout_ms", "0")]);
    let queue = Arc::new(EventQueue::new().unwrap());
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[1]).unwrap();
    remote.submit(&request, &queue, 1).unwrap();
    thread::scope(|scope| {
        let blocking = scope.spawn(|| call(&remote, 1));
        remote.close();
        assert_eq!(blocking.join().unwrap().unwrap_err().code, Code::Closed);
        assert_eq!(end(&queue).1.unwrap_err().code, Code::Closed);
    });
    assert_eq!(server.connections(), 0);
}

#[test]
fn asynchronous_calls_without_a_token_fail_as_the_others_do_and_close_ends_their_wait() {
    let server = Server::start(answer);
    let refusing = Server::start(|_| say(404, ""));
    let stalling = Server::start(|_| vec![Step::Stall]);
    let queue = Arc::new(EventQueue::new().unwrap());
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[1]).unwrap();
    let url = refusing.url();
    let remote = open(&server.url(), &client_of(&url));
    (0..3).for_each(|tag| drop(remote.submit(&request, &queue, tag).unwrap()));
    for _ in 0..3 {
        let error = end(&queue).1.unwrap_err();
        assert_eq!(error.code, Code::Unauthenticated, "{error}");
        assert!(error.message.contains("refused a discovery document with HTTP 404"), "{error}");
    }
    let url = stalling.url();
    let mut keys = client_of(&url);
    keys.push(("request_timeout_ms", "60000"));
    let remote = open(&server.url(), &keys);
    (0..3).for_each(|tag| drop(remote.submit(&request, &queue, tag).unwrap()));
    wait_until("the provider is asked", || stalling.requests() == 1);
    drop(remote);
    (0..3).for_each(|tag| {
        let (ended, outcome) = end(&queue);
        assert_eq!((ended, outcome.unwrap_err().code), (tag, Code::Closed));
    });
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_identity_provider_may_have_an_authority_of_its_own() {
    let authority = Authority::new("the provider's CA");
    // It answers everything as a feature server does, so a discovery document is not what comes back.
    let idp = authority.serve("127.0.0.1", 30);
    let server = Server::start(answer);
    let url = format!("https://127.0.0.1:{}/c", idp.port());
    let fails = |more: &[(&str, &str)]| {
        let mut keys = client_of(&url);
        keys.extend(more);
        call(&open(&server.url(), &keys), 1).unwrap_err()
    };
    let error = fails(&[]);
    assert_eq!(error.code, Code::Tls, "{error}");
    assert!(
        error.message.contains("from the identity provider") && !error.message.contains("`cert`"),
        "{error}"
    );
    let ca = authority.file();
    for trusting in [("auth.ca_cert_path", ca.to_str().unwrap()), ("auth.verify_ssl", "false")] {
        // Past the handshake: the support server waits for the body of a POST, or breaks off.
        let error = fails(&[trusting, ("request_timeout_ms", "300")]);
        assert_ne!(error.code, Code::Tls, "{error}");
    }
}

/// FEAST_INTERLEAVED_CALLS=1000000 makes a million of them.
#[test]
fn two_stores_with_different_credentials_never_mix() {
    let calls: usize = std::env::var("FEAST_INTERLEAVED_CALLS").map_or(20_000, |text| text.parse().unwrap());
    // The token says which ids it is for.
    let server = Server::start(|seen| {
        let question: Value = serde_json::from_slice(&seen.body).unwrap();
        let odd = question["entities"]["id"][0].as_i64().unwrap() % 2 == 1;
        if bearer(seen) == Some(if odd { "for-odd" } else { "for-even" }) {
            answer(seen)
        } else {
            say(403, "\"mixed\"")
        }
    });
    server.forget_requests();
    let stores = ["for-even", "for-odd"]
        .map(|token| open(&server.url(), &[("auth.type", "oidc"), ("auth.token", token)]));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    if id >= calls {
                        return;
                    }
                    call(&stores[id % 2], id as i64).unwrap();
                }
            });
        }
    });
    assert_eq!(server.requests(), calls);
}

#[test]
fn a_proxy_is_used_by_key_or_by_the_usual_variables() {
    let proxy = Server::start(answer);
    let url = proxy.url();
    let through = |keys: &[(&str, &str)], environment: &Environment| {
        let before = proxy.requests();
        let outcome = call(&open_in("http://feast.invalid:6566", keys, environment).unwrap(), 1);
        if outcome.is_ok() {
            assert_eq!(
                proxy.seen()[before].target,
                "POST http://feast.invalid:6566/get-online-features?status=true"
            );
        }
        outcome.is_ok()
    };
    let quick = ("connection_retries", "0");
    assert!(through(&[("proxy", &url)], &nowhere()));
    assert!(!through(&[quick], &nowhere()));
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        assert!(through(&[quick], &variables(&[(name, url.clone())])), "{name}");
        assert!(!through(&[quick, ("proxy", "")], &variables(&[(name, url.clone())])), "{name} switched off");
    }
    assert!(!through(&[quick], &variables(&[("https_proxy", url.clone())])));
    assert!(!through(
        &[quick],
        &variables(&[("http_proxy", url.clone()), ("no_proxy", ".invalid".to_owned())])
    ));
    for list in ["feast.invalid:6566", "*.invalid"] {
        let named = variables(&[("http_proxy", url.clone()), ("no_proxy", list.to_owned())]);
        assert!(!through(&[quick], &named), "{list}");
    }
    let other_port = variables(&[("http_proxy", url.clone()), ("no_proxy", "feast.invalid:1".to_owned())]);
    assert!(through(&[quick], &other_port));
    // Somebody else's proxy, or one that may not be needed, is no reason to refuse to open.
    let odd = "http://u:p@ss@proxy:3128".to_owned();
    for others in [
        variables(&[("https_proxy", odd.clone())]),
        variables(&[("http_proxy", odd.clone()), ("no_proxy", "*".to_owned())]),
    ] {
        open_in("http://feast.invalid:6566", &[], &others).unwrap();
    }
    assert!(open_in("https://feast.invalid:6566", &[], &variables(&[("https_proxy", odd)])).is_err());
    for odd in ["\r", "\n", "\t", "|x", ";", "%00", "\u{fffd}"] {
        for name in ["http_proxy", "all_proxy"] {
            let proxy = format!("http://pu:PROXYSECRET@127.0.0.1{odd}");
            let refused = open_in("http://feast.invalid:6566", &[], &variables(&[(name, proxy)]))
                .map(drop)
                .unwrap_err();
            assert_eq!(refused.code, Code::Config, "{odd:?}: {refused}");
            assert!(refused.message.contains(name) && !refused.message.contains("SECRET"), "{refused}");
        }
    }
    let cgi = variables(&[("HTTP_PROXY", url.clone()), ("REQUEST_METHOD", "GET".to_owned())]);
    assert!(!through(&[quick], &cgi), "in CGI that variable is a client's header");
}

// ---- a real feature server and a real OpenID provider ----

fn ask(remote: &Remote, feature: &str, entity: &str, value: &str) -> Result<usize, Error> {
    let mut request = Request::default();
    request.add_feature(feature).unwrap();
    request.set_entity_json(entity, value).unwrap();
    remote.get_online_features(&request).map(|response| response.num_columns())
}

#[test]
fn a_real_server_lets_in_who_may_read() {
    let provider = Provider::start();
    let feast = Feast::serve_as(
        Version::Newest,
        &["-f", "secured.yaml"],
        &[],
        &[("FEAST_TEST_PROVIDER", &provider.url())],
    );
    let url = provider.discovery();
    let client = |id: &'static str, secret: &'static str| {
        let mut keys = client_of(&url);
        keys[1].1 = id;
        keys[2].1 = secret;
        keys.push(("request_timeout_ms", "30000"));
        open(&feast.url(), &keys)
    };
    let stats = |remote: &Remote| ask(remote, "driver_hourly_stats:conv_rate", "driver_id", "[1001]");
    let reader = client("reader", "x");
    assert_eq!(stats(&reader).unwrap(), 2);
    let error = ask(&reader, "customer_profile:lifetime_value", "customer_id", "[\"C-001\"]").unwrap_err();
    assert_eq!((error.code, error.http_status), (Code::PermissionDenied, 403), "{error}");
    assert_eq!(error.feast_class.as_deref(), Some("FeastPermissionError"));
    assert!(
        error.message.contains("denied execution of ['READ_ONLINE'] to FeatureView:customer_profile"),
        "{error}"
    );

    let auditor = client("auditor", "x");
    assert_eq!(ask(&auditor, "customer_profile:lifetime_value", "customer_id", "[\"C-001\"]").unwrap(), 2);
    assert_eq!(stats(&auditor).unwrap_err().code, Code::PermissionDenied);

    // A token that has ended: the server says 401, another is fetched, and it says so again.
    let expired = stats(&client("expired", "x")).unwrap_err();
    assert_eq!(
        (expired.code, expired.attempts, expired.http_status),
        (Code::Unauthenticated, 2, 401),
        "{expired}"
    );
    assert!(expired.message.contains("Invalid or expired access token"), "{expired}");
    let wrong = stats(&client("reader", "wrong")).unwrap_err();
    assert_eq!((wrong.code, wrong.attempts), (Code::Unauthenticated, 0), "{wrong}");
    assert!(wrong.message.contains("HTTP 401: invalid_client (no such client)"), "{wrong}");
    let nobody = stats(&open(&feast.url(), &[("request_timeout_ms", "30000")])).unwrap_err();
    assert_eq!(nobody.code, Code::Unauthenticated, "{nobody}");

    let mut user = client_of(&url);
    user[1].1 = "reader";
    user.extend([("auth.username", "ann"), ("auth.password", "of ann"), ("request_timeout_ms", "30000")]);
    assert_eq!(stats(&open(&feast.url(), &user)).unwrap(), 2, "the password grant");

    let tokens = provider.asked("/token");
    (0..20).for_each(|_| assert_eq!(stats(&reader).unwrap(), 2));
    assert_eq!(provider.asked("/token"), tokens, "a token that is valid is kept");

    // The provider signs with a new key: once the server has seen it, the old tokens are refused and replaced.
    provider.rotate();
    let newcomer = client("reader", "x");
    wait_until("the server has read the new key", || stats(&newcomer).is_ok());
    assert_eq!(stats(&reader).unwrap(), 2);
    let figures: Value = serde_json::from_str(&reader.stats_json()).unwrap();
    assert_eq!(figures["tokens_refused"], 1, "{figures}");
}
