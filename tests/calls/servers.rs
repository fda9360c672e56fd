//! Several servers: which one a call goes to, what sets one aside, and how it comes back.

mod addresses;
mod hedging;
mod setting_aside;

use std::time::{Duration, Instant};

use feast_remote::config::{Config, Environment};
use feast_remote::error::Code;
use feast_remote::remote::Remote;

use crate::support::events::{next, outcome, queue, submit};
use crate::support::server::{Seen, Server, Step, answer, say};
use crate::support::store::{ask, ask_for, call, config, fails, figures};

/// A store with these servers.
fn several(servers: &[&Server], keys: &[(&str, &str)]) -> Remote {
    let urls: Vec<String> = servers.iter().map(|server| server.url()).collect();
    Remote::open(&config(&urls.join(","), keys)).unwrap()
}

/// A server in good health, which says so.
fn healthy() -> Server {
    Server::start(served)
}

fn served(seen: &Seen) -> Vec<Step> {
    if seen.target.starts_with("GET /health") { say(200, "\"ok\"") } else { answer(seen) }
}

/// The URL of a server that is not there.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A figure of the server with this URL.
fn of_server(remote: &Remote, url: &str, figure: &str) -> serde_json::Value {
    let all = figures(remote);
    let server = all["servers"].as_array().unwrap().iter().find(|server| server["url"] == url).unwrap();
    server[figure].clone()
}

/// Questions for features that came to a server.
fn questions(server: &Server) -> usize {
    server.seen().iter().filter(|seen| seen.target.starts_with("POST")).count()
}

#[test]
fn requests_are_spread_over_all_servers_and_each_answer_names_its_own() {
    let servers = [healthy(), healthy(), healthy()];
    let remote = several(&servers.each_ref(), &[]);
    let mut named = std::collections::HashMap::new();
    for id in 0..300 {
        let response = remote.get_online_features(&ask(id)).unwrap();
        *named.entry(response.server().unwrap().to_string()).or_insert(0) += 1;
    }
    for server in &servers {
        assert_eq!(named[&server.url()], questions(server), "the answers that name a server came from it");
        assert!(questions(server) > 50, "{named:?}");
    }
}

#[test]
fn in_order_uses_the_first_and_its_standby_only_when_it_fails() {
    let (first, second) =
        (Server::start(|seen| if seen.number < 10 { answer(seen) } else { say(503, "") }), healthy());
    let remote = several(&[&first, &second], &[("balance", "in_order")]);
    (0..10).for_each(|id| call(&remote, id).unwrap());
    assert_eq!((questions(&first), questions(&second)), (10, 0));
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!((questions(&first), questions(&second)), (15, 20), "five failures, then it is set aside");
}

#[test]
fn a_retry_goes_to_a_server_that_was_not_tried_without_a_pause() {
    let (bad, good) = (Server::start(|_| say(503, "")), healthy());
    // With a pause none would come before the deadline.
    let keys = [("balance", "in_order"), ("retry_backoff_factor", "3600"), ("connection_retries", "1")];
    let remote = several(&[&bad, &good], &keys);
    call(&remote, 1).unwrap();
    assert_eq!((bad.requests(), good.requests()), (1, 1));
}

#[test]
fn an_error_names_the_servers_in_the_order_in_which_they_were_tried() {
    let servers = [
        Server::start(|_| say(503, "\"a\"")),
        Server::start(|_| say(502, "\"b\"")),
        Server::start(|_| say(503, "\"c\"")),
    ];
    let remote = several(&servers.each_ref(), &[("balance", "in_order"), ("connection_retries", "2")]);
    let error = fails(&remote, 1);
    let [a, b, c] = servers.each_ref().map(Server::url);
    assert!(error.message.starts_with(&format!("{a}, {b}, {c}: HTTP 503")), "{}", error.message);
    assert_eq!(error.server.unwrap().to_string(), c);
    assert_eq!(error.attempts, 3);
}

#[test]
fn an_error_names_a_server_once_although_it_was_tried_twice() {
    let servers = [Server::start(|_| say(503, "")), Server::start(|_| say(503, ""))];
    let remote = several(&servers.each_ref(), &[("balance", "in_order"), ("connection_retries", "3")]);
    let error = fails(&remote, 1);
    let [a, b] = servers.each_ref().map(Server::url);
    assert!(error.message.starts_with(&format!("{a}, {b}: HTTP 503")), "{}", error.message);
    assert_eq!(error.attempts, 4);
}

#[test]
fn asynchronous_calls_and_calls_in_parts_fail_over_too() {
    let good = healthy();
    let urls = format!("{},{}", nobody(), good.url());
    let keys = [("max_rows_per_request", "10"), ("merge_max_rows", "8"), ("merge_check", "false")];
    let remote = Remote::open(&config(&urls, &keys)).unwrap();
    let events = queue();
    (0..50).for_each(|id| drop(submit(&remote, &events, id)));
    for _ in 0..50 {
        assert!(outcome(next(&events)).1.is_ok());
    }
    let ids: Vec<i64> = (0..100).collect();
    let response = remote.get_online_features(&ask_for(&ids)).unwrap();
    assert_eq!(response.num_rows(), 100);
    assert_eq!(response.server().unwrap().to_string(), good.url());
    assert_eq!(figures(&remote)["calls_failed"], 0);
}

#[test]
fn a_call_in_parts_names_all_servers_that_answered() {
    let servers = [healthy(), healthy()];
    let remote = several(&servers.each_ref(), &[("max_rows_per_request", "10")]);
    let ids: Vec<i64> = (0..400).collect();
    let response = remote.get_online_features(&ask_for(&ids)).unwrap();
    let named = response.server().unwrap().to_string();
    for server in &servers {
        assert!(named.contains(&server.url()), "{named}");
    }
}

#[test]
fn idle_connections_make_room_for_one_to_another_server() {
    let servers = [healthy(), healthy(), healthy()];
    let remote = several(&servers.each_ref(), &[("connection_pool_size", "2")]);
    for id in 0..100 {
        call(&remote, id).unwrap();
        let now = figures(&remote);
        assert!(now["connections_idle"].as_u64().unwrap() <= 2, "{now}");
    }
    assert!(figures(&remote)["connections_closed_displaced"].as_u64().unwrap() > 0);
}

#[test]
fn the_slower_of_two_servers_gets_less_while_calls_overlap() {
    let slow = Server::start(|seen| {
        let mut steps = vec![Step::Wait(Duration::from_millis(20))];
        steps.extend(served(seen));
        steps
    });
    let fast = healthy();
    let remote = several(&[&slow, &fast], &[]);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let remote = &remote;
            scope.spawn(move || (0..50).for_each(|id| call(remote, thread * 100 + id).unwrap()));
        }
    });
    assert!(questions(&slow) * 2 < questions(&fast), "{} and {}", questions(&slow), questions(&fast));
}

#[test]
fn a_token_that_one_server_refuses_is_renewed_once_for_all() {
    let by_token = |seen: &Seen| match seen.headers.get("authorization").map(String::as_str) {
        Some("Bearer new") => answer(seen),
        _ => say(401, "\"no\""),
    };
    let servers = [Server::start(by_token), Server::start(by_token)];
    let remote = several(&servers.each_ref(), &[("auth.type", "host")]);
    remote.set_token("old").unwrap();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|id| {
                scope.spawn({
                    let remote = &remote;
                    move || call(remote, id)
                })
            })
            .collect();
        crate::support::wait::wait_until("each was refused", || {
            servers.iter().map(Server::requests).sum::<usize>() >= 4
        });
        remote.set_token("new").unwrap();
        calls.into_iter().for_each(|call| call.join().unwrap().unwrap());
    });
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(
        servers.iter().map(Server::requests).sum::<usize>(),
        4 + 4 + 20,
        "one refusal a call, and no more"
    );
}

#[test]
fn a_body_goes_to_no_server_outside_the_list() {
    let outside = healthy();
    let location = format!("{}/get-online-features", outside.url());
    let redirects =
        move |_: &Seen| vec![Step::Send(crate::support::server::reply(307, &[("Location", &location)], ""))];
    let servers = [Server::start(redirects.clone()), Server::start(redirects)];
    let remote = several(&servers.each_ref(), &[]);
    let error = fails(&remote, 1);
    assert_eq!((error.code, error.http_status), (Code::Server, 307));
    assert_eq!(outside.connections(), 0);
}

#[test]
fn the_deadline_is_one_for_the_call_whatever_servers_it_tries() {
    let stalls = || Server::start(|_| vec![Step::Stall]);
    let servers = [stalls(), stalls(), stalls()];
    let keys = [("request_timeout_ms", "300"), ("attempt_timeout_ms", "200")];
    let remote = several(&servers.each_ref(), &keys);
    let start = Instant::now();
    let error = fails(&remote, 1);
    assert_eq!((error.code, error.attempts), (Code::Timeout, 2));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn warming_up_asks_each_server_and_bears_with_one_that_is_not_there() {
    let servers = [healthy(), healthy()];
    let urls = format!("{},{},{}", servers[0].url(), nobody(), servers[1].url());
    let remote = Remote::open(&config(&urls, &[])).unwrap();
    remote.warm_up(4, Duration::from_secs(5)).unwrap();
    for server in &servers {
        assert_eq!(server.connections(), 2, "as many to each");
    }
    assert_eq!(figures(&remote)["connections_idle"], 4);
    call(&remote, 1).unwrap();
    assert_eq!(servers.iter().map(Server::connections).sum::<usize>(), 4, "the first call finds one");

    let small = several(&servers.each_ref(), &[("connection_pool_size", "1")]);
    small.warm_up(1, Duration::from_secs(5)).unwrap();
    let nobodys = Remote::open(&config(&format!("{},{}", nobody(), nobody()), &[])).unwrap();
    assert_eq!(nobodys.warm_up(1, Duration::from_secs(5)).unwrap_err().code, Code::Connect);
}

#[test]
fn warming_up_bears_with_a_server_that_hangs() {
    let (hangs, good) = (Server::start(|_| vec![Step::Stall]), healthy());
    for servers in [[&hangs, &good], [&good, &hangs]] {
        let remote = several(&servers, &[]);
        remote.warm_up(3, Duration::from_secs(2)).unwrap();
        assert_eq!(of_server(&remote, &good.url(), "connections"), 3);
    }
}

#[test]
fn lists_of_servers_that_make_no_sense_are_refused() {
    let refused = |key: &str, value: &str| {
        let error = Config::new().unwrap().set(key, value).unwrap_err();
        assert_eq!(error.code, Code::Config);
        error.message
    };
    assert!(refused("path", "http://a,http://a:80/").contains("twice"));
    assert!(refused("path", "http://a,https://b").contains("beside https"));
    assert!(refused("path", "http://a,ftp://b").contains("comma that no URL follows"));
    let many: Vec<String> = (0..33).map(|n| format!("http://host{n}")).collect();
    assert!(refused("path", &many.join(",")).contains("32 are the most"));
    assert!(refused("balance", "round_robin").contains("least_busy, in_order"));
    assert!(refused("hedge_percent", "51").contains("from 0 to 50"));
    assert!(refused("resolve_interval", "0").contains("from 1"));
    let config = config("http://feast:6566", &[("resolve", "each_address"), ("proxy", "http://proxy:3128")]);
    let error = Remote::open_in(&config, &Environment::of_process()).err().unwrap();
    assert_eq!(error.code, Code::Config);
    assert!(error.message.contains("each_address") && error.message.contains("proxy"), "{}", error.message);
}
