//! Where the time of a call went: phases that make its total.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::events::{next, queue, submit};
use crate::support::server::{Server, Step, answer, say};
use crate::support::store::{ask, ask_for, config, open};
use feast_remote::columns::Response;
use feast_remote::remote::Remote;
use feast_remote::timing::Timing;

/// A server that takes 20 ms for the first byte of an answer and 10 ms for the rest.
fn slow() -> Server {
    Server::start(|seen| {
        let mut steps = answer(seen);
        let Some(Step::Send(whole)) = steps.pop() else { return steps };
        let (first, rest) = whole.split_at(whole.len() / 2);
        let wait = |ms| Step::Wait(Duration::from_millis(ms));
        vec![wait(20), Step::Send(first.to_vec()), wait(10), Step::Send(rest.to_vec())]
    })
}

fn adds_up(timing: &Timing) {
    let (phases, total) = (timing.phases() as f64, timing.total_us as f64);
    assert!((phases - total).abs() <= total * 0.05, "{timing:?}: {phases} of {total} µs");
}

fn is_slow(response: &Response, rows: u64) {
    let timing = response.timing();
    adds_up(timing);
    assert!(timing.first_byte_us >= 20_000 && timing.transfer_us >= 9_000, "{timing:?}");
    assert_eq!((timing.attempts, timing.http_status), (1, 200));
    assert!(timing.bytes_sent > 50 && timing.bytes_received > 100 * rows, "{timing:?}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
    assert!((0..60_000_000_000).contains(&(now - timing.start_unix_ns)), "{timing:?}");
}

#[test]
fn the_phases_of_blocking_asynchronous_and_split_calls_make_their_totals() {
    let server = slow();
    let remote = open(&server, &[]);
    let first = remote.get_online_features(&ask(1)).unwrap();
    is_slow(&first, 1);
    assert!(first.timing().new_connection && !first.timing().reused && first.timing().connect_us > 0);
    let second = remote.get_online_features(&ask(1)).unwrap();
    is_slow(&second, 1);
    assert!(second.timing().reused && second.timing().connect_us == 0, "{:?}", second.timing());
    let queue = queue();
    submit(&remote, &queue, 1);
    is_slow(&next(&queue).into_response().unwrap(), 1);
    let parts = open(&server, &[("max_rows_per_request", "2")]);
    is_slow(&parts.get_online_features(&ask_for(&[1, 2, 3, 4])).unwrap(), 2);
}

#[test]
fn a_call_that_waits_for_a_connection_says_how_long() {
    let server = slow();
    let remote = open(&server, &[("connection_pool_size", "1")]);
    let waits = thread::scope(|scope| {
        let calls: Vec<_> = (0..3)
            .map(|id| {
                scope.spawn({
                    let remote = &remote;
                    move || *remote.get_online_features(&ask(id)).unwrap().timing()
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect::<Vec<_>>()
    });
    waits.iter().for_each(adds_up);
    assert!(waits.iter().any(|timing| timing.queue_us >= 50_000), "{waits:?}");
}

#[test]
fn merged_calls_tell_their_wait_and_their_company() {
    let server = slow();
    let keys = [("merge_max_rows", "64"), ("merge_in_flight", "1"), ("merge_check", "false")];
    let remote = open(&server, &keys);
    let queue = queue();
    (0..8).for_each(|id| drop(submit(&remote, &queue, id)));
    let timings: Vec<Timing> = (0..8).map(|_| *next(&queue).into_response().unwrap().timing()).collect();
    timings.iter().for_each(adds_up);
    let merged = timings.iter().filter(|timing| timing.calls_in_request > 1);
    assert!(
        merged.clone().count() > 0 && merged.clone().all(|timing| timing.merge_wait_us > 0),
        "{timings:?}"
    );
}

#[test]
fn retries_and_failures_are_accounted_for() {
    let server = Server::start(|seen| match seen.number {
        0 => [vec![Step::Wait(Duration::from_millis(30))], say(503, "")].concat(),
        1 => answer(seen),
        _ => [vec![Step::Wait(Duration::from_millis(30))], say(404, "")].concat(),
    });
    let remote =
        Remote::open(&config(&server.url(), &[("retry_backoff_factor", "0.02"), ("retry_jitter", "0")]))
            .unwrap();
    let retried = *remote.get_online_features(&ask(1)).unwrap().timing();
    adds_up(&retried);
    assert!(retried.attempts == 2 && retried.retries_us >= 30_000, "{retried:?}");
    let error = remote.get_online_features(&ask(1)).unwrap_err();
    let failed = *error.timing.unwrap();
    adds_up(&failed);
    assert!(failed.http_status == 404 && failed.total_us >= 30_000 && failed.attempts == 1, "{failed:?}");
    assert_eq!(
        Remote::open(&config(&server.url(), &[]))
            .unwrap()
            .get_online_features(&Default::default())
            .unwrap_err()
            .timing,
        None
    );
}
