//! Requests that go out a second time because their answer is late.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use feast_remote::error::Code;
use feast_remote::remote::Remote;

use super::{healthy, nobody, questions, served, several};
use crate::support::events::{code, next, outcome, queue, submit};
use crate::support::server::{Seen, Server, Step, say};
use crate::support::store::{ask, ask_for, call, config, fails, figures};
use crate::support::wait::wait_until;

const HEDGED: (&str, &str) = ("hedge_percent", "20");

/// Latencies must be known before anything goes out twice.
fn accustom(remote: &Remote) {
    (0..150).for_each(|id| call(remote, id).unwrap());
}

/// A server that does not answer the first question for each of these ids.
fn ignoring(ids: &'static [i64], instead: fn() -> Vec<Step>) -> Server {
    let ignored = Mutex::new(HashSet::new());
    Server::start(move |seen| match id_of(seen) {
        Some(id) if ids.contains(&id) && ignored.lock().unwrap().insert(id) => instead(),
        _ => served(seen),
    })
}

fn id_of(seen: &Seen) -> Option<i64> {
    let question: serde_json::Value = serde_json::from_slice(&seen.body).ok()?;
    question["entities"]["id"][0].as_i64()
}

#[test]
fn a_late_answer_is_asked_for_again_on_another_connection_and_the_first_one_counts() {
    let server = ignoring(&[7000], || vec![Step::Stall]);
    let remote = Remote::open(&config(&server.url(), &[HEDGED])).unwrap();
    accustom(&remote);
    call(&remote, 7000).unwrap();
    let now = figures(&remote);
    assert!(now["hedges"].as_u64().unwrap() >= 1, "{now}");
    assert_eq!((&now["calls_failed"], &now["retries_timeout"]), (&0.into(), &0.into()));
    let response = remote.get_online_features(&ask(1)).unwrap();
    assert_eq!(response.timing().http_status, 200);
}

#[test]
fn the_phases_of_a_call_that_went_out_twice_make_its_total() {
    let server = ignoring(&[7000, 7001, 7002], || vec![Step::Stall]);
    let remote = Remote::open(&config(&server.url(), &[HEDGED])).unwrap();
    accustom(&remote);
    for id in 7000..7003 {
        let timing = *remote.get_online_features(&ask(id)).unwrap().timing();
        assert!(timing.hedged && timing.attempts == 2, "{timing:?}");
        let (phases, total) = (timing.phases() as f64, timing.total_us as f64);
        assert!((phases - total).abs() <= 0.05 * total, "{timing:?}");
    }
}

#[test]
fn the_second_request_goes_to_another_server() {
    let stalls = ignoring(&[7000], || vec![Step::Stall]);
    let other = ignoring(&[7000], || vec![Step::Stall]);
    let remote =
        several(&[&stalls, &other], &[HEDGED, ("balance", "in_order"), ("request_timeout_ms", "60000")]);
    accustom(&remote);
    // Each server ignores it once: the first attempt, and the second at the other one.
    let mut request = ask(7000);
    request.set_timeout(Some(std::time::Duration::from_millis(500)));
    assert_eq!(remote.get_online_features(&request).err().unwrap().code, Code::Timeout);
    let ids = |server: &Server| server.seen().iter().filter(|seen| id_of(seen) == Some(7000)).count();
    assert_eq!((ids(&stalls), ids(&other)), (1, 1));
}

#[test]
fn the_connection_of_the_answer_that_comes_second_is_kept() {
    let release = Arc::new(AtomicBool::new(false));
    let (waits, held) = (Arc::clone(&release), Mutex::new(HashSet::new()));
    let server = Server::start(move |seen| {
        let mut steps = served(seen);
        if let Some(id @ 7000..) = id_of(seen)
            && held.lock().unwrap().insert(id)
        {
            steps.insert(0, Step::Until(Arc::clone(&waits)));
        }
        steps
    });
    let remote = Remote::open(&config(&server.url(), &[HEDGED])).unwrap();
    accustom(&remote);
    let figure = |name: &str| figures(&remote)[name].as_u64().unwrap();
    // On a machine that is busy enough the second answer may come too late for it.
    let is_kept = |id: i64| {
        release.store(false, Ordering::SeqCst);
        let (attempts, unanswered) = (figure("attempts"), figure("attempts_unanswered"));
        call(&remote, id).unwrap();
        release.store(true, Ordering::SeqCst);
        wait_until("both have ended", || figure("attempts") >= attempts + 2);
        figure("attempts_unanswered") == unanswered && figure("connections_idle") >= 2
    };
    assert!((7000..7010).any(is_kept));
}

#[test]
fn an_error_waits_for_the_other_attempt() {
    // The first attempt is answered late, and the second at once by an error.
    let release = Arc::new(AtomicBool::new(false));
    let (waits, refused) = (Arc::clone(&release), AtomicUsize::new(0));
    let count = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&count);
    let server = Server::start(move |seen| {
        if id_of(seen) != Some(7000) {
            return served(seen);
        }
        counts.fetch_add(1, Ordering::SeqCst);
        match refused.fetch_add(1, Ordering::SeqCst) {
            0 => [vec![Step::Until(Arc::clone(&waits))], served(seen)].concat(),
            _ => say(404, "{}"),
        }
    });
    let remote = Remote::open(&config(&server.url(), &[HEDGED])).unwrap();
    accustom(&remote);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| call(&remote, 7000));
        wait_until("the second was refused", || figures(&remote)["answers_4xx"] == 1);
        release.store(true, Ordering::SeqCst);
        call.join().unwrap().unwrap();
    });
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(figures(&remote)["hedges_won"].as_u64().unwrap(), 0);
}

#[test]
fn an_answer_that_is_cut_short_waits_for_the_other_attempt() {
    let release = Arc::new(AtomicBool::new(false));
    let (waits, asked) = (Arc::clone(&release), AtomicUsize::new(0));
    let server = Server::start(move |seen| {
        if id_of(seen) != Some(7000) {
            return served(seen);
        }
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => [vec![Step::Until(Arc::clone(&waits))], served(seen)].concat(),
            _ => vec![
                Step::Send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"results\":[".to_vec()),
                Step::Close,
            ],
        }
    });
    let remote = Remote::open(&config(&server.url(), &[HEDGED, ("connection_retries", "0")])).unwrap();
    accustom(&remote);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| call(&remote, 7000));
        // In the second attempt's time the answers so far are one more than the calls before.
        wait_until("it came to that", || figures(&remote)["answers_2xx"].as_u64().unwrap() > 150);
        release.store(true, Ordering::SeqCst);
        call.join().unwrap().unwrap();
    });
}

#[test]
fn an_attempt_that_nobody_waits_for_makes_room_for_a_call() {
    let server = ignoring(&[7000], || vec![Step::Stall]);
    let keys = [HEDGED, ("connection_pool_size", "2")];
    let remote = Remote::open(&config(&server.url(), &keys)).unwrap();
    accustom(&remote);
    call(&remote, 7000).unwrap();
    let events = queue();
    // Far more than one connection brings in the quarter of a second.
    (0..20).for_each(|id| drop(submit(&remote, &events, id)));
    (0..20).for_each(|_| assert!(outcome(next(&events)).1.is_ok()));
    let now = figures(&remote);
    assert_eq!(now["attempts_unanswered"], 1, "it was cut off: {now}");
}

#[test]
fn two_attempts_that_fail_are_one_failure() {
    let server = Server::start(|seen| match id_of(seen) {
        Some(7000) => {
            [vec![Step::Wait(std::time::Duration::from_millis(100))], say(503, "\"busy\"")].concat()
        }
        _ => served(seen),
    });
    let keys = [HEDGED, ("connection_retries", "0")];
    let remote = Remote::open(&config(&server.url(), &keys)).unwrap();
    accustom(&remote);
    let error = fails(&remote, 7000);
    assert_eq!((error.code, error.attempts), (Code::Server, 2), "{}", error.message);
}

#[test]
fn asynchronous_calls_and_calls_in_parts_are_hedged_too() {
    let server = ignoring(&[7000, 7001], || vec![Step::Stall]);
    let keys = [HEDGED, ("max_rows_per_request", "1"), ("request_timeout_ms", "20000")];
    let remote = Remote::open(&config(&server.url(), &keys)).unwrap();
    accustom(&remote);
    let events = queue();
    submit(&remote, &events, 7000);
    assert!(outcome(next(&events)).1.is_ok());
    assert_eq!(remote.get_online_features(&ask_for(&[1, 7001, 2])).unwrap().int64(0).unwrap(), [1, 7001, 2]);
    assert!(figures(&remote)["hedges"].as_u64().unwrap() >= 2);
}

#[test]
fn a_merged_request_that_is_late_goes_out_once() {
    let rows_of = |seen: &Seen| {
        let question: serde_json::Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        question["entities"]["id"].as_array().map_or(0, Vec::len)
    };
    // One call alone holds the line, until the others have gathered behind it; their answer is late.
    let release = Arc::new(AtomicBool::new(false));
    let waits = Arc::clone(&release);
    let server = Server::start(move |seen| {
        let late = Step::Wait(std::time::Duration::from_millis(100));
        match (id_of(seen), rows_of(seen)) {
            (Some(7000), 1) => [vec![Step::Until(Arc::clone(&waits))], served(seen)].concat(),
            (_, 2..) => [vec![late], served(seen)].concat(),
            _ => served(seen),
        }
    });
    let keys = [HEDGED, ("merge_max_rows", "64"), ("merge_check", "false"), ("merge_in_flight", "1")];
    let remote = Remote::open(&config(&server.url(), &keys)).unwrap();
    accustom(&remote);
    let events = queue();
    (7000..7010).for_each(|id| drop(submit(&remote, &events, id)));
    wait_until("a merged request goes out, or the first one alone", || questions(&server) > 150);
    release.store(true, Ordering::SeqCst);
    (0..10).for_each(|_| assert!(outcome(next(&events)).1.is_ok()));
    assert!(figures(&remote)["requests_merged"].as_u64().unwrap() > 0);
    let seen = server.seen();
    let merged: Vec<&Vec<u8>> = seen.iter().filter(|seen| rows_of(seen) > 1).map(|seen| &seen.body).collect();
    let different: HashSet<_> = merged.iter().collect();
    assert_eq!(merged.len(), different.len(), "one of them came twice");
}

#[test]
fn extra_requests_stay_within_the_percentage() {
    let counted = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        // Every second one is slow: far more than may be sent twice.
        match counted.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => [vec![Step::Wait(std::time::Duration::from_millis(2))], served(seen)].concat(),
            _ => served(seen),
        }
    });
    let remote = Remote::open(&config(&server.url(), &[("hedge_percent", "5")])).unwrap();
    (0..1000).for_each(|id| call(&remote, id).unwrap());
    let now = figures(&remote);
    assert!(now["hedges"].as_u64().unwrap() <= 10 + 50, "{now}");
    assert_eq!(now["attempts"].as_u64().unwrap(), 1000 + now["hedges"].as_u64().unwrap());
    assert_eq!(questions(&server) as u64, now["attempts"].as_u64().unwrap());
}

#[test]
fn nothing_goes_out_twice_while_the_pool_is_full() {
    let server = ignoring(&[7000], || vec![Step::Wait(std::time::Duration::from_millis(300)), Step::Close]);
    let remote = Remote::open(&config(&server.url(), &[HEDGED, ("connection_pool_size", "1")])).unwrap();
    accustom(&remote);
    call(&remote, 7000).unwrap();
    let now = figures(&remote);
    assert_eq!(now["hedges"], 0);
    assert!(now["hedges_refused"].as_u64().unwrap() >= 1, "{now}");
}

#[test]
fn a_call_with_two_attempts_on_the_wire_can_be_cancelled_and_closed() {
    let server = Server::start(|seen| match id_of(seen) {
        Some(7000..) => vec![Step::Stall],
        _ => served(seen),
    });
    let remote = Remote::open(&config(&server.url(), &[HEDGED, ("request_timeout_ms", "0")])).unwrap();
    accustom(&remote);
    let events = queue();
    let handle = submit(&remote, &events, 7000);
    wait_until("it went out twice", || figures(&remote)["hedges"].as_u64().unwrap() >= 1);
    handle.cancel();
    assert_eq!(code(next(&events)), Code::Cancelled);
    let before = figures(&remote)["hedges"].as_u64().unwrap();
    submit(&remote, &events, 7001);
    wait_until("it went out twice", || figures(&remote)["hedges"].as_u64().unwrap() > before);
    remote.close();
    assert_eq!(code(next(&events)), Code::Closed);
    drop(remote);
    wait_until("nothing is open", || server.open() == 0);
}

#[test]
fn a_stopped_server_is_set_aside_although_no_attempt_runs_out_of_time() {
    let stopped = Arc::new(AtomicBool::new(false));
    let stops = Arc::clone(&stopped);
    let server = Server::start(move |seen| match stops.load(Ordering::SeqCst) {
        true => vec![Step::Stall],
        false => served(seen),
    });
    let other = healthy();
    let remote = several(&[&server, &other], &[HEDGED, ("balance", "in_order")]);
    accustom(&remote);
    stopped.store(true, Ordering::SeqCst);
    wait_until("it is set aside", || {
        call(&remote, 1).unwrap();
        figures(&remote)["servers_set_aside"] == 1
    });
    assert_eq!(figures(&remote)["calls_failed"], 0);
}

#[test]
fn a_hedge_that_finds_nobody_does_no_harm() {
    let slow = Server::start(|seen| match id_of(seen) {
        Some(7000) => [vec![Step::Wait(std::time::Duration::from_millis(100))], served(seen)].concat(),
        _ => served(seen),
    });
    let urls = format!("{},{}", slow.url(), nobody());
    let remote = Remote::open(&config(&urls, &[HEDGED, ("balance", "in_order")])).unwrap();
    accustom(&remote);
    call(&remote, 7000).unwrap();
    let now = figures(&remote);
    assert_eq!((&now["calls_failed"], &now["hedges_won"]), (&0.into(), &0.into()), "{now}");
}
