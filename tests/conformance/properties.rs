//! Properties that hold for any input: the policies on a clock of the test's own, and the decoder beside
//! serde_json.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cells::cell;
use feast_remote::columns::{Element, Type};
use feast_remote::policy::admission::{Admission, Claim};
use feast_remote::policy::deadline::Deadline;
use feast_remote::policy::rebalance::Rebalance;
use feast_remote::policy::retry::{Decision, RetryBudget, RetryPolicy};
use feast_remote::wire::answer::cut::cut;
use feast_remote::wire::answer::decode::decode;
use feast_remote::wire::answer::frame::Layout;
use feast_remote::wire::request::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Calls of `parts` parts after each other to a server with `workers` workers, on a clock that only they move: how many of
/// the last hundred large ones had well spread connections, and how many connections were given up in all. `noise`: by
/// how much a call may take longer than its parts need; every tenth is stalled `stall` times as long; one
/// of `every` is `small` times as large.
struct Calls {
    workers: u64,
    parts: usize,
    noise: f64,
    stall: f64,
    small: f64,
    every: usize,
}

impl Calls {
    fn of(workers: u64, parts: usize) -> Calls {
        Calls { workers, parts, noise: 0.2, stall: 1.0, small: 1.0, every: 3 }
    }

    fn run(&self, calls: usize, mut dice: u64) -> (usize, usize) {
        let mut roll = move || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            dice >> 33
        };
        let mut rebalance = Rebalance::default();
        let mut connections: Vec<u64> = (0..self.parts).map(|_| roll() % self.workers).collect();
        let (mut well_spread, mut given_up) = (0, 0);
        let best = self.parts.div_ceil(self.workers as usize);
        for call in 0..calls {
            let of_worker = |worker| connections.iter().filter(|&&other| other == worker).count();
            let shared_by = |part: &usize| of_worker(connections[*part]);
            let last = (0..self.parts).max_by_key(shared_by).unwrap();
            let shared = shared_by(&last);
            well_spread += usize::from(call + 100 >= calls && shared == best);
            let size = if call % self.every > 0 { 1.0 } else { self.small };
            let stall = if roll() % 10 == 0 { self.stall } else { 1.0 };
            // Each request costs something, whatever its size.
            let time =
                (0.1 + size * shared as f64) * stall * (1.0 + self.noise * (roll() % 1000) as f64 / 1000.0);
            let bytes = (size * (self.parts << 20) as f64) as usize;
            if rebalance.gives_up(bytes, Duration::from_secs_f64(time * 0.01)) {
                connections[last] = roll() % self.workers;
                given_up += 1;
            }
        }
        (well_spread, given_up)
    }

    /// Of a hundred stores, how many come to use well spread connections for nearly all calls.
    fn found(&self) -> usize {
        (0..400).filter(|&dice| self.run(300, dice).0 >= 90).count() / 4
    }
}

#[test]
fn calls_in_parts_find_connections_to_different_workers() {
    // The last number: of a hundred stores, how many at the least; by luck alone 50, 67, 22, 9, 94 and 38.
    for (workers, parts, wanted) in [(2, 2, 98), (3, 2, 98), (3, 3, 85), (4, 4, 50), (16, 2, 98), (2, 4, 75)]
    {
        let found = Calls::of(workers, parts).found();
        assert!(found >= wanted, "{workers} workers, {parts} parts: {found}");
    }
    let stalled = Calls { stall: 20.0, ..Calls::of(2, 2) }.found();
    assert!(stalled >= 95, "with stalls: {stalled}");
    for (small, every) in [(0.5, 3), (0.05, 3), (1.3, 20), (2.0, 10), (0.7, 2)] {
        let of_two_sizes = Calls { small, every, ..Calls::of(2, 2) };
        let (found, given_up) = (of_two_sizes.found(), of_two_sizes.run(3200, 1).1);
        assert!(found >= 90 && given_up < 40, "one of {every} {small} times as large: {found}, {given_up}");
    }
}

proptest! {
    /// Whatever a server's speed hangs on, few connections are given up for it.
    #[test]
    fn few_connections_of_calls_in_parts_are_given_up(
        workers in 1u64..20, parts in 2usize..6, dice: u64,
        noise in 0.0f64..10.0, stall in 1.0f64..100.0, small in 0.01f64..3.0, every in 1usize..20,
    ) {
        let (_, given_up) = Calls { workers, parts, noise, stall, small, every }.run(3200, dice);
        prop_assert!(given_up <= 16 + 100, "{given_up}");
        let (_, given_up) = Calls::of(1, parts).run(3200, dice);
        prop_assert!(given_up <= 8, "one worker, {given_up}");
    }

    /// A call that keeps failing, on a clock that only its waits move: it ends, by its deadline.
    #[test]
    fn retries_end_by_the_deadline_and_their_number(
        retries in 0u32..20,
        factor in 0.0f64..10.0,
        cap in 0u64..200,
        jitter in 0.0f64..=1.0,
        timeout_ms in prop::option::of(0u64..20_000),
        dice in prop::collection::vec((0.0f64..1.0, prop::option::of(0u64..100)), 21),
    ) {
        let policy = RetryPolicy {
            retries,
            backoff_factor: factor,
            backoff_max: Duration::from_secs(cap),
            jitter,
        };
        let start = Instant::now();
        let mut now = start;
        let deadline = Deadline::after(start, timeout_ms.map(Duration::from_millis));
        let mut attempts = 0;
        for (roll, retry_after) in dice {
            attempts += 1;
            let pending = retry_after.map(Duration::from_secs);
            match policy.decide(attempts, attempts, pending, roll, deadline.remaining(now)) {
                Decision::Retry(wait) => {
                    if pending.is_none_or(|pending| pending.is_zero()) {
                        prop_assert!(wait <= Duration::from_secs(cap));
                    }
                    now += wait;
                    prop_assert!(!deadline.passed(now), "a wait passed the deadline");
                }
                Decision::Exhausted => {
                    prop_assert_eq!(attempts, retries + 1);
                    break;
                }
                Decision::PastDeadline(_) => break,
            }
        }
        prop_assert!(attempts <= retries + 1);
    }

    /// Whatever happens in whatever order, the budget bounds the retries.
    #[test]
    fn the_budget_is_never_overdrawn(capacity in 1u64..200, events in prop::collection::vec(0u8..3, 0..500)) {
        let budget = RetryBudget::new(capacity);
        let mut model = capacity;
        for event in events {
            match event {
                0 => {
                    budget.refill();
                    model = (model + 1).min(capacity);
                }
                kind => {
                    let cost = if kind == 1 { 5 } else { 10 };
                    prop_assert_eq!(budget.pay_for_retry(kind == 2), model >= cost);
                    model -= if model >= cost { cost } else { 0 };
                }
            }
            prop_assert_eq!(budget.tokens(), model);
        }
    }

    /// Beside a model with a plain queue: never more than the capacity, and nobody overtakes.
    #[test]
    fn admission_is_a_queue(capacity in 1usize..5, events in prop::collection::vec(0u8..3, 0..200)) {
        let mut semaphore = Admission::new(capacity);
        let (mut inside, mut queue, mut next) = (0, VecDeque::new(), 0u64);
        for event in events {
            match event {
                0 => {
                    let at_once = semaphore.acquire(next, Claim::UNLIKE_OTHERS);
                    prop_assert_eq!(at_once, inside < capacity);
                    if at_once { inside += 1 } else { queue.push_back(next) }
                    next += 1;
                }
                1 if inside > 0 => {
                    let successor = semaphore.release(Instant::now()).next;
                    prop_assert_eq!(successor, queue.pop_front());
                    inside -= usize::from(successor.is_none());
                }
                2 if !queue.is_empty() => {
                    let middle = queue.remove(queue.len() / 2).unwrap();
                    prop_assert!(semaphore.cancel(middle));
                    prop_assert!(!semaphore.cancel(middle));
                }
                _ => (),
            }
            prop_assert_eq!(semaphore.waiting(), queue.len());
        }
    }

    /// A column of any JSON values comes back as those values.
    #[test]
    fn any_column_comes_back_as_it_was_sent(values in column()) {
        let mut request = Request::default();
        request.add_feature("v:f").unwrap();
        request.set_entity_int64("id", &vec![1; values.len()]).unwrap();
        let body = json!({"results": [{"values": values}], "metadata": {"feature_names": ["f"]}}).to_string();
        let response = decode(body.as_bytes(), &request, &mut Layout::default()).unwrap();
        for (row, value) in values.iter().enumerate() {
            let (got, is_double) = (cell(&response, 0, row), response.column_type(0) == Some(Type::of(Element::Double)));
            if is_double && !value.is_null() {
                let (got, sent) = (got.as_f64().unwrap(), value.as_f64().unwrap());
                prop_assert_eq!(got.to_bits(), sent.to_bits(), "row {} of {}", row, body);
                // An integer became a double only if it is exactly one.
                let (exact, written) = (format!("{got:.0}"), value.to_string());
                prop_assert!(value.is_f64() || written == exact, "{} of {}", row, body);
            } else {
                prop_assert_eq!(&got, value, "row {} of {}", row, body);
            }
        }
    }

    /// Each call of a merged request reads the same as if it had been answered alone.
    #[test]
    fn an_answer_cut_is_the_answer_alone(
        columns in prop::collection::vec((column(), any::<bool>(), any::<bool>()), 1..4),
        sizes in prop::collection::vec(1usize..6, 1..8),
        pretty: bool,
    ) {
        let rows: usize = sizes.iter().sum();
        let statuses = ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"];
        // What the server says of these rows.
        let answer = |rows: std::ops::Range<usize>| {
            let column = |at: usize| {
                let (values, with_statuses, with_timestamps) = &columns[at];
                let mut column = serde_json::Map::new();
                let all = |value: &dyn Fn(usize) -> Value| rows.clone().map(value).collect::<Value>();
                column.insert("values".to_owned(), all(&|row| values[row % values.len()].clone()));
                if *with_statuses {
                    column.insert("statuses".to_owned(), all(&|row| statuses[(row + at) % 4].into()));
                }
                if *with_timestamps {
                    let time = |row: usize| format!("2026-11-23T01:00:{:02}Z", row % 60).into();
                    column.insert("event_timestamps".to_owned(), all(&time));
                }
                Value::Object(column)
            };
            let names: Vec<String> = (0..columns.len()).map(|at| format!("f{at}")).collect();
            let results: Vec<Value> = (0..columns.len()).map(column).collect();
            let answer = json!({"results": results, "metadata": {"feature_names": names}});
            if pretty { format!("{answer:#}") } else { answer.to_string() }
        };
        let request = |rows: usize| {
            let mut request = Request::default();
            (0..columns.len()).for_each(|at| request.add_feature(&format!("v:f{at}")).unwrap());
            request.set_entity_int64("id", &vec![1; rows]).unwrap();
            request
        };
        let merged = cut(answer(0..rows).as_bytes(), &request(rows), &sizes, &mut Layout::default()).unwrap();
        let mut begin = 0;
        for (size, merged) in sizes.into_iter().zip(merged) {
            let decode = |body: &[u8]| decode(body, &request(size), &mut Layout::default()).unwrap();
            let (merged, alone) = (decode(&merged), decode(answer(begin..begin + size).as_bytes()));
            begin += size;
            for at in 0..columns.len() {
                prop_assert_eq!(merged.column_type(at), alone.column_type(at));
                prop_assert_eq!(merged.statuses(at), alone.statuses(at));
                prop_assert_eq!(merged.event_timestamps(at), alone.event_timestamps(at));
                for row in 0..size {
                    let (merged, alone) = (cell(&merged, at, row), cell(&alone, at, row));
                    prop_assert_eq!(merged.to_string(), alone.to_string());
                }
            }
        }
    }

    /// No bytes make the decoder panic, and what it accepts is JSON.
    #[test]
    fn any_bytes_are_decoded_or_refused(noise in prop::collection::vec(any::<u8>(), 0..64), at in 0usize..100) {
        let mut request = Request::default();
        request.add_feature("v:f").unwrap();
        request.set_entity_int64("id", &[1]).unwrap();
        let mut body = br#"{"results":[{"values":["x\u00e9"],"statuses":["PRESENT"]}],"metadata":{"feature_names":["f"]}}"#.to_vec();
        let at = at.min(body.len());
        body.splice(at..at, noise);
        if decode(&body, &request, &mut Layout::default()).is_ok() {
            prop_assert!(serde_json::from_slice::<Value>(&body).is_ok());
        }
    }
}

/// Columns of one kind with nulls among them, of numbers of both kinds, and of anything.
fn column() -> impl Strategy<Value = Vec<Value>> {
    let null = || Just(Value::Null);
    let small = || (-1000i64..1000).prop_map(Value::from);
    let wide = || prop_oneof![any::<i64>().prop_map(Value::from), any::<u64>().prop_map(Value::from)];
    let real = || any::<f64>().prop_filter("JSON has no others", |x| x.is_finite()).prop_map(Value::from);
    let text = || ".{0,40}".prop_map(Value::from);
    let anything = prop_oneof![null(), any::<bool>().prop_map(Value::from), wide(), real(), text()]
        .prop_recursive(2, 8, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".{0,8}", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
    let column = |value: BoxedStrategy<Value>| prop::collection::vec(value, 1..20);
    prop_oneof![
        column(null().boxed()),
        column(prop_oneof![null(), any::<bool>().prop_map(Value::from)].boxed()),
        column(prop_oneof![null(), any::<i64>().prop_map(Value::from)].boxed()),
        column(prop_oneof![null(), wide(), real()].boxed()),
        column(prop_oneof![null(), small(), real()].boxed()),
        column(prop_oneof![null(), text()].boxed()),
        column(anything.boxed()),
    ]
}
