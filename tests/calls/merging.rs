//! Concurrent calls that ask the same question go out in one request, and each gets what it would have got alone.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::events::{code, next, nothing_comes, outcome, queue};
use crate::support::server::{Seen, Server, Step, answer, features_of, reply, say};
use crate::support::store::{ask, ask_for, call, figures, open};
use crate::support::wait::wait_until;
use feast_remote::columns::{Dense, Matrix};
use feast_remote::error::Code;
use feast_remote::remote::{CallHandle, EventQueue, Remote};
use feast_remote::wire::request::Request;
use serde_json::Value;

mod leaving;
mod log;

/// The ids that a request asks for.
fn ids(seen: &Seen) -> Vec<i64> {
    let question: Value = serde_json::from_slice(&seen.body).unwrap();
    question["entities"]["id"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect()
}

/// What the requests of a server asked for, from its second one on.
fn requests(server: &Server) -> Vec<Vec<i64>> {
    server.seen().iter().skip(1).map(ids).collect()
}

/// A server, and a store that merges; calls gather while the server holds its request for id 1 back.
struct Gathering {
    server: Server,
    remote: Remote,
    queue: Arc<EventQueue>,
    hold: Arc<AtomicBool>,
}

const MERGED: [(&str, &str); 3] =
    [("merge_max_rows", "64"), ("merge_in_flight", "1"), ("merge_check", "false")];

impl Gathering {
    fn new(keys: &[(&str, &str)], answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Gathering {
        let hold = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&hold);
        let server = Server::start(move |seen| match ids(seen).as_slice() {
            // So that calls are patient: another request would go out when one takes twice as long as usual.
            [0] => [vec![Step::Wait(Duration::from_millis(500))], say(200, features_of(&seen.body))].concat(),
            [1] => [vec![Step::Until(Arc::clone(&held))], say(200, features_of(&seen.body))].concat(),
            _ => answer(seen),
        });
        let remote = open(&server, &[&MERGED, keys].concat());
        call(&remote, 0).unwrap();
        Gathering { server, remote, queue: queue(), hold }
    }

    fn submit(&self, id: i64) -> CallHandle {
        self.submit_request(&ask(id), id)
    }

    fn submit_request(&self, request: &Request, id: i64) -> CallHandle {
        self.remote.submit(request, &self.queue, id as usize).unwrap()
    }

    /// Sends the request that the others wait for.
    fn begin(&self) {
        self.submit(1);
        wait_until("the first request is under way", || self.server.requests() == 2);
    }

    /// Lets it be answered, and takes its event.
    fn release(&self) {
        self.hold.store(true, Ordering::SeqCst);
    }

    /// The calls with these ids gather, go out, and end: how each did.
    fn all_of(&self, ids: &[i64]) -> Vec<(i64, Result<(), feast_remote::error::Error>)> {
        self.begin();
        ids.iter().for_each(|&id| drop(self.submit(id)));
        self.release();
        let mut outcomes: Vec<_> = (0..=ids.len())
            .map(|_| outcome(next(&self.queue)))
            .map(|(id, outcome)| (id as i64, outcome))
            .filter(|(id, _)| *id != 1)
            .collect();
        outcomes.sort_by_key(|(id, _)| *id);
        self.rests();
        outcomes
    }

    /// Nothing is left in a counter.
    fn rests(&self) {
        let figures = figures(&self.remote);
        for counter in ["async_requests", "waiting_calls", "connections_in_use"] {
            assert_eq!(figures[counter], 0, "{counter}");
        }
        assert!(nothing_comes(&self.queue));
    }
}

#[test]
fn calls_that_gather_go_out_together_in_the_order_of_their_arrival() {
    let gathering = Gathering::new(&[], answer);
    for (id, outcome) in gathering.all_of(&[5, 2, 4, 3]) {
        outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
    }
    assert_eq!(requests(&gathering.server), [vec![1], vec![5, 2, 4, 3]]);
    let figures = figures(&gathering.remote);
    let counted = ["calls", "attempts", "calls_merged", "requests_merged", "merged_rows", "merge_splits"];
    assert_eq!(counted.map(|name| figures[name].as_u64().unwrap()), [6, 3, 4, 1, 4, 0]);
}

#[test]
fn an_answer_tells_with_how_many_calls_it_came() {
    let gathering = Gathering::new(&[], answer);
    gathering.begin();
    [7, 8, 9].iter().for_each(|&id| drop(gathering.submit(id)));
    gathering.release();
    for _ in 0..4 {
        let event = next(&gathering.queue);
        let calls = if event.tag() == 1 { 1 } else { 3 };
        assert_eq!(event.into_response().unwrap().calls_in_request(), calls);
    }
}

/// A matrix of one row.
struct Row([f32; 2]);

impl Matrix<f32> for Row {
    fn put(&mut self, at: usize, value: f32) {
        self.0[at] = value;
    }
    fn put_status(&mut self, _at: usize, _status: u8) {}
}

#[test]
fn blocking_calls_and_matrices_are_merged_too() {
    let gathering = Arc::new(Gathering::new(&[], answer));
    gathering.begin();
    let threads: Vec<_> = (2..8)
        .map(|id| {
            let gathering = Arc::clone(&gathering);
            thread::spawn(move || {
                if id % 2 == 0 {
                    return call(&gathering.remote, id).unwrap();
                }
                let mut row = Row([0.0; 2]);
                let mut dense = Dense { out: &mut row, statuses: false, row_stride: 2, missing: f32::NAN };
                gathering.remote.get_online_features_into(&ask(id), &mut dense).unwrap();
                assert_eq!(row.0, [1000.0 * id as f32, 1000.0 * id as f32 + 1.0]);
            })
        })
        .collect();
    wait_until("they gather", || figures(&gathering.remote)["async_requests"] == 7);
    gathering.release();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let asked: Vec<BTreeSet<i64>> =
        requests(&gathering.server).into_iter().map(|ids| ids.into_iter().collect()).collect();
    assert_eq!(asked, [BTreeSet::from([1]), (2..8).collect()]);
}

#[test]
fn a_caller_alone_asks_on_its_own_thread() {
    let server = Server::start(answer);
    let remote = open(&server, &MERGED);
    (1..50).for_each(|id| call(&remote, id).unwrap());
    let figures = figures(&remote);
    assert_eq!(
        (&figures["requests_merged"], &figures["merge_wait_latency"]["count"]),
        (&0.into(), &0.into())
    );
    assert_eq!(figures["attempts"], 49);
}

#[test]
fn requests_that_differ_never_share_one() {
    let gathering = Gathering::new(&[], |seen| match ids_or_none(seen) {
        Some(_) => answer(seen),
        None => say(422, "\"no integers\""),
    });
    gathering.begin();
    let mut json = ask(0);
    json.set_entity_json("id", "[20]").unwrap();
    let mut unmerged = ask(21);
    unmerged.set_merge(false);
    let mut other = Request::default();
    other.add_feature("v:b").unwrap();
    other.set_entity_int64("id", &[22]).unwrap();
    let mut full = ask(23);
    full.set_full_feature_names(true);
    let mut doubles = ask(24);
    doubles.set_entity_double("id", &[24.5]).unwrap();
    let mut more = ask(25);
    more.set_entity_int64("other", &[1]).unwrap();
    let too_many = ask_for(&(100..133).collect::<Vec<_>>());
    let requests = [json, unmerged, other, full, doubles, more, too_many];
    for (tag, request) in requests.iter().enumerate() {
        for _ in 0..2 {
            gathering.submit_request(request, 50 + tag as i64);
        }
    }
    wait_until("those that need not wait have come", || gathering.server.requests() >= 9);
    gathering.release();
    (0..15).for_each(|_| drop(next(&gathering.queue)));
    for seen in gathering.server.seen() {
        let question: Value = serde_json::from_slice(&seen.body).unwrap();
        let rows = question["entities"]["id"].as_array().unwrap();
        let kinds: BTreeSet<bool> = rows.iter().map(Value::is_i64).collect();
        assert_eq!(kinds.len(), 1, "{question}");
        if question["full_feature_names"] == false && question["features"].as_array().unwrap().len() == 2 {
            let alone = [20, 21].iter().any(|id| rows.contains(&Value::from(*id)));
            assert!(!alone || rows.len() == 1, "{question}");
            assert!(rows.len() != 34 && rows.len() != 66, "{question}");
        }
    }
}

#[test]
fn questions_that_are_asked_once_take_no_room_from_those_that_are_merged() {
    let gathering = Gathering::new(&[], answer);
    let question = |number: i64, id: i64| {
        let mut request = ask(id);
        request.add_feature(&format!("v:feature_{number}")).unwrap();
        request
    };
    // More than are known at a time.
    for number in 0..300 {
        gathering.submit_request(&question(number, 2), 2);
        outcome(next(&gathering.queue)).1.unwrap();
    }
    // Those asked for last are forgotten as soon as their lines are looked at again.
    wait_until("calls for a new question are merged", || {
        (2..20).for_each(|id| drop(gathering.submit_request(&question(1000, id), id)));
        (2..20).for_each(|_| outcome(next(&gathering.queue)).1.unwrap());
        figures(&gathering.remote)["calls_merged"] != 0
    });
    gathering.rests();
}

#[test]
fn calls_of_stores_with_different_tokens_never_share_a_request() {
    let server = Server::start(|seen| {
        [vec![Step::Wait(Duration::from_millis(1))], say(200, features_of(&seen.body))].concat()
    });
    let stores = ["token-of-0", "token-of-1"].map(|token| {
        let remote = open(&server, &MERGED);
        remote.set_token(token).unwrap();
        remote
    });
    let queue = queue();
    let merged = |remote: &Remote| figures(remote)["calls_merged"] != 0;
    wait_until("both have merged calls", || {
        for id in 0..40 {
            drop(stores[id % 2].submit(&ask(id as i64), &queue, id).unwrap());
        }
        (0..40).for_each(|_| outcome(next(&queue)).1.unwrap());
        stores.iter().all(merged)
    });
    for seen in server.seen() {
        let token = seen.headers["authorization"].strip_prefix("Bearer token-of-").unwrap();
        assert!(ids(&seen).iter().all(|id| (id % 2).to_string() == token), "{token}: {:?}", ids(&seen));
    }
}

fn ids_or_none(seen: &Seen) -> Option<Vec<i64>> {
    let question: Value = serde_json::from_slice(&seen.body).unwrap();
    question["entities"]["id"].as_array()?.iter().map(Value::as_i64).collect()
}

/// Ids that a server refuses.
const BAD: std::ops::Range<i64> = 880_013..880_020;

/// A server that refuses whoever asks for one of these, quoting all that was asked for.
fn refuses(status: u16) -> impl Fn(&Seen) -> Vec<Step> {
    move |seen| {
        if !ids(seen).iter().any(|id| BAD.contains(id)) {
            return answer(seen);
        }
        let quoted = String::from_utf8_lossy(&seen.body).replace('"', "'");
        match status {
            422 => say(422, format!(r#"{{"detail":[{{"loc":["body"],"msg":"bad","input":"{quoted}"}}]}}"#)),
            _ => say(status, format!("\"invalid literal for int() in {quoted}\"")),
        }
    }
}

#[test]
fn a_poisoned_row_costs_the_others_nothing_and_nobody_sees_a_strangers_value() {
    for status in [500, 422, 400] {
        for poisoned in [&[0][..], &[2], &[5], &[1, 4], &[0, 1, 2, 3, 4, 5]] {
            let keys = [("retry_application_errors", "never")];
            let gathering = Gathering::new(&keys, refuses(status));
            let asked: Vec<i64> =
                (0..6).map(|at| if poisoned.contains(&at) { BAD.start + at } else { 770_030 + at }).collect();
            for (id, outcome) in gathering.all_of(&asked) {
                if !BAD.contains(&id) {
                    outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
                    continue;
                }
                let error = outcome.unwrap_err();
                assert_eq!(error.http_status, status, "{error}");
                for other in asked.iter().filter(|&&other| other != id) {
                    assert!(!error.message.contains(&other.to_string()), "{id}: {error}");
                }
                assert!(error.message.contains(&id.to_string()) || status == 422, "its own words: {error}");
            }
            let asked_in_all = requests(&gathering.server).len() - 1;
            assert!(asked_in_all <= asked.len() + 3, "{asked_in_all} requests for {} calls", asked.len());
        }
    }
}

#[test]
fn one_bad_row_sends_the_calls_of_the_next_second_out_alone() {
    let gathering = Gathering::new(&[("retry_application_errors", "never")], refuses(500));
    gathering.all_of(&[2, BAD.start, 3, 4]);
    let before = gathering.server.requests();
    (30..40).for_each(|id| drop(gathering.submit(id)));
    (30..40).for_each(|_| outcome(next(&gathering.queue)).1.unwrap());
    assert_eq!(gathering.server.requests() - before, 10);
    let figures = figures(&gathering.remote);
    assert_eq!((&figures["merge_splits"], &figures["calls_merged"]), (&2.into(), &2.into()));
}

#[test]
fn a_feast_error_is_everybodys() {
    let body = r#""{\"module\": \"feast.errors\", \"class\": \"FeatureViewNotFoundException\", \"message\": \"v\"}""#;
    let gathering = Gathering::new(&[], move |_| say(404, body));
    for (_, outcome) in gathering.all_of(&[2, 3, 4]) {
        let error = outcome.unwrap_err();
        assert_eq!((error.code, error.http_status), (Code::NotFound, 404));
        assert_eq!(error.feast_class.as_deref(), Some("FeatureViewNotFoundException"));
    }
    assert_eq!(requests(&gathering.server).len(), 2);
}

#[test]
fn a_server_in_trouble_is_asked_again_once_for_all_and_paid_for_once() {
    let met = AtomicUsize::new(0);
    let gathering = Gathering::new(&[], move |seen| match met.fetch_add(1, Ordering::SeqCst) {
        0 => vec![Step::Send(reply(503, &[], "\"busy 2 3 4\""))],
        _ => answer(seen),
    });
    for (_, outcome) in gathering.all_of(&[2, 3, 4]) {
        outcome.unwrap();
    }
    let figures = figures(&gathering.remote);
    assert_eq!((&figures["retries_status"], &figures["retry_budget_tokens"]), (&1.into(), &496.into()));
    assert_eq!(requests(&gathering.server), [vec![1], vec![2, 3, 4], vec![2, 3, 4]]);
}

#[test]
fn what_a_server_in_trouble_says_of_others_is_not_shown() {
    let gathering = Gathering::new(&[("connection_retries", "0")], |seen| {
        vec![Step::Send(reply(503, &[], format!("\"busy with {:?}\"", ids(seen))))]
    });
    for (_, outcome) in gathering.all_of(&[2222, 3333]) {
        let error = outcome.unwrap_err();
        assert_eq!((error.code, error.http_status, error.attempts), (Code::Server, 503, 1));
        assert!(!error.message.contains("2222") && !error.message.contains("3333"), "{error}");
    }
}

#[test]
fn an_answer_with_other_than_the_rows_asked_for_is_nobodys() {
    let gathering = Gathering::new(&[], |seen| match ids(seen).as_slice() {
        [_] => answer(seen),
        // One value for all of the rows, as a singleton view makes it.
        [first, ..] => {
            let one = format!(r#"{{"features":["v:a","v:b"],"entities":{{"id":[{first}]}}}}"#);
            say(200, features_of(one.as_bytes()))
        }
        [] => say(500, ""),
    });
    for (id, outcome) in gathering.all_of(&[2, 3, 4]) {
        outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
    }
}

#[test]
fn who_is_cancelled_or_late_leaves_the_others_unharmed() {
    let answered = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&answered);
    let gathering = Gathering::new(&[], move |seen| {
        [vec![Step::Until(Arc::clone(&until))], say(200, features_of(&seen.body))].concat()
    });
    let late = |id, milliseconds| {
        let mut request = ask(id);
        request.set_timeout(Duration::from_millis(milliseconds));
        gathering.submit_request(&request, id);
    };
    gathering.begin();
    // In line.
    gathering.submit(2);
    let cancelled = gathering.submit(3);
    late(4, 50);
    gathering.submit(5);
    cancelled.cancel();
    let start = Instant::now();
    assert_eq!(code(next(&gathering.queue)), Code::Cancelled);
    let event = next(&gathering.queue);
    let error = event.into_response().unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.contains("waited to be merged with others (merge_max_rows)"), "{error}");
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "before the request that it waited for was answered"
    );
    // On the wire.
    late(6, 400);
    let cancelled = gathering.submit(7);
    gathering.release();
    wait_until("they are on the wire", || gathering.server.requests() == 3);
    assert_eq!(outcome(next(&gathering.queue)), (1, Ok(())));
    cancelled.cancel();
    assert_eq!(code(next(&gathering.queue)), Code::Cancelled);
    let error = next(&gathering.queue).into_response().unwrap_err();
    assert_eq!((error.code, error.attempts), (Code::Timeout, 1), "{error}");
    answered.store(true, Ordering::SeqCst);
    assert_eq!(outcome(next(&gathering.queue)), (2, Ok(())));
    assert_eq!(outcome(next(&gathering.queue)), (5, Ok(())));
    assert_eq!(requests(&gathering.server)[1], [2, 5, 6, 7]);
    gathering.rests();
}

#[test]
fn when_all_have_left_a_merged_request_is_given_up() {
    let gathering = Gathering::new(&[], |_| vec![Step::Stall]);
    gathering.begin();
    let calls = [2, 3].map(|id| gathering.submit(id));
    gathering.release();
    wait_until("they are on the wire", || gathering.server.requests() == 3);
    assert_eq!(outcome(next(&gathering.queue)), (1, Ok(())));
    calls.iter().for_each(CallHandle::cancel);
    assert_eq!([code(next(&gathering.queue)), code(next(&gathering.queue))], [Code::Cancelled; 2]);
    wait_until("the request is given up", || figures(&gathering.remote)["connections_in_use"] == 0);
    gathering.rests();
}

#[test]
fn closing_ends_those_who_wait_and_those_on_the_wire() {
    for on_the_wire in [false, true] {
        let gathering = Gathering::new(&[], |_| vec![Step::Stall]);
        gathering.begin();
        [2, 3, 4].iter().for_each(|&id| drop(gathering.submit(id)));
        if on_the_wire {
            gathering.release();
            assert_eq!(outcome(next(&gathering.queue)), (1, Ok(())));
            wait_until("they are on the wire", || gathering.server.requests() == 3);
        }
        gathering.remote.close();
        for _ in 0..if on_the_wire { 3 } else { 4 } {
            assert_eq!(code(next(&gathering.queue)), Code::Closed);
        }
    }
}

#[test]
fn a_freed_queue_takes_its_calls_along_and_no_others() {
    let gathering = Gathering::new(&[], answer);
    gathering.begin();
    let doomed = queue();
    gathering.submit(2);
    gathering.remote.submit(&ask(3), &doomed, 3).unwrap();
    gathering.submit(4);
    doomed.close();
    wait_until("its call is gone", || figures(&gathering.remote)["async_requests"] == 3);
    gathering.release();
    (0..3).for_each(|_| outcome(next(&gathering.queue)).1.unwrap());
    assert_eq!(requests(&gathering.server), [vec![1], vec![2, 4]]);
    gathering.rests();
}

#[test]
fn a_request_that_hangs_does_not_hold_the_others() {
    let server = Server::start(|seen| match ids(seen).as_slice() {
        [666] => vec![Step::Stall],
        _ => answer(seen),
    });
    let remote = open(&server, &MERGED);
    let (hung, queue) = (queue(), queue());
    remote.submit(&ask(666), &hung, 666).unwrap();
    wait_until("it hangs", || server.requests() == 1);
    (0..20).for_each(|id| drop(remote.submit(&ask(id), &queue, id as usize).unwrap()));
    (0..20).for_each(|_| outcome(next(&queue)).1.unwrap());
    (0..20).for_each(|id| call(&remote, id).unwrap());
}

#[test]
fn a_question_is_merged_only_after_its_merged_answers_were_seen_to_be_the_same() {
    let server = Server::start(|seen| {
        [vec![Step::Wait(Duration::from_millis(5))], say(200, features_of(&seen.body))].concat()
    });
    let remote = open(&server, &[("merge_max_rows", "64"), ("merge_in_flight", "1")]);
    let queue = queue();
    for round in 0..20 {
        (0..8).for_each(|id| drop(remote.submit(&ask(8 * round + id), &queue, (8 * round + id) as usize)));
        for _ in 0..8 {
            let event = next(&queue);
            let early = event.tag() < 8;
            let response = event.into_response().unwrap();
            assert!(!early || response.calls_in_request() == 1, "not before the first check");
        }
    }
    let figures = figures(&remote);
    assert_eq!((&figures["merge_checks"], &figures["merge_refused"]), (&2.into(), &0.into()));
    assert!(figures["calls_merged"].as_u64().unwrap() > 50, "{figures}");
}

#[test]
fn a_question_whose_rows_depend_on_each_other_is_never_merged() {
    // The first feature is the row's place in its request, as a view that ranks makes it.
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start(|seen| {
        let ranks: Vec<String> = (0..ids(seen).len()).map(|rank| rank.to_string()).collect();
        let values = ranks.join(",");
        let text = format!(
            r#"{{"metadata":{{"feature_names":["id","a","b"]}},"results":[{{"values":{:?}}},{{"values":[{values}]}},{{"values":[{values}]}}]}}"#,
            ids(seen)
        );
        [vec![Step::Wait(Duration::from_millis(2))], say(200, text)].concat()
    });
    let remote = Arc::new(open(&server, &[("merge_max_rows", "64"), ("merge_in_flight", "1")]));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let (remote, wrong) = (Arc::clone(&remote), Arc::clone(&wrong));
            thread::spawn(move || {
                for round in 0..40 {
                    let response = remote.get_online_features(&ask(100 * thread + round)).unwrap();
                    if response.int64(1).unwrap() != [0] || response.calls_in_request() != 1 {
                        wrong.lock().unwrap().push(round);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(wrong.lock().unwrap().is_empty(), "{:?}", wrong.lock().unwrap());
    let figures = figures(&remote);
    assert_eq!((&figures["merge_refused"], &figures["merge_checks"]), (&1.into(), &2.into()));
}

#[test]
fn calls_in_parts_are_not_merged() {
    let gathering = Gathering::new(&[("max_rows_per_request", "2")], answer);
    gathering.begin();
    gathering.submit_request(&ask_for(&[40, 41, 42, 43]), 40);
    gathering.submit_request(&ask_for(&[50, 51]), 50);
    gathering.submit(60);
    wait_until("the parts went out at once", || gathering.server.requests() == 4);
    gathering.release();
    (0..4).for_each(|_| drop(next(&gathering.queue).into_response().unwrap()));
    let asked: BTreeSet<Vec<i64>> = requests(&gathering.server).into_iter().collect();
    assert_eq!(asked, BTreeSet::from([vec![1], vec![40, 41], vec![42, 43], vec![50, 51, 60]]));
}

/// With FEAST_MERGED_CALLS=1000000 as many calls.
#[test]
fn no_row_of_many_threads_is_mixed_up_while_the_server_misbehaves() {
    let calls: usize = std::env::var("FEAST_MERGED_CALLS").map_or(20_000, |text| text.parse().unwrap());
    let server = Server::start(|seen| match seen.number % 97 {
        11 => vec![Step::Send(reply(503, &[], "\"busy\""))],
        23 => vec![Step::Reset],
        41 => [vec![Step::Wait(Duration::from_millis(30))], say(200, features_of(&seen.body))].concat(),
        59 => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"results\":".to_vec()),
            Step::Close,
        ],
        _ => answer(seen),
    });
    let keys = [("merge_max_rows", "64"), ("merge_check", "false"), ("retry_backoff_factor", "0.001")];
    let remote = Arc::new(open(&server, &keys));
    let ended = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..64i64)
        .map(|thread| {
            let (remote, ended) = (Arc::clone(&remote), Arc::clone(&ended));
            thread::spawn(move || {
                for round in 0..calls as i64 / 64 {
                    let id = 100_000 * thread + round;
                    let mut request = ask(id);
                    let random = (id as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                    request.set_timeout(Duration::from_millis(2 + random % 60));
                    match remote.get_online_features(&request) {
                        Ok(response) => {
                            assert_eq!(response.int64(0).unwrap(), [id], "a stranger's row");
                            assert_eq!(response.int64(1).unwrap(), [1000 * id]);
                        }
                        Err(error) => assert!(
                            [Code::Timeout, Code::Overloaded, Code::Io, Code::Server].contains(&error.code),
                            "{error}"
                        ),
                    }
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(ended.load(Ordering::Relaxed), calls / 64 * 64);
    wait_until("nothing is under way", || figures(&remote)["async_requests"] == 0);
    let figures = figures(&remote);
    assert_eq!((&figures["waiting_calls"], &figures["connections_in_use"]), (&0.into(), &0.into()));
    assert!(figures["calls_merged"].as_u64().unwrap() > calls as u64 / 4, "{figures}");
}

#[test]
fn callers_who_come_back_at_once_do_not_split_into_one_and_the_rest() {
    let server = Server::start(|seen| {
        [vec![Step::Wait(Duration::from_millis(3))], say(200, features_of(&seen.body))].concat()
    });
    let remote = Arc::new(open(&server, &MERGED));
    let threads: Vec<_> = (0..16)
        .map(|thread| {
            let remote = Arc::clone(&remote);
            thread::spawn(move || (0..40).for_each(|round| call(&remote, 100 * thread + round).unwrap()))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let asked = requests(&server);
    let alone = asked.iter().filter(|ids| ids.len() == 1).count();
    assert!(3 * alone < asked.len(), "{alone} of {} requests were for one call", asked.len());
}
