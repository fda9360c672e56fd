//! Connections: how many, which one, in what order, and for how long.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::events::{next, outcome, queue, submit};
use crate::support::server::{Server, Step, Welcome, answer, say};
use crate::support::store::{ask, call, fails, figures, open};
use crate::support::wait::wait_until;
use feast_remote::error::Code;
use feast_remote::remote::Remote;

#[test]
fn ten_thousand_calls_on_one_thread_open_one_connection() {
    let server = Server::start(answer);
    server.forget_requests();
    let remote = open(&server, &[]);
    (0..10_000).for_each(|id| call(&remote, id).unwrap());
    assert_eq!((server.connections(), server.requests()), (1, 10_000));
}

#[test]
fn sixty_four_threads_on_a_pool_of_eight_never_open_a_ninth_connection() {
    let server = Server::start(answer);
    server.forget_requests();
    let remote = open(&server, &[("connection_pool_size", "8"), ("request_timeout_ms", "60000")]);
    thread::scope(|scope| {
        for thread in 0..64 {
            let remote = &remote;
            scope.spawn(move || (0..100).for_each(|i| call(remote, thread * 1000 + i).unwrap()));
        }
    });
    assert!(server.connections() <= 8, "{}", server.connections());
    assert_eq!(server.requests(), 6400);
}

/// Steps that wait until a semaphore opens.
struct Semaphore(AtomicBool);

impl Semaphore {
    fn new() -> Arc<Semaphore> {
        Arc::new(Semaphore(AtomicBool::new(false)))
    }

    fn pass(&self) {
        wait_until("the semaphore opens", || self.0.load(Ordering::SeqCst));
    }

    fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn waiting_calls_are_served_in_the_order_of_their_arrival() {
    let semaphore = Semaphore::new();
    let held = Arc::clone(&semaphore);
    let server = Server::start(move |seen| {
        held.pass();
        answer(seen)
    });
    let remote = open(&server, &[("connection_pool_size", "1"), ("request_timeout_ms", "60000")]);
    thread::scope(|scope| {
        for id in 0..6 {
            let remote = &remote;
            scope.spawn(move || call(remote, id).unwrap());
            // The first is on the wire, or the next has joined the queue, before another one comes.
            if id == 0 {
                wait_until("the first call is on the wire", || server.requests() == 1);
            } else {
                wait_until("the call waits", || remote.waiting() == id as usize);
            }
        }
        semaphore.open();
    });
    let order: Vec<String> = server
        .seen()
        .iter()
        .map(|seen| String::from_utf8_lossy(&seen.body).split(['[', ']']).nth(3).unwrap().to_owned())
        .collect();
    assert_eq!(order, ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn a_call_that_finds_no_place_until_its_deadline_is_overloaded() {
    let server = Server::start(|_| vec![Step::Stall]);
    let remote = open(&server, &[("connection_pool_size", "1"), ("request_timeout_ms", "0")]);
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(fails(&remote, 1).code, Code::Closed));
        wait_until("the place is taken", || server.requests() == 1);
        let mut request = ask(2);
        request.set_timeout(Duration::from_millis(50));
        let start = Instant::now();
        let error = remote.get_online_features(&request).unwrap_err();
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!((error.code, error.attempts, error.retriable), (Code::Overloaded, 0, true));
        let all_in_use = format!("{}: all 1 connections (connection_pool_size) were in use", server.url());
        assert!(error.message.starts_with(&all_in_use), "{error}");
        assert!(error.message.contains("with 0 other calls waiting (0 attempts in "), "{error}");
        remote.close();
    });
    assert_eq!(server.requests(), 1);
}

/// A second is less than the first calls of a store took, so those who have waited cannot be answered in it.
#[test]
fn who_has_waited_and_has_less_time_left_than_calls_take_is_refused_at_once_and_not_sent() {
    let open_up = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&open_up);
    let server = Server::start(move |seen| match seen.number < 16 {
        true => [vec![Step::Wait(Duration::from_secs(1))], answer(seen)].concat(),
        // Of how long this takes nothing is learnt.
        false => [vec![Step::Until(Arc::clone(&held))], say(503, "busy")].concat(),
    });
    let keys = [("connection_pool_size", "16"), ("connection_retries", "0"), ("request_timeout_ms", "0")];
    let (remote, queue) = (open(&server, &keys), queue());
    let ask_all = || drop((0..16).map(|id| submit(&remote, &queue, id)).collect::<Vec<_>>());
    ask_all();
    (0..16).for_each(|_| outcome(next(&queue)).1.unwrap());
    ask_all();
    wait_until("all connections are in use", || server.requests() == 32);
    let mut request = ask(16);
    request.set_timeout(Duration::from_millis(950));
    let refused = |error: feast_remote::error::Error| {
        assert_eq!((error.code, error.attempts, error.retriable), (Code::Overloaded, 0, true), "{error}");
        assert!(
            error.message.contains("ms before the deadline, and such calls have lately taken 1."),
            "{error}"
        );
        assert!(error.message.contains("it was not sent"), "{error}");
    };
    thread::scope(|scope| {
        let blocking = scope.spawn(|| remote.get_online_features(&request).unwrap_err());
        remote.submit(&request, &queue, 16).unwrap();
        wait_until("both wait", || remote.waiting() == 2);
        open_up.store(true, Ordering::SeqCst);
        refused(blocking.join().unwrap());
    });
    for _ in 0..17 {
        let (tag, outcome) = outcome(next(&queue));
        match (tag, outcome.unwrap_err()) {
            (16, error) => refused(error),
            (_, error) => assert_eq!(error.http_status, 503, "{error}"),
        }
    }
    assert_eq!((server.requests(), figures(&remote)["calls_overloaded"].as_u64()), (32, Some(2)));
}

#[test]
fn the_connection_used_last_is_used_first() {
    let semaphore = Semaphore::new();
    let held = Arc::clone(&semaphore);
    let server = Server::start(move |seen| {
        if seen.number < 3 {
            held.pass();
        }
        answer(seen)
    });
    let remote = open(&server, &[]);
    thread::scope(|scope| {
        for id in 0..3 {
            let remote = &remote;
            scope.spawn(move || call(remote, id).unwrap());
        }
        wait_until("three calls are on the wire", || server.requests() == 3);
        semaphore.open();
    });
    (10..20).for_each(|id| call(&remote, id).unwrap());
    let later: Vec<usize> = server.seen()[3..].iter().map(|seen| seen.connection).collect();
    assert!(later.windows(2).all(|pair| pair[0] == pair[1]), "{later:?}");
    assert_eq!(server.connections(), 3);
}

/// A server that answers when three calls have come, and then each one at once.
fn answering_three_together() -> Server {
    let three = Barrier::new(3);
    Server::start(move |seen| {
        if seen.number < 3 {
            three.wait();
        }
        answer(seen)
    })
}

#[test]
fn idle_connections_are_closed_at_their_time_with_no_call_to_trigger_it() {
    for blocking in [true, false] {
        let (server, lasting) = (answering_three_together(), answering_three_together());
        let remote = open(&server, &[("connection_idle_timeout", "1")]);
        let patient = open(&lasting, &[("connection_idle_timeout", "0")]);
        let start = Instant::now();
        for remote in [&remote, &patient] {
            three_calls(remote, blocking);
        }
        assert_eq!((server.connections(), lasting.open()), (3, 3));
        wait_until("the connections are closed", || server.open() == 0);
        assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
        assert_eq!(lasting.open(), 3, "0 is never");
        call(&remote, 2).unwrap();
        assert_eq!(server.connections(), 4);
    }
}

fn three_calls(remote: &Remote, blocking: bool) {
    if blocking {
        return thread::scope(|scope| {
            (0..3).for_each(|id| drop(scope.spawn(move || call(remote, id).unwrap())))
        });
    }
    let queue = queue();
    (0..3).for_each(|id| drop(submit(remote, &queue, id)));
    (0..3).for_each(|_| outcome(next(&queue)).1.unwrap());
}

#[test]
fn a_connection_in_use_stays_while_the_others_grow_old() {
    let server = answering_three_together();
    let remote = open(&server, &[("connection_idle_timeout", "1")]);
    three_calls(&remote, true);
    wait_until("the two others are closed", || {
        call(&remote, 4).unwrap();
        server.open() == 1
    });
    assert_eq!(server.connections(), 3);
    assert_eq!(figures(&remote)["connections_closed_idle"], 2);
}

#[test]
fn connections_that_the_server_closes_cost_no_error() {
    // Each connection serves 20 requests and is closed without a word.
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let server = Server::start_with(
        |_| Welcome::IdleLimit(Duration::from_secs(1)),
        move |seen| {
            let mut steps = answer(seen);
            if count.fetch_add(1, Ordering::SeqCst) % 20 == 19 {
                steps.push(Step::Close);
            }
            steps
        },
    );
    server.forget_requests();
    let remote = open(&server, &[("connection_retries", "0")]);
    (0..10_000).for_each(|id| call(&remote, id).unwrap());
    assert!(server.connections() >= 500, "{}", server.connections());
    // All of them idle for longer than the server keeps them.
    wait_until("the server has closed every connection", || server.open() == 0);
    call(&remote, 1).unwrap();
}

#[test]
fn a_warm_store_has_its_connections_before_the_first_call() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "GET /health" => say(200, ""),
        _ => answer(seen),
    });
    let remote = open(&server, &[("connection_pool_size", "4")]);
    remote.warm_up(3, Duration::from_secs(60)).unwrap();
    assert_eq!((server.connections(), server.requests()), (3, 3));
    assert_eq!(figures(&remote)["connections_idle"], 3);
    call(&remote, 1).unwrap();
    assert_eq!(server.connections(), 3, "the call finds one");
    remote.warm_up(4, Duration::from_secs(60)).unwrap();
    assert_eq!(server.connections(), 4);
    for (connections, words) in [(0, "connections is 0"), (5, "not from 1 to 4")] {
        assert!(remote.warm_up(connections, Duration::from_secs(1)).unwrap_err().message.contains(words));
    }
    let late = remote.warm_up(1, Duration::ZERO).unwrap_err();
    assert_eq!((late.code, late.attempts), (Code::Timeout, 0), "{late}");
    let sick = Server::start(|_| say(503, ""));
    let error = open(&sick, &[("connection_retries", "1")]).warm_up(2, Duration::from_secs(60)).unwrap_err();
    assert_eq!((error.code, error.http_status, sick.requests()), (Code::Server, 503, 2), "{error}");
}

#[test]
fn threads_that_warm_up_the_same_store_do_not_wait_for_each_others_connections() {
    let server = Server::start(|_| say(200, ""));
    let remote = open(&server, &[("connection_pool_size", "4")]);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| remote.warm_up(4, Duration::from_secs(60)).unwrap());
        }
    });
    assert_eq!((server.connections(), server.requests()), (4, 32));
}

#[test]
fn connections_of_a_busy_pool_are_replaced_at_their_age_and_no_call_fails() {
    let server = Server::start(answer);
    let remote = open(&server, &[("connection_pool_size", "3"), ("connection_max_age", "1")]);
    let done = AtomicBool::new(false);
    let aged = || figures(&remote)["connections_closed_aged"].as_u64().unwrap();
    thread::scope(|scope| {
        for id in 1..4 {
            let (remote, done) = (&remote, &done);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    call(remote, id).unwrap();
                }
            });
        }
        wait_until("each was replaced twice", || aged() >= 6);
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(figures(&remote)["connections_opened"].as_u64().unwrap(), server.connections() as u64);
    let young = open(&server, &[]);
    call(&young, 1).unwrap();
    assert_eq!(figures(&young)["connections_closed_aged"], 0);
}
