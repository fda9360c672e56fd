//! The figures of `feast_stats_json`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::stalled::socket_that_refuses;
use crate::support::events::{next, outcome, queue, submit};
use crate::support::server::{Server, Step, answer, features_of, reply, say};
use crate::support::store::{call, config, fails, figures, open};
use crate::support::tls::Authority;
use crate::support::wait::wait_until;
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;

#[test]
fn only_what_has_a_connection_counts_as_one() {
    let figure = |remote: &Remote, name: &str| figures(remote)[name].as_u64().unwrap();
    let nobody = socket_that_refuses();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    let remote = Remote::open(&config(&url, &[("connection_retries", "0")])).unwrap();
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
fn the_statistics_have_exactly_the_fields_that_statistics_md_describes() {
    let server = Server::start(answer);
    let remote = open(&server, &[]);
    call(&remote, 1).unwrap();
    let figures = figures(&remote);
    let text = feast_remote::observe::statistics::reference();
    let (of_store, of_server) = text.split_once("`servers` is an array").unwrap();
    let described = |text| -> Vec<(&str, &str)> {
        str::lines(text)
            .filter_map(|line| line.strip_prefix("| `"))
            .map(|row| row.split_once("` | ").unwrap())
            .map(|(name, rest)| (name, rest.split(" | ").next().unwrap()))
            .collect()
    };
    assert_eq!(described(of_store).len() + 1, figures.as_object().unwrap().len());
    let server = figures["servers"][0].as_object().unwrap();
    assert_eq!(described(of_server).len(), server.len());
    for (name, kind) in described(of_server) {
        assert_eq!(server[name].is_string(), kind == "text", "servers[0].{name}");
    }
    for (name, kind) in described(of_store) {
        match kind {
            "latency" => {
                assert!(figures[name]["buckets"].is_array(), "{name}.buckets");
                for part in ["count", "sum_us", "p50_us", "p90_us", "p99_us", "max_us"] {
                    assert!(figures[name][part].is_u64(), "{name}.{part}");
                }
            }
            _ => assert!(figures[name].is_u64(), "{name}"),
        }
    }
}

#[test]
fn each_kind_of_trouble_has_a_counter_of_its_own() {
    // Not TLS: its first line is no request. Then one that stalls.
    let plain = Server::start(answer);
    let remote = Remote::open(&config(&plain.url().replace("http:", "https:"), &[])).unwrap();
    fails(&remote, 1);
    let now = figures(&remote);
    assert_eq!((&now["retries_tls"], &now["calls_failed"]), (&3.into(), &1.into()), "{now}");
    let stalling = Server::start(|seen| if seen.number == 0 { vec![Step::Stall] } else { answer(seen) });
    let remote = open(&stalling, &[("attempt_timeout_ms", "1000"), ("retry_budget", "10")]);
    call(&remote, 1).unwrap();
    let now = figures(&remote);
    assert_eq!((&now["retries_timeout"], &now["retry_budget_tokens"]), (&1.into(), &1.into()), "{now}");
    let broken = Server::start(|_| vec![Step::Reset]);
    let remote = open(&broken, &[("retry_budget", "5")]);
    fails(&remote, 1);
    let now = figures(&remote);
    assert_eq!((&now["retries_io"], &now["retries_refused"]), (&1.into(), &1.into()), "{now}");
}

#[test]
fn each_latency_is_recorded_where_there_is_one() {
    let authority = Authority::new("our CA");
    let secure = authority.serve("127.0.0.1", 30);
    let (url, cert) = (format!("https://127.0.0.1:{}", secure.port()), authority.file());
    let remote = Remote::open(&config(&url, &[("cert", cert.to_str().unwrap())])).unwrap();
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[1]).unwrap();
    (0..3).for_each(|_| drop(remote.get_online_features(&request).unwrap()));
    let now = figures(&remote);
    for (latency, count) in [
        ("connect_latency", 1),
        ("tls_latency", 1),
        ("first_byte_latency", 3),
        ("decode_latency", 3),
        ("total_latency", 3),
        ("queue_latency", 0),
    ] {
        assert_eq!(now[latency]["count"], count, "{latency} of {now}");
    }
    assert!(now["tls_latency"]["max_us"].as_u64() > Some(0), "{now}");
    // Two calls for one place.
    let waits = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&waits);
    let server = Server::start(move |seen| [&[Step::Until(Arc::clone(&held))], &answer(seen)[..]].concat());
    let remote = open(&server, &[("connection_pool_size", "1")]);
    let queue = queue();
    (0..2).for_each(|id| drop(submit(&remote, &queue, id)));
    wait_until("one waits", || remote.waiting() == 1);
    waits.store(true, Ordering::SeqCst);
    (0..2).for_each(|_| outcome(next(&queue)).1.unwrap());
    let now = figures(&remote);
    assert_eq!((&now["queue_waits"], &now["queue_latency"]["count"]), (&1.into(), &1.into()), "{now}");
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
        ("connections_reused", 4),
        ("connections_closed_by_server", 3),
        ("connections_in_use", 0),
        ("waiting_calls", 0),
        ("retry_budget_tokens", 498),
    ] {
        assert_eq!(now[field], expected, "{field} of {now}");
    }
    assert_eq!(now["wire_requests"], 8, "none was sent on a dead connection: {now}");
    assert_eq!(now["total_latency"]["count"], 7);
    assert_eq!(now["connect_latency"]["count"], 4);
    assert_eq!(now["tls_latency"]["count"], 0);
    let total = &now["total_latency"];
    let buckets: Vec<[u64; 2]> = serde_json::from_value(total["buckets"].clone()).unwrap();
    assert_eq!(buckets.iter().map(|[_, count]| count).sum::<u64>(), 7);
    assert_eq!(total["max_us"], buckets.last().unwrap()[0]);
    let most: u64 = buckets.iter().map(|[bound, count]| bound * count).sum();
    assert!((most * 3 / 4..=most).contains(&total["sum_us"].as_u64().unwrap()), "{now}");
    assert_eq!(now["pid"], u64::from(std::process::id()));
    let today = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!((today - 60..=today).contains(&now["started_at"].as_u64().unwrap()), "{now}");
    wait_until("the idle connection is closed", || figures(&remote)["connections_closed_idle"] == 1);
    assert_eq!(figures(&remote)["connections_idle"], 0);
}
