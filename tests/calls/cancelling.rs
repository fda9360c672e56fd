//! How calls end before their answer: by cancelling them, by freeing their queue, by closing the store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::stalled::Stalled;
use crate::support::events::{code, next, nothing_comes, outcome, queue, submit};
use crate::support::server::{Server, Step, answer, say};
use crate::support::store::{ask, call, config, figures, open};
use crate::support::wait::wait_until;
use feast_remote::error::Code;
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;

/// The time from a cancel to the event of a call that has come where it shall be when `reached` says so.
fn cancelled_in(remote: &Remote, request: &Request, reached: impl Fn() -> bool) -> Duration {
    let queue = queue();
    let call = remote.submit(request, &queue, 0).unwrap();
    wait_until("the call is where it shall be", &reached);
    let start = Instant::now();
    call.cancel();
    let event = next(&queue);
    let took = start.elapsed();
    let error = event.into_response().unwrap_err();
    assert_eq!((error.code, error.attempts > 0), (Code::Cancelled, true), "{error}");
    // Before the event.
    let figures = figures(remote);
    assert_eq!((&figures["connections_in_use"], &figures["async_requests"]), (&0.into(), &0.into()));
    assert!(nothing_comes(&queue));
    took
}

/// Nothing but a cancel or a close ends a call.
const ENDLESS: [(&str, &str); 3] =
    [("request_timeout_ms", "0"), ("connect_timeout_ms", "600000"), ("connection_pool_size", "1")];

#[test]
fn cancel_ends_a_call_in_every_phase_and_frees_its_place() {
    let mut took = Vec::new();
    for stalled in Stalled::everywhere() {
        let remote = Remote::open(&config(&stalled.url, &ENDLESS)).unwrap();
        took.push((stalled.phase, cancelled_in(&remote, &stalled.request(), || stalled.is_reached())));
    }
    // Waiting for a place.
    let server = Server::start(|_| vec![Step::Stall]);
    let remote = open(&server, &ENDLESS);
    let others = queue();
    let first = submit(&remote, &others, 9);
    wait_until("the place is taken", || server.requests() == 1);
    let second_queue = queue();
    let second = submit(&remote, &second_queue, 0);
    wait_until("the call waits", || remote.waiting() == 1);
    let start = Instant::now();
    second.cancel();
    assert_eq!(code(next(&second_queue)), Code::Cancelled);
    took.push(("queue", start.elapsed()));
    first.cancel();
    assert_eq!(code(next(&others)), Code::Cancelled);
    // Waiting for its next attempt.
    let server = Server::start(|_| say(503, ""));
    let remote = open(&server, &[&ENDLESS[..], &[("retry_backoff_factor", "100")]].concat());
    let pauses = || server.requests() == 2 && figures(&remote)["retries_status"] == 2;
    took.push(("backoff", cancelled_in(&remote, &ask(0), pauses)));
    println!("from cancel to event: {took:?}");
}

/// The time from a close to the end of a call.
fn closed_in(stalled: &Stalled, blocking: bool) -> Duration {
    let remote = Remote::open(&config(&stalled.url, &ENDLESS)).unwrap();
    let (request, queue) = (stalled.request(), queue());
    thread::scope(|scope| {
        let call = scope.spawn(|| {
            if blocking {
                return remote.get_online_features(&request).unwrap_err().code;
            }
            remote.submit(&request, &queue, 0).unwrap();
            code(next(&queue))
        });
        wait_until("the call is where it shall be", || stalled.is_reached());
        let start = Instant::now();
        remote.close();
        assert_eq!(call.join().unwrap(), Code::Closed, "{}", stalled.phase);
        start.elapsed()
    })
}

#[test]
fn closing_ends_calls_in_every_phase_and_disturbs_no_other_store() {
    let server = Server::start(answer);
    let (other, goes_on) = (open(&server, &[]), Arc::new(()));
    let alive = Arc::downgrade(&goes_on);
    let calls = thread::spawn(move || {
        let mut id = 0;
        while alive.upgrade().is_some() {
            call(&other, id).unwrap();
            id += 1;
        }
        other
    });
    let mut took = Vec::new();
    for blocking in [true, false] {
        for stalled in Stalled::everywhere() {
            took.push((stalled.phase, closed_in(&stalled, blocking)));
        }
    }
    println!("from close to the call's end: {took:?}");
    drop(goes_on);
    let _kept = calls.join().unwrap();
    assert_eq!((server.connections(), server.open()), (1, 1), "the other store keeps its connection");
}

#[test]
fn cancel_after_the_end_does_nothing() {
    let server = Server::start(answer);
    let remote = open(&server, &[]);
    let queue = queue();
    let call = submit(&remote, &queue, 5);
    outcome(next(&queue)).1.unwrap();
    call.cancel();
    drop(remote);
    call.cancel();
    assert!(nothing_comes(&queue));
}

#[test]
fn each_call_has_one_event_however_cancel_close_and_answers_race() {
    let server = Server::start(|seen| {
        let mut steps =
            if seen.number % 3 == 0 { vec![Step::Wait(Duration::from_millis(1))] } else { vec![] };
        steps.extend(answer(seen));
        steps
    });
    server.forget_requests();
    for round in 0..60 {
        let remote = Arc::new(open(&server, &[("connection_pool_size", "5")]));
        let queue = queue();
        let accepted = Arc::new(AtomicUsize::new(0));
        let start = Arc::new(Barrier::new(3));
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let (remote, queue) = (Arc::clone(&remote), Arc::clone(&queue));
                let (accepted, start) = (Arc::clone(&accepted), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    for id in 0..40 {
                        match remote.submit(&ask(id), &queue, id as usize) {
                            Ok(handle) => {
                                accepted.fetch_add(1, Ordering::SeqCst);
                                if id % 4 == 0 {
                                    handle.cancel();
                                }
                            }
                            Err(error) => assert_eq!(error.code, Code::Closed, "{error}"),
                        }
                    }
                })
            })
            .collect();
        start.wait();
        thread::sleep(Duration::from_micros(100 * round));
        remote.close();
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());
        let accepted = accepted.load(Ordering::SeqCst);
        for _ in 0..accepted {
            if let Err(error) = outcome(next(&queue)).1 {
                assert!([Code::Cancelled, Code::Closed].contains(&error.code), "{error}");
            }
        }
        assert!(nothing_comes(&queue));
        drop(remote);
        assert!(nothing_comes(&queue));
    }
}

#[test]
fn closing_a_queue_cancels_its_calls_and_leaves_the_others() {
    let server = Server::start(|seen| {
        let stalls = seen.body.windows(3).any(|bytes| bytes == b"[1]");
        if stalls { vec![Step::Stall] } else { answer(seen) }
    });
    let keys = [("request_timeout_ms", "0"), ("connection_pool_size", "2")];
    let remote = open(&server, &keys);
    let (doomed, other) = (queue(), queue());
    (0..10).for_each(|_| drop(submit(&remote, &doomed, 1)));
    wait_until("both places are taken", || server.requests() == 2);
    drop(submit(&remote, &other, 2));
    doomed.close();
    outcome(next(&other)).1.unwrap();
    wait_until("the calls are gone", || figures(&remote)["async_requests"] == 0);
    assert_eq!(server.requests(), 3, "calls for a closed queue are not sent");
}

#[test]
fn a_wake_ends_one_wait_and_a_closed_queue_every_one() {
    let queue = queue();
    let waiter = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.poll(1, Deadline::NEVER, |_| panic!("there is no event")))
    };
    queue.wake();
    waiter.join().unwrap();
    queue.wake();
    queue.poll(1, Deadline::NEVER, |_| panic!("there is no event"));
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.poll(1, Deadline::NEVER, |_| panic!("there is no event")))
        })
        .collect();
    queue.close();
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
}

#[test]
fn closing_while_thousands_wait_gives_each_its_event() {
    let server = Server::start(|_| vec![Step::Stall]);
    for count in [100, 3000] {
        let remote = open(&server, &[("connection_pool_size", "2"), ("request_timeout_ms", "0")]);
        let queue = queue();
        (0..count).for_each(|id| drop(submit(&remote, &queue, id)));
        drop(remote);
        (0..count).for_each(|_| assert_eq!(code(next(&queue)), Code::Closed));
        assert!(nothing_comes(&queue));
    }
}
