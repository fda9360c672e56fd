//! Calls that do not wait: the queue, the driver, and what they share with the calls that do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::events::{code, next, nothing_comes, outcome, queue, submit};
use crate::support::server::{Server, Step, Welcome, answer, reply, say};
use crate::support::store::{ask, ask_for, config, figures, open};
use crate::support::wait::wait_until;
use feast_remote::error::Code;
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::{CallHandle, Remote};
use feast_remote::wire::request::Request;
use serde_json::Value;

#[test]
fn ten_thousand_calls_on_a_pool_of_fifty_all_complete_in_order_of_admission() {
    let fifty = Barrier::new(50);
    let server = Server::start(move |seen| {
        // Whose turn it is comes before anybody is answered.
        fifty.wait();
        answer(seen)
    });
    let remote = open(&server, &[("request_timeout_ms", "60000")]);
    let queue = queue();
    (0..10_000).for_each(|id| drop(submit(&remote, &queue, id)));
    let mut finished = vec![0; 10_000];
    for _ in 0..10_000 {
        let (tag, outcome) = outcome(next(&queue));
        outcome.unwrap();
        finished[tag] += 1;
    }
    assert!(finished.iter().all(|&events| events == 1) && nothing_comes(&queue));
    assert_eq!((server.connections(), server.most_open()), (50, 50));
    assert_eq!(figures(&remote)["async_requests"], 0);
    for (turn, ids) in asked(&server).chunks_mut(50).enumerate() {
        ids.sort_unstable();
        assert_eq!((ids[0], ids[49]), (50 * turn as i64, 50 * turn as i64 + 49));
    }
}

/// The first id of each request that the server has seen.
fn asked(server: &Server) -> Vec<i64> {
    let id =
        |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["entities"]["id"][0].as_i64().unwrap();
    server.seen().iter().map(|seen| id(&seen.body)).collect()
}

#[test]
fn calls_go_out_and_come_back_in_the_order_of_their_submission() {
    let server = Server::start(answer);
    let remote = open(&server, &[("connection_pool_size", "1")]);
    let queue = queue();
    (0..500).for_each(|id| drop(submit(&remote, &queue, id)));
    (0..500).for_each(|id| assert_eq!(outcome(next(&queue)).0, id));
    assert_eq!(asked(&server), (0..500).collect::<Vec<_>>());
}

#[test]
fn blocking_and_asynchronous_calls_together_stay_within_the_pool() {
    let server = Server::start(|seen| {
        let mut steps = vec![Step::Wait(Duration::from_millis(2))];
        steps.extend(answer(seen));
        steps
    });
    let remote = Arc::new(open(&server, &[("connection_pool_size", "4"), ("request_timeout_ms", "60000")]));
    let blocking: Vec<_> = (0..8)
        .map(|thread| {
            let remote = Arc::clone(&remote);
            thread::spawn(move || {
                (0..40).for_each(|id| drop(remote.get_online_features(&ask(100 * thread + id)).unwrap()));
            })
        })
        .collect();
    let queue = queue();
    (0..400).for_each(|id| drop(submit(&remote, &queue, id)));
    (0..400).for_each(|_| outcome(next(&queue)).1.unwrap());
    blocking.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(server.most_open(), 4);
    assert_eq!(server.connections(), 4, "a connection serves both kinds of call");
}

#[test]
fn blocking_and_asynchronous_calls_wait_in_one_queue() {
    let (go, semaphore) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let held = Arc::clone(&go);
    let server = Server::start(move |seen| {
        if seen.number == 0 {
            semaphore.store(true, Ordering::SeqCst);
            while !held.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        answer(seen)
    });
    let remote = Arc::new(open(&server, &[("connection_pool_size", "1"), ("request_timeout_ms", "0")]));
    let queue = queue();
    drop(submit(&remote, &queue, 0));
    wait_until("the first call is on the wire", || server.requests() == 1);
    let mut blocking = Vec::new();
    for id in 1..7 {
        if id % 2 == 0 {
            drop(submit(&remote, &queue, id));
        } else {
            let remote = Arc::clone(&remote);
            blocking.push(thread::spawn(move || remote.get_online_features(&ask(id)).map(drop)));
        }
        wait_until("the call waits", || remote.waiting() == id as usize);
    }
    go.store(true, Ordering::SeqCst);
    blocking.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
    (0..4).for_each(|_| outcome(next(&queue)).1.unwrap());
    assert_eq!(asked(&server), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_queue_serves_many_stores_and_its_batches_keep_the_order() {
    let servers: Vec<Server> = (0..3).map(|_| Server::start(answer)).collect();
    let remotes: Vec<Remote> = servers.iter().map(|server| open(server, &[])).collect();
    let queue = queue();
    for id in 0..300 {
        drop(submit(&remotes[id as usize % 3], &queue, id));
    }
    let mut seen = HashMap::new();
    while seen.len() < 300 {
        let mut batch = 0;
        queue.poll(7, Deadline::in_milliseconds(30_000), |event| {
            batch += 1;
            let (tag, outcome) = outcome(event);
            outcome.unwrap();
            assert!(seen.insert(tag, ()).is_none(), "two events for {tag}");
        });
        assert!((1..=7).contains(&batch), "{batch} events");
    }
}

#[test]
fn policy_is_that_of_the_blocking_call() {
    let server = Server::start(|seen| match seen.number {
        0 => vec![Step::Reset],
        1 => say(503, "\"busy\""),
        2 => vec![Step::Send(reply(200, &[], "{")), Step::Close],
        3 => say(404, r#""{\"module\":\"feast.errors\",\"class\":\"X\",\"message\":\"no such view\"}""#),
        _ => vec![Step::Stall],
    });
    let remote = open(&server, &[("request_timeout_ms", "0")]);
    let queue = queue();
    let end = |request: &Request| {
        remote.submit(request, &queue, 0).unwrap();
        next(&queue).into_response().unwrap_err()
    };
    let decode = end(&ask(1));
    assert_eq!((decode.code, decode.attempts, decode.http_status), (Code::Decode, 3, 200), "{decode}");
    let refused = end(&ask(1));
    assert_eq!((refused.code, refused.feast_class.as_deref()), (Code::NotFound, Some("X")), "{refused}");
    let mut request = ask(1);
    request.set_timeout(Duration::from_millis(50));
    let start = Instant::now();
    let late = end(&request);
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert_eq!((late.code, late.attempts), (Code::Timeout, 1), "{late}");
    assert!(late.message.contains("waiting for the first byte of the answer"), "{late}");
    let figures = figures(&remote);
    assert_eq!(figures["calls"], 3);
    assert_eq!(figures["calls_failed"], 3);
    assert_eq!(figures["attempts"], 5);
    assert_eq!((&figures["retries_status"], &figures["retries_io"]), (&1.into(), &1.into()));
}

#[test]
fn waits_before_retries_hold_no_place_and_keep_the_deadline() {
    let server = Server::start(|seen| {
        let is_first = seen.body.windows(3).any(|bytes| bytes == b"[1]");
        if is_first { say(503, "\"busy\"") } else { answer(seen) }
    });
    let keys = [("connection_pool_size", "1"), ("retry_backoff_factor", "0.2"), ("retry_jitter", "0")];
    let remote = open(&server, &keys);
    let queue = queue();
    let mut slow = ask(1);
    slow.set_timeout(Duration::from_millis(900));
    let start = Instant::now();
    remote.submit(&slow, &queue, 1).unwrap();
    wait_until("the first call sleeps", || server.requests() == 2);
    drop(submit(&remote, &queue, 2));
    let (tag, result) = outcome(next(&queue));
    assert!(result.is_ok() && tag == 2, "the one that sleeps holds no place");
    // Waits of 0, 0.4 and 0.8 s; the last would pass the deadline.
    let (tag, result) = outcome(next(&queue));
    let error = result.unwrap_err();
    assert_eq!((tag, error.code, error.attempts), (1, Code::Server, 3), "{error}");
    assert!(error.message.contains("past the call's deadline"), "{error}");
    assert!(start.elapsed() >= Duration::from_millis(400));
}

#[test]
fn a_call_that_finds_no_place_in_time_is_overloaded() {
    let server = Server::start(|_| vec![Step::Stall]);
    let remote = open(&server, &[("connection_pool_size", "1"), ("request_timeout_ms", "0")]);
    let queue = queue();
    let stalled = submit(&remote, &queue, 0);
    wait_until("it is on the wire", || server.requests() == 1);
    let mut request = ask(1);
    request.set_timeout(Duration::from_millis(30));
    remote.submit(&request, &queue, 1).unwrap();
    let error = outcome(next(&queue)).1.unwrap_err();
    assert_eq!((error.code, error.attempts), (Code::Overloaded, 0), "{error}");
    let all_in_use = format!("{}: all 1 connections (connection_pool_size) were in use", server.url());
    assert!(error.message.starts_with(&all_in_use), "{error}");
    assert!(error.message.contains("with 0 other calls waiting (0 attempts in "), "{error}");
    assert_eq!((remote.waiting(), figures(&remote)["calls_overloaded"].as_u64()), (0, Some(1)));
    stalled.cancel();
    assert_eq!(code(next(&queue)), Code::Cancelled);
}

#[test]
fn a_full_store_refuses_at_once_and_without_an_event() {
    let server = Server::start(|_| vec![Step::Stall]);
    let remote = open(&server, &[("max_async_requests", "3"), ("request_timeout_ms", "0")]);
    let queue = queue();
    let handles: Vec<CallHandle> = (0..3).map(|id| submit(&remote, &queue, id)).collect();
    let error = remote.submit(&ask(3), &queue, 3).err().unwrap();
    assert_eq!(error.code, Code::Overloaded, "{error}");
    assert!(error.message.contains("max_async_requests"), "{error}");
    handles[1].cancel();
    assert_eq!(outcome(next(&queue)).0, 1);
    wait_until("there is room", || remote.submit(&ask(4), &queue, 4).is_ok());
    remote.close();
    let mut ended: Vec<usize> = (0..3).map(|_| next(&queue).tag()).collect();
    ended.sort_unstable();
    assert_eq!(ended, [0, 2, 4]);
    assert!(nothing_comes(&queue));
}

#[test]
fn events_outlive_the_store() {
    let server = Server::start(answer);
    let remote = open(&server, &[]);
    let queue = queue();
    (0..20).for_each(|id| drop(submit(&remote, &queue, id)));
    wait_until("all are finished", || figures(&remote)["async_requests"] == 0);
    drop(remote);
    (0..20).for_each(|_| outcome(next(&queue)).1.unwrap());
}

#[test]
fn the_drivers_panic_fails_the_calls_it_had_and_one_restart_serves_the_next() {
    let server = Server::start(|seen| {
        let bytes = seen.body.windows(3);
        if bytes.clone().any(|bytes| bytes == b"[1]") {
            vec![Step::Stall]
        } else if bytes.clone().any(|bytes| bytes == b"[2]") {
            say(503, "")
        } else {
            answer(seen)
        }
    });
    let keys = [("request_timeout_ms", "0"), ("connection_pool_size", "2")];
    let config = config(&server.url(), &keys);
    let remote = Remote::open_with_pause(&config, |_| panic!("a bug")).unwrap();
    let queue = queue();
    drop(submit(&remote, &queue, 1));
    wait_until("one is stalled", || server.requests() == 1);
    for restarts in [1, 1] {
        drop(submit(&remote, &queue, 2));
        // Each of those under way; those that came later may have been served.
        let mut failed = 0;
        while failed < if restarts == 1 && server.requests() <= 2 { 2 } else { 1 } {
            let error = outcome(next(&queue)).1.unwrap_err();
            assert_eq!(error.code, Code::Internal, "{error}");
            failed += 1;
        }
        let figures = figures(&remote);
        assert_eq!(figures["async_requests"], 0);
        assert_eq!(figures["connections_in_use"], 0, "the places came back");
        assert_eq!(figures["driver_restarts"], restarts);
        if server.requests() == 2 {
            drop(submit(&remote, &queue, 3));
            outcome(next(&queue)).1.unwrap();
        }
    }
    wait_until("the driver is dead", || {
        remote.submit(&ask(4), &queue, 4).is_err_and(|e| e.code == Code::Internal)
    });
    while !nothing_comes(&queue) {}
    assert!(remote.get_online_features(&ask(4)).is_ok(), "blocking calls go on");
}

#[test]
fn each_of_several_threads_is_woken_by_a_wake_of_its_own() {
    for _ in 0..50 {
        let queue = queue();
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.poll(1, Deadline::NEVER, |_| panic!("there is no event")))
            })
            .collect();
        (0..4).for_each(|_| queue.wake());
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    }
}

#[test]
fn max_async_requests_does_not_bind_callers_that_wait() {
    let server = Server::start(|seen| {
        let stalls = seen.body.windows(3).any(|bytes| bytes == b"[7]");
        if stalls { vec![Step::Stall] } else { answer(seen) }
    });
    let keys = [("max_rows_per_request", "10"), ("max_async_requests", "4"), ("request_timeout_ms", "0")];
    let remote = open(&server, &keys);
    let queue = queue();
    let stalled: Vec<CallHandle> = (0..4).map(|_| submit(&remote, &queue, 7)).collect();
    let ids: Vec<i64> = (0..100).collect();
    assert_eq!(remote.get_online_features(&ask_for(&ids)).unwrap().int64(0).unwrap(), ids);
    stalled.iter().for_each(CallHandle::cancel);
    (0..4).for_each(|_| assert_eq!(code(next(&queue)), Code::Cancelled));
    let error = remote.submit(&ask_for(&ids), &queue, 1).err().unwrap();
    assert_eq!((error.code, error.retriable), (Code::InvalidArgument, false), "{error}");
    assert!(
        error.message.contains("10 requests (max_rows_per_request), and max_async_requests is 4"),
        "{error}"
    );
    assert_eq!(figures(&remote)["async_requests"], 0);
}

#[test]
fn one_connection_serves_blocking_and_asynchronous_calls_in_turn() {
    // An answer in pieces: each of them is an event for whoever waits.
    let server = Server::start(|seen| {
        let [Step::Send(bytes)] = &answer(seen)[..] else { panic!("not an answer in one piece") };
        bytes.chunks(bytes.len() / 3).map(|piece| Step::Send(piece.to_vec())).collect()
    });
    let remote = open(&server, &[("connection_pool_size", "1")]);
    let queue = queue();
    for id in 0..50 {
        submit(&remote, &queue, id);
        let (tag, result) = outcome(next(&queue));
        assert_eq!((tag, result), (id as usize, Ok(())));
        for _ in 0..id % 3 {
            assert_eq!(remote.get_online_features(&ask(id)).unwrap().int64(1).unwrap(), [1000 * id]);
        }
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_new_connection_with_the_old_ones_number_is_watched_anew() {
    let server = Server::start(|seen| {
        let mut steps = answer(seen);
        if seen.number % 3 == 2 {
            steps.push(Step::Close);
        }
        steps
    });
    let remote = open(&server, &[("connection_pool_size", "1")]);
    let queue = queue();
    for id in 0..60 {
        submit(&remote, &queue, id);
        let (tag, result) = outcome(next(&queue));
        assert_eq!((tag, result), (id as usize, Ok(())));
        if id % 7 == 0 {
            assert_eq!(remote.get_online_features(&ask(id)).unwrap().int64(1).unwrap(), [1000 * id]);
        }
    }
    assert!(server.connections() >= 20, "{}", server.connections());
}

#[test]
fn an_asynchronous_call_larger_than_every_buffer_passes_a_slow_server() {
    let late = Duration::from_millis(300);
    let server = Server::start_with(
        move |_| Welcome::Late(late),
        |seen| {
            let [Step::Send(bytes)] = &answer(seen)[..] else { panic!("not an answer in one piece") };
            let (first, rest) = bytes.split_at(bytes.len() / 2);
            vec![
                Step::Send(first.to_vec()),
                Step::Wait(Duration::from_millis(100)),
                Step::Send(rest.to_vec()),
            ]
        },
    );
    let remote = open(&server, &[("request_timeout_ms", "60000")]);
    let queue = queue();
    let ids: Vec<i64> = (0..250_000).collect();
    for tag in 0..2 {
        remote.submit(&ask_for(&ids), &queue, tag).unwrap();
        let response = next(&queue).into_response().unwrap();
        assert!(response.int64(1).unwrap().iter().zip(&ids).all(|(value, id)| *value == 1000 * id));
    }
    assert_eq!((server.connections(), server.seen()[0].body.len() > 1 << 20), (1, true));
}

#[test]
fn an_answer_is_decoded_by_the_thread_that_takes_it_out() {
    let server = Server::start(answer);
    let remote = open(&server, &[]);
    let queue = queue();
    (0..3).for_each(|id| drop(submit(&remote, &queue, id)));
    wait_until("all have been answered", || figures(&remote)["async_requests"] == 0);
    assert_eq!(figures(&remote)["decode_latency"]["count"], 0);
    for decoded in 1..=3 {
        outcome(next(&queue)).1.unwrap();
        assert_eq!(figures(&remote)["decode_latency"]["count"], decoded);
    }
}
