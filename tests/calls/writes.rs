//! Writes: what goes out, what is told of rows, and what is sent twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::events::queue;
use crate::support::server::{Seen, Server, Step, say};
use crate::support::store::{config, figures, open};
use crate::support::wait::wait_until;
use feast_remote::error::{Code, Error};
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::{EventQueue, Remote, Taken, Written};
use feast_remote::wire::write::{Destination, Frame, Items, PushTo, Values, WriteOptions};
use serde_json::Value;

/// A frame of so many rows: ids from 0, and when.
fn rows(count: usize) -> Arc<Frame> {
    let mut frame = Frame::default();
    let ids = (0..count as i64).collect();
    frame.add("id", Values::Single(Items::Int(ids)), None).unwrap();
    frame.add("event_timestamp", Values::Single(Items::Timestamp(vec![0; count])), None).unwrap();
    Arc::new(frame)
}

fn view() -> Destination {
    Destination::FeatureView("v".to_owned())
}

fn push(to: PushTo) -> Destination {
    Destination::PushSource("p".to_owned(), to)
}

fn write(remote: &Remote, destination: Destination, count: usize) -> Result<Written, Error> {
    remote.write(destination, &rows(count), WriteOptions::default())
}

/// The ids of a write's body.
fn ids(seen: &Seen) -> Vec<i64> {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    body["df"]["id"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect()
}

fn next(queue: &EventQueue) -> (usize, Result<Written, Error>) {
    let mut taken = None;
    queue.poll(1, Deadline::in_milliseconds(20_000), |event| {
        let tag = event.tag();
        taken = Some((tag, event.take()));
    });
    let (tag, outcome) = taken.expect("an event");
    let written = outcome.map(|taken| match taken {
        Taken::Written(written) => written,
        Taken::Response(_) => panic!("a response"),
    });
    (tag, written)
}

#[test]
fn rows_go_out_in_chunks_and_are_counted() {
    let server = Server::start(|_| say(200, "null"));
    let remote = open(&server, &[("max_rows_per_write", "4")]);
    let written = write(&remote, view(), 10).unwrap();
    assert_eq!(written, Written { rows: 10, requests: 3, queued: false });
    let seen = server.seen();
    assert_eq!(seen.iter().map(ids).collect::<Vec<_>>(), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    assert!(seen.iter().all(|seen| seen.target == "POST /write-to-online-store"), "{}", seen[0].target);
    assert_eq!(seen[0].headers["content-type"], "application/json");
    write(&remote, push(PushTo::Online), 1).unwrap();
    assert_eq!(server.seen()[3].target, "POST /push");
    assert_eq!(server.connections(), 1, "the endpoints of a server share its connections");
    let figures = figures(&remote);
    for (name, count) in
        [("writes", 2), ("write_requests", 4), ("rows_written", 11), ("attempts", 4), ("calls", 0)]
    {
        assert_eq!(figures[name], count, "{name}");
    }
}

#[test]
fn reads_and_writes_take_turns_on_one_connection() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "POST /get-online-features?status=true" => crate::support::server::answer(seen),
        "GET /health" if seen.body.is_empty() => say(200, ""),
        _ => say(200, "null"),
    });
    let remote = open(&server, &[]);
    for id in 0..3 {
        crate::support::store::call(&remote, id).unwrap();
        write(&remote, view(), 1).unwrap();
        remote.check_health().unwrap();
    }
    assert_eq!((server.connections(), server.requests()), (1, 9));
}

#[test]
fn an_unhealthy_server_says_so() {
    let server = Server::start(|_| say(503, ""));
    let error = open(&server, &[("connection_retries", "1")]).check_health().unwrap_err();
    assert_eq!((error.code, error.http_status, error.attempts), (Code::Server, 503, 2), "{error}");
}

#[test]
fn of_a_write_whose_middle_is_refused_written_and_unwritten_rows_are_told_exactly() {
    let refuse = |seen: &Seen| match ids(seen).contains(&50_000) {
        true => say(500, r#""a bad row""#),
        false => say(200, "null"),
    };
    let server = Server::start(refuse);
    let remote = open(&server, &[]);
    let error = write(&remote, view(), 100_000).unwrap_err();
    let rows = error.rows.as_ref().unwrap();
    assert_eq!((error.code, rows.written), (Code::Server, 50_000), "{error}");
    assert_eq!(rows.unwritten, (50_000..100_000).collect::<Vec<_>>());
    assert!(rows.doubtful.is_empty(), "a server's refusal leaves no doubt");
    assert!(error.message.contains("; 50000 of 100000 rows were written"), "{error}");

    let queue = queue();
    let frame = self::rows(100_000);
    let _call = remote.submit_write(view(), &frame, WriteOptions::default(), &queue, 7).unwrap();
    let (tag, outcome) = next(&queue);
    assert_eq!((tag, outcome.unwrap_err().rows), (7, error.rows));
    let figures = figures(&remote);
    assert_eq!((&figures["writes_failed"], &figures["calls_failed"]), (&Value::from(2), &Value::from(0)));
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| say(200, "null"));
    let remote = open(&server, &[]);
    let empty = remote.write(view(), &Arc::default(), WriteOptions::default()).unwrap_err();
    assert_eq!((empty.code, empty.attempts), (Code::InvalidArgument, 0), "{empty}");
    let mut odd = Frame::clone(&rows(2));
    odd.add("when", Values::Single(Items::Timestamp(vec![0, 1])), None).unwrap();
    let error = remote.write(view(), &Arc::new(odd), WriteOptions::default()).unwrap_err();
    assert!(error.message.starts_with("column `when`, row 1: "), "{error}");
    assert_eq!(error.rows.unwrap().unwritten, [0, 1]);
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_asynchronous_write_ends_in_one_event() {
    let server = Server::start(|_| say(200, "null"));
    let remote = open(&server, &[("max_rows_per_write", "3")]);
    let queue = queue();
    let calls: Vec<_> = (0..20)
        .map(|tag| remote.submit_write(view(), &rows(10), WriteOptions::default(), &queue, tag).unwrap())
        .collect();
    let mut tags: Vec<usize> = calls
        .iter()
        .map(|_| {
            let (tag, outcome) = next(&queue);
            assert_eq!(outcome.unwrap(), Written { rows: 10, requests: 4, queued: false });
            tag
        })
        .collect();
    tags.sort_unstable();
    assert_eq!(tags, (0..20).collect::<Vec<_>>());
    assert_eq!(figures(&remote)["async_requests"], 0, "{}", remote.stats_json());
}

#[test]
fn a_write_that_is_cancelled_or_closed_in_the_middle_tells_what_was_written() {
    for way in ["cancel", "close", "queue"] {
        let stalls = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&stalls);
        let server = Server::start(move |seen| match seen.number {
            0 => say(200, "null"),
            _ => vec![Step::Tell(Arc::clone(&tell)), Step::Stall],
        });
        let remote = open(&server, &[("max_rows_per_write", "2"), ("request_timeout_ms", "0")]);
        let queue = queue();
        let call = remote.submit_write(view(), &rows(6), WriteOptions::default(), &queue, 1).unwrap();
        wait_until("the second request is on its way", || stalls.load(Ordering::SeqCst));
        match way {
            "cancel" => call.cancel(),
            "close" => remote.close(),
            _ => {
                queue.close();
                wait_until("nothing is under way", || figures(&remote)["async_requests"] == 0);
                continue;
            }
        }
        let error = next(&queue).1.unwrap_err();
        let rows = error.rows.unwrap();
        assert_eq!(error.code, if way == "cancel" { Code::Cancelled } else { Code::Closed }, "{way}");
        assert_eq!(
            (rows.written, &rows.unwritten[..], &rows.doubtful[..]),
            (2, &[2, 3, 4, 5][..], &[2, 3][..]),
            "{way}"
        );
    }
}

#[test]
fn a_blocking_write_that_is_late_or_closed_tells_what_was_written() {
    let stalls = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&stalls);
    let server = Server::start(move |seen| match seen.number % 2 {
        0 => say(200, "null"),
        _ => vec![Step::Tell(Arc::clone(&tell)), Step::Stall],
    });
    let remote = open(&server, &[("max_rows_per_write", "2")]);
    let options = WriteOptions { timeout: Some(Duration::from_millis(200)), ..WriteOptions::default() };
    let late = remote.write(view(), &rows(6), options).unwrap_err();
    let told = late.rows.unwrap();
    assert_eq!((late.code, told.written, told.unwritten.len()), (Code::Timeout, 2, 4));
    assert_eq!(told.doubtful, [2, 3]);
    let nothing = WriteOptions { timeout: Some(Duration::ZERO), ..WriteOptions::default() };
    let over = remote.write(view(), &rows(1), nothing).unwrap_err();
    assert_eq!((over.code, over.attempts, over.rows.unwrap().doubtful.len()), (Code::Timeout, 0, 0));
    stalls.store(false, Ordering::SeqCst);
    thread::scope(|scope| {
        let writing = scope.spawn(|| write(&remote, view(), 6).unwrap_err());
        wait_until("the second request is on its way", || stalls.load(Ordering::SeqCst));
        remote.close();
        let closed = writing.join().unwrap();
        let told = closed.rows.unwrap();
        assert_eq!((closed.code, told.written, told.doubtful), (Code::Closed, 2, vec![2, 3]));
    });
}

/// A server that reads a request and then breaks the connection, so many times.
fn breaks(times: usize) -> (Server, Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(times));
    let count = Arc::clone(&left);
    let server = Server::start(move |_| {
        match count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => vec![Step::Reset],
            Err(_) => say(200, "null"),
        }
    });
    (server, left)
}

#[test]
fn an_online_write_that_breaks_is_repeated_and_an_offline_push_is_not_unless_it_may_be() {
    let (server, left) = breaks(1);
    let remote = open(&server, &[]);
    assert_eq!(write(&remote, view(), 1).unwrap().rows, 1);
    assert_eq!(server.requests(), 2);

    for to in [PushTo::Offline, PushTo::OnlineAndOffline] {
        left.store(1, Ordering::SeqCst);
        let error = write(&remote, push(to), 2).unwrap_err();
        let told = error.rows.as_ref().unwrap();
        assert_eq!((error.code, error.attempts, &told.doubtful[..]), (Code::Io, 1, &[0, 1][..]), "{error}");
        assert!(
            error.message.contains("not sent again") && error.message.contains("and 2 may have been"),
            "{error}"
        );
        left.store(1, Ordering::SeqCst);
        let options = WriteOptions { repeats_offline: true, ..WriteOptions::default() };
        assert_eq!(remote.write(push(to), &rows(2), options).unwrap().rows, 2);
    }
}

#[test]
fn an_offline_push_is_not_sent_again_by_libcurl_on_a_kept_connection() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "POST /push" => vec![Step::Reset],
        _ => say(200, "null"),
    });
    let remote = open(&server, &[]);
    write(&remote, view(), 1).unwrap();
    write(&remote, push(PushTo::Offline), 1).unwrap_err();
    assert_eq!(server.requests(), 2, "libcurl repeats by itself what breaks on a kept connection");
    let figures = figures(&remote);
    assert_eq!((&figures["wire_requests"], &figures["attempts"]), (&Value::from(2), &Value::from(2)));
}

#[test]
fn an_offline_push_is_tried_again_while_nothing_was_sent() {
    let server = Server::start_with(
        |connection| match connection {
            0 => crate::support::server::Welcome::Reset,
            _ => crate::support::server::Welcome::Serve,
        },
        |_| say(202, ""),
    );
    let remote = open(&server, &[]);
    // Whether libcurl sees the reset before it sends is a race; either way the rows are there at most once.
    match write(&remote, push(PushTo::Offline), 1) {
        Ok(written) => assert!(written.queued),
        Err(error) => assert_eq!(error.rows.unwrap().doubtful, [0]),
    }
    assert!(server.requests() <= 1);
}

#[test]
fn a_push_that_the_server_queues_says_so() {
    let server = Server::start(|_| say(202, ""));
    let remote = open(&server, &[]);
    assert!(write(&remote, push(PushTo::OnlineAndOffline), 1).unwrap().queued);
    let error = write(&remote, view(), 1).unwrap_err();
    assert_eq!(error.http_status, 202, "only a push is queued: {error}");
}

#[test]
fn a_refused_token_is_renewed_and_the_rows_are_sent_again_offline_too() {
    let server = Server::start(|seen| match seen.headers.get("authorization").map(String::as_str) {
        Some("Bearer new") => say(200, "null"),
        _ => say(401, ""),
    });
    let remote = Remote::open(&config(&server.url(), &[("auth", "host")])).unwrap();
    remote.set_token("old").unwrap();
    thread::scope(|scope| {
        let writing = scope.spawn(|| write(&remote, push(PushTo::Offline), 1));
        wait_until("the token was refused", || figures(&remote)["tokens_refused"] == 1);
        remote.set_token("new").unwrap();
        assert_eq!(writing.join().unwrap().unwrap().rows, 1);
    });
}
