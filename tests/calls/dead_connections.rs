//! Connections whose network path dies, and such whose server only takes its time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::SslAcceptor;

use crate::support::events::{next, outcome, queue, submit};
use crate::support::network::{Kept, Network, SERVER};
use crate::support::server::{Seen, Server, Step, Welcome, answer};
use crate::support::store::{ask, call, config, fails, figures, open};
use crate::support::tls::Authority;
use crate::support::wait::wait_until;
use feast_remote::error::{Code, Error};
use feast_remote::remote::Remote;

/// How long a call may take on a connection whose path has died: `dead_connection_timeout_ms` and a new connection.
const LATEST: Duration = Duration::from_millis(1500);

/// A server in the network, and its URL.
fn serve(
    network: &Network,
    acceptor: Option<SslAcceptor>,
    answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
) -> (Kept, String) {
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    let start = move || Server::over("0.0.0.0", acceptor, |_| Welcome::Serve, answer);
    network.at_the_server(start, move |server| format!("{scheme}://{SERVER}:{}", server.port()))
}

/// Answers the first `count` requests together, so that each of them has a connection of its own.
fn together(count: usize) -> impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static {
    let all = Barrier::new(count);
    move |seen| {
        if seen.number < count {
            all.wait();
        }
        answer(seen)
    }
}

/// So many calls at the same time, and how long each has taken.
fn calls(remote: &Remote, count: usize, blocking: bool) -> Vec<(Duration, Result<(), Error>)> {
    if blocking {
        return thread::scope(|scope| {
            let one = |id| {
                let start = Instant::now();
                let result = call(remote, id);
                (start.elapsed(), result)
            };
            let threads: Vec<_> = (0..count).map(|id| scope.spawn(move || one(id as i64))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
    }
    let (queue, start) = (queue(), Instant::now());
    (0..count).for_each(|id| drop(submit(remote, &queue, id as i64)));
    let ended = |_| {
        let (_, result) = outcome(next(&queue));
        (start.elapsed(), result)
    };
    (0..count).map(ended).collect()
}

#[test]
fn a_dead_path_costs_no_error_and_no_retry() {
    for (count, blocking, tls) in
        [(4, true, false), (4, false, false), (50, true, false), (50, false, false), (4, true, true)]
    {
        let Some(network) = Network::new() else { return };
        let acceptor = tls.then(|| Authority::new("dead connections").acceptor("localhost", 1));
        let (_server, url) = serve(&network, acceptor, together(count));
        network.at_the_client(|| {
            let keys = [("connection_retries", "0"), ("verify_ssl", "false")];
            let remote = Remote::open(&config(&url, &keys)).unwrap();
            let warm = calls(&remote, count, blocking);
            warm.into_iter().for_each(|(_, result)| result.unwrap());
            network.replace_the_clients_address();
            for (took, result) in calls(&remote, count, blocking) {
                result.unwrap();
                assert!(took < LATEST, "{count} {blocking}: {took:?}");
            }
            let figures = figures(&remote);
            assert_eq!(figures["connections_closed_unacknowledged"], count, "{figures}");
            assert!(figures["connections_opened"].as_u64().unwrap() <= 2 * count as u64, "{figures}");
            assert_eq!((&figures["retries_io"], &figures["retry_budget_tokens"]), (&0.into(), &500.into()));
        });
    }
}

#[test]
fn connections_not_heard_of_since_another_one_died_are_replaced_before_they_are_used() {
    for blocking in [true, false] {
        let Some(network) = Network::new() else { return };
        let (_server, url) = serve(&network, None, together(20));
        network.at_the_client(|| {
            let remote = Remote::open(&config(&url, &[])).unwrap();
            calls(&remote, 20, blocking).into_iter().for_each(|(_, result)| result.unwrap());
            network.replace_the_clients_address();
            call(&remote, 1).unwrap();
            calls(&remote, 20, blocking).into_iter().for_each(|(_, result)| result.unwrap());
            let figures = figures(&remote);
            assert_eq!(figures["connections_closed_unacknowledged"], 1, "{figures}");
            // Of those that were used: one may serve two of the calls, and in place of the dead one comes a new one.
            let count = |name: &str| figures[name].as_u64().unwrap();
            let suspect = count("connections_closed_suspect");
            assert!(suspect > 1, "{figures}");
            assert!(count("connections_opened") <= 20 + suspect + 1, "{figures}");
        });
    }
}

#[test]
fn a_timeout_on_a_dead_path_says_so_and_the_next_calls_take_other_connections() {
    let Some(network) = Network::new() else { return };
    // Always two together.
    let both = Barrier::new(2);
    let (_server, url) = serve(&network, None, move |seen| {
        both.wait();
        answer(seen)
    });
    network.at_the_client(|| {
        let remote = Remote::open(&config(&url, &[])).unwrap();
        calls(&remote, 2, true).into_iter().for_each(|(_, result)| result.unwrap());
        network.replace_the_clients_address();
        let mut request = ask(1);
        request.set_timeout(Duration::from_millis(800));
        let error = remote.get_online_features(&request).unwrap_err();
        assert_eq!(error.code, Code::Timeout);
        assert!(error.message.contains("first byte of the answer; nothing was acknowledged"), "{error}");
        calls(&remote, 2, true).into_iter().for_each(|(_, result)| result.unwrap());
        assert_eq!(figures(&remote)["connections_closed_suspect"], 1);
        assert_eq!(figures(&remote)["connections_closed_unacknowledged"], 0);
    });
}

#[test]
fn a_path_that_dies_while_an_answer_is_waited_for_is_found_dead() {
    for blocking in [true, false] {
        let Some(network) = Network::new() else { return };
        let come = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&come);
        let (_server, url) = serve(&network, None, move |request| {
            // The second one has no answer.
            match seen.fetch_add(1, Ordering::SeqCst) {
                1 => vec![Step::Stall],
                _ => answer(request),
            }
        });
        network.at_the_client(|| {
            let keys = [("request_timeout_ms", "20000"), ("connection_retries", "0")];
            let remote = Remote::open(&config(&url, &keys)).unwrap();
            call(&remote, 1).unwrap();
            thread::scope(|scope| {
                let calls = scope.spawn(|| calls(&remote, 1, blocking));
                wait_until("the server has the request", || come.load(Ordering::SeqCst) == 2);
                network.replace_the_clients_address();
                calls.join().unwrap().into_iter().for_each(|(_, result)| result.unwrap());
            });
            assert_eq!(figures(&remote)["connections_closed_unacknowledged"], 1);
        });
    }
}

#[test]
fn a_server_that_is_gone_without_a_word_is_told_from_one_that_is_slow() {
    let Some(network) = Network::new() else { return };
    let (_server, url) = serve(&network, None, answer);
    network.at_the_client(|| {
        let remote = Remote::open(&config(&url, &[])).unwrap();
        call(&remote, 1).unwrap();
        network.cut_the_server_off();
        let error = fails(&remote, 2);
        assert!(error.message.contains("nothing was acknowledged"), "{error}");
    });
}

#[test]
fn a_server_that_takes_four_seconds_is_not_interrupted() {
    for blocking in [true, false] {
        let server = Server::start(|seen| {
            let wait = Step::Wait(Duration::from_secs(if seen.number == 1 { 4 } else { 0 }));
            [vec![wait], answer(seen)].concat()
        });
        let remote = open(&server, &[("request_timeout_ms", "60000")]);
        call(&remote, 0).unwrap();
        calls(&remote, 1, blocking).into_iter().for_each(|(_, result)| result.unwrap());
        assert_eq!((server.connections(), server.requests()), (1, 2));
    }
}

#[test]
fn a_server_that_is_not_ready_to_read_is_not_interrupted() {
    // For longer than dead_connection_timeout_ms, several times.
    let server = Server::start_with(|_| Welcome::Late(Duration::from_secs(3)), answer);
    let keys = [("request_timeout_ms", "60000"), ("dead_connection_timeout_ms", "400")];
    let remote = open(&server, &keys);
    let mut request = ask(1);
    let note = "x".repeat(16 << 20);
    request.set_entity_string("note", [Ok(note.as_str())].into_iter()).unwrap();
    remote.get_online_features(&request).unwrap();
    assert_eq!((server.connections(), server.requests()), (1, 1));
}
