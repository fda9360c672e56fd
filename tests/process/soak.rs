//! Many threads, two of them with event loops, against a server that does everything wrong at random, for as long as asked: `make soak` takes
//! ten minutes, the test suite a few seconds (FEAST_SOAK_SECONDS).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::alone;
use crate::figures::{descriptors, resident_bytes};
use crate::support::server::{Seen, Server, Step, Welcome, answer, chunks, features_of, gzip, reply, say};
use crate::support::store::figures;
use feast_remote::columns::Response;
use feast_remote::config::Config;
use feast_remote::error::{Code, Error};
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::{CallHandle, EventQueue, Remote};
use feast_remote::wire::request::Request;

const THREADS: usize = 64;
const POOL: usize = 12;
const TIMEOUT: Duration = Duration::from_millis(400);
/// What a call may be late on a busy machine before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pseudo-random numbers (splitmix64), different for each request and repeatable.
fn roll(number: usize) -> u64 {
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn welcome(connection: usize) -> Welcome {
    match roll(connection) % 20 {
        0 => Welcome::Reset,
        1 => Welcome::Late(Duration::from_millis(30)),
        2..6 => Welcome::IdleLimit(Duration::from_millis(5)),
        _ => Welcome::Serve,
    }
}

/// Two of three requests are answered well; the others meet every fault there is.
fn faults(seen: &Seen) -> Vec<Step> {
    let dice = roll(seen.number);
    let whole = || reply(200, &[], features_of(&seen.body));
    let part = |divisor: usize| {
        let bytes = whole();
        bytes[..bytes.len() / divisor].to_vec()
    };
    let short = Duration::from_millis(dice >> 32 & 31);
    match dice % 64 {
        0 => vec![Step::Reset],
        1 => vec![Step::Close],
        2 => vec![Step::Send(part(10)), Step::Reset],
        3 => vec![Step::Send(part(2)), Step::Reset],
        4 => vec![Step::Send(part(2)), Step::Close],
        5 => vec![Step::Send(whole()), Step::Reset],
        6 => vec![Step::Send(whole()), Step::Close],
        7 => vec![Step::Send(whole()), Step::HalfClose, Step::Stall],
        8 => vec![Step::Stall],
        9 => vec![Step::Send(part(2)), Step::Stall],
        10 => vec![Step::Wait(short), Step::Send(whole())],
        11 => vec![Step::Drip { bytes: whole(), count: 40, every: Duration::from_millis(1) }],
        12 => vec![Step::Send(reply(503, &[("Retry-After", "0")], "\"busy\""))],
        13 => say(500, "\"Internal Server Error\""),
        14 => vec![Step::Send(reply(429, &[("Retry-After", "garbage")], ""))],
        15 => say(200, "{\"results\":"),
        16 => vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n{".to_vec()), Step::Close],
        17 => vec![Step::Send(b"no HTTP at all\r\n\r\n".to_vec()), Step::Close],
        18 => vec![Step::Send(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()), Step::Send(whole())],
        19 => vec![Step::Flood { bytes: vec![b'x'; 4096], total: 1 << 20 }, Step::Close],
        20 => {
            let mut text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            text.extend(chunks(features_of(&seen.body).as_bytes(), 7));
            vec![Step::Send(text)]
        }
        21 => {
            let body = features_of(&seen.body);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len() - 7);
            vec![Step::Send((head + &body).into_bytes())]
        }
        22 => vec![
            Step::Send(format!("HTTP/1.1 200 OK\r\n\r\n{}", features_of(&seen.body)).into_bytes()),
            Step::Close,
        ],
        23 => say(200, "[".repeat(10_000)),
        24 => vec![Step::Send(reply(503, &[("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")], ""))],
        25 => vec![Step::Send(reply(
            200,
            &[("Content-Encoding", "gzip")],
            gzip(features_of(&seen.body).as_bytes()),
        ))],
        _ => answer(seen),
    }
}

#[derive(Default)]
struct Tally {
    /// Stores that are not closed may not say so.
    closed: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
}

const MAY_HAPPEN: [Code; 8] = [
    Code::Overloaded,
    Code::Timeout,
    Code::Connect,
    Code::Io,
    Code::Server,
    Code::Throttled,
    Code::Decode,
    Code::Cancelled,
];

/// The rows of a call vary, so that a mixed-up answer cannot fit by chance.
fn ids_of(id: i64) -> Vec<i64> {
    (0..=id % 3).map(|row| id + row).collect()
}

fn check(id: i64, outcome: Result<Response, Error>, tally: &Tally) {
    match outcome {
        Ok(response) => {
            let ids = ids_of(id);
            assert_eq!(response.int64(0).unwrap(), ids, "an answer to another question");
            let expected: Vec<i64> = ids.iter().map(|id| 1000 * id + 1).collect();
            assert_eq!(response.int64(2).unwrap(), expected);
            tally.answered.fetch_add(1, Ordering::Relaxed);
        }
        Err(error) => {
            assert!(MAY_HAPPEN.contains(&error.code) || error.code == Code::Closed, "{error}");
            tally.closed.fetch_add(u64::from(error.code == Code::Closed), Ordering::Relaxed);
            tally.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A thread with a queue and many calls in flight, some of which it cancels.
fn event_loop(
    store: impl Fn() -> Arc<Remote>,
    request: &mut Request,
    next_id: impl Fn() -> i64,
    end: Instant,
    tally: &Tally,
) {
    const IN_FLIGHT: usize = 32;
    let queue = Arc::new(EventQueue::new().unwrap());
    let mut under_way: HashMap<usize, (Instant, CallHandle)> = HashMap::new();
    while Instant::now() < end || !under_way.is_empty() {
        while under_way.len() < IN_FLIGHT && Instant::now() < end {
            let id = next_id();
            request.set_entity_int64("id", &ids_of(id)).unwrap();
            match store().submit(request, &queue, id as usize) {
                Ok(handle) => {
                    if id % 7 == 0 {
                        handle.cancel();
                    }
                    under_way.insert(id as usize, (Instant::now(), handle));
                }
                Err(error) => assert_eq!(error.code, Code::Closed, "{error}"),
            }
        }
        queue.poll(8, Deadline::in_milliseconds(20_000), |event| {
            let id = event.tag();
            let (start, _) = under_way.remove(&id).expect("one event for each call");
            assert!(start.elapsed() < TIMEOUT + PATIENCE, "a call of {TIMEOUT:?} took {:?}", start.elapsed());
            check(id as i64, event.into_response(), tally);
        });
        if let Some((_, handle)) = under_way.values().next()
            && tally.answered.load(Ordering::Relaxed).is_multiple_of(11)
        {
            handle.cancel();
        }
    }
    queue.poll(1, Deadline::in_milliseconds(0), |event| panic!("a second event for {}", event.tag()));
}

fn calls_merged(remote: &Remote) -> u64 {
    figures(remote)["calls_merged"].as_u64().unwrap()
}

fn one_call(remote: &Remote, request: &mut Request, id: i64, tally: &Tally) {
    request.set_entity_int64("id", &ids_of(id)).unwrap();
    // One of four goes alone, and no two have to have the same time.
    request.set_merge(id % 4 != 1);
    request.set_timeout(TIMEOUT.mul_f64(0.25 + (roll(id as usize) % 100) as f64 / 133.0));
    let start = Instant::now();
    let outcome = remote.get_online_features(request);
    let took = start.elapsed();
    assert!(took < TIMEOUT + PATIENCE, "a call of {TIMEOUT:?} took {took:?}");
    check(id, outcome, tally);
}

fn open(server: &Server) -> Arc<Remote> {
    let mut config = Config::new().unwrap();
    config.set("path", &server.url()).unwrap();
    config.set("connection_pool_size", &POOL.to_string()).unwrap();
    config.set("connection_idle_timeout", "1").unwrap();
    config.set("request_timeout_ms", &TIMEOUT.as_millis().to_string()).unwrap();
    config.set("attempt_timeout_ms", "150").unwrap();
    config.set("retry_backoff_factor", "0.01").unwrap();
    config.set("merge_max_rows", "32").unwrap();
    Arc::new(Remote::open(&config).unwrap())
}

#[test]
fn calls_return_in_time_with_their_own_answers_and_nothing_piles_up() {
    if alone::has_run(calls_return_in_time_with_their_own_answers_and_nothing_piles_up) {
        return;
    }
    let seconds = std::env::var("FEAST_SOAK_SECONDS").map_or(6, |text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let server = Server::start_with(welcome, faults);
    server.forget_requests();
    let mut merged = 0;
    let (of_steady, of_passing) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
    let numbers = Arc::new(AtomicUsize::new(1));
    // A second store is opened and closed all the time; the first must not notice.
    let steady = open(&server);
    let passing = Arc::new(std::sync::Mutex::new(open(&server)));
    let callers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let passes = thread % 8 == 0;
            let tally = Arc::clone(if passes { &of_passing } else { &of_steady });
            let numbers = Arc::clone(&numbers);
            let (steady, passing) = (Arc::clone(&steady), Arc::clone(&passing));
            thread::spawn(move || {
                let mut request = Request::default();
                request.add_feature("v:a").unwrap();
                request.add_feature("v:b").unwrap();
                let next_id = || numbers.fetch_add(10, Ordering::Relaxed) as i64;
                let passes_by = || Arc::clone(&passing.lock().unwrap());
                match thread {
                    0 => return event_loop(passes_by, &mut request, next_id, end, &tally),
                    1 => return event_loop(|| Arc::clone(&steady), &mut request, next_id, end, &tally),
                    _ => (),
                }
                while Instant::now() < end {
                    let store = if passes { passes_by() } else { Arc::clone(&steady) };
                    one_call(&store, &mut request, next_id(), &tally);
                }
            })
        })
        .collect();
    let mut samples = Vec::new();
    while Instant::now() < end {
        thread::sleep(Duration::from_millis(200));
        let fresh = open(&server);
        let old = std::mem::replace(&mut *passing.lock().unwrap(), fresh);
        old.close();
        merged += calls_merged(&old);
        drop(old);
        samples.push((resident_bytes(), descriptors()));
    }
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    let of_both = |count: fn(&Tally) -> &AtomicU64| {
        [&of_steady, &of_passing].map(|tally| count(tally).load(Ordering::Relaxed)).iter().sum::<u64>()
    };
    let (answered, failed) = (of_both(|tally| &tally.answered), of_both(|tally| &tally.failed));
    assert_eq!(of_steady.closed.load(Ordering::Relaxed), 0, "the steady store noticed");
    println!("{answered} calls answered, {failed} failed as they may; {}", steady.stats_json());
    merged += calls_merged(&steady);
    println!("{merged} of them were merged");
    assert!(merged > 0, "no calls were merged");
    assert!(answered > failed, "{answered} answered, {failed} failed");
    // The best half of each end: a call more or less in flight is noise, a leak is in every sample.
    let lowest = |samples: &[(usize, usize)]| {
        let memory = samples.iter().map(|sample| sample.0).min().unwrap();
        (memory, samples.iter().map(|sample| sample.1).min().unwrap())
    };
    let third = samples.len() / 3;
    let (before, after) = (lowest(&samples[third..2 * third]), lowest(&samples[2 * third..]));
    println!("memory and descriptors: {before:?} in the middle third, {after:?} in the last");
    assert!(after.0 < before.0 + before.0 / 4, "memory grew from {} to {} bytes", before.0, after.0);
    assert!(after.1 <= before.1 + 2 * POOL, "descriptors grew from {} to {}", before.1, after.1);
}
