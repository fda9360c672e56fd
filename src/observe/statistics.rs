//! What a store has done so far: counters and latency histograms, recorded without locks.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::servers::{self, ServerFigures};
use crate::policy::buckets::Buckets;

type Quarters = Buckets<2>;

/// A distribution of durations. A percentile read from it is at most a quarter too large.
pub struct Histogram {
    counts: [AtomicU64; Quarters::COUNT],
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: std::array::from_fn(|_| AtomicU64::new(0)), sum_us: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.counts[Quarters::of(microseconds)].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// As Prometheus wants it.
    fn cumulative(&self) -> Cumulative {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let up_to = |bound: u64| {
            // The buckets end just below the powers of two; a duration is cut to whole microseconds.
            counts
                .iter()
                .enumerate()
                .filter(|(bucket, _)| Quarters::upper_bound(*bucket) < bound)
                .map(|(_, count)| count)
                .sum()
        };
        let powers = (6..=23).map(|power| (1 << power, up_to(1 << power))).collect();
        Cumulative { powers, count: counts.iter().sum(), sum_us: self.sum_us.load(Ordering::Relaxed) }
    }

    fn to_json(&self) -> Value {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        let percentile = |share| Quarters::quantile(counts.iter().copied(), share);
        let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let buckets: Vec<[u64; 2]> =
            filled.map(|(bucket, count)| [Quarters::upper_bound(bucket), *count]).collect();
        json!({"count": total, "sum_us": self.sum_us.load(Ordering::Relaxed), "buckets": buckets, "p50_us": percentile(0.5), "p90_us": percentile(0.9),
               "p99_us": percentile(0.99), "max_us": percentile(1.0)})
    }
}

/// A histogram with cumulative buckets at powers of two.
#[derive(Clone, Debug)]
pub struct Cumulative {
    /// Microseconds from 64 to 8388608, and how many durations are at most that.
    pub powers: Vec<(u64, u64)>,
    /// All.
    pub count: u64,
    /// Microseconds in all.
    pub sum_us: u64,
}

/// The figures of a store at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    values: Vec<(&'static str, u64)>,
    servers: Vec<ServerFigures>,
    histograms: Vec<(&'static str, Cumulative)>,
}

impl Snapshot {
    /// A counter, a momentary value, or how many durations a histogram has; 0 for another name.
    pub fn value(&self, name: &str) -> u64 {
        let plain = self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        plain.or_else(|| Some(self.histogram(name)?.count)).unwrap_or(0)
    }

    /// Its servers.
    pub fn servers(&self) -> &[ServerFigures] {
        &self.servers
    }

    /// A histogram.
    pub fn histogram(&self, name: &str) -> Option<&Cumulative> {
        self.histograms.iter().find(|(known, _)| *known == name).map(|(_, histogram)| histogram)
    }
}

enum Field {
    Counter(fn(&Stats) -> &AtomicU64),
    Latency(fn(&Stats) -> &Histogram),
}

macro_rules! statistics {
    ($($kind:ident $name:ident: $type:ty = $help:literal;)*) => {
        /// The figures of one store. Fields are documented in STATISTICS.md.
        #[derive(Default)]
        #[allow(missing_docs)] // the help texts are the documentation
        pub struct Stats {
            $(pub $name: $type,)*
        }

        const FIELDS: &[(&str, Field, &str)] =
            &[$((stringify!($name), Field::$kind(|stats| &stats.$name), $help),)*];
    };
}

statistics! {
    Counter calls: AtomicU64 = "Calls that got as far as asking for a connection; asynchronous ones that were accepted.";
    Counter calls_failed: AtomicU64 = "Those of them that returned an error.";
    Counter calls_overloaded: AtomicU64 = "Calls that found no free connection until their deadline, and \
        asynchronous calls refused because of max_async_requests.";
    Counter queue_waits: AtomicU64 = "Times that a call had to wait for a free connection.";
    Counter attempts: AtomicU64 = "HTTP attempts: the first of each call, or of each of its parts, retries, and hedges.";
    Counter wire_requests: AtomicU64 = "Requests begun on a connection. More than attempts where libcurl sent one \
        again because a kept connection turned out dead; fewer where no connection was made.";
    Counter answers_2xx: AtomicU64 = "Attempts that were answered with an HTTP status from 200 to 299.";
    Counter answers_3xx: AtomicU64 = "The same from 300 to 399.";
    Counter answers_4xx: AtomicU64 = "The same from 400 to 499.";
    Counter answers_5xx: AtomicU64 = "The same with any other.";
    Counter attempts_unanswered: AtomicU64 = "Attempts without a whole answer.";
    Counter retries_connect: AtomicU64 = "Retries after a connection could not be made.";
    Counter retries_tls: AtomicU64 = "Retries after a TLS handshake broke.";
    Counter retries_io: AtomicU64 = "Retries after a connection broke.";
    Counter retries_timeout: AtomicU64 = "Retries after attempt_timeout_ms.";
    Counter retries_status: AtomicU64 = "Retries after an HTTP status that is retried.";
    Counter retries_refused: AtomicU64 = "Retries not made because the retry budget was used up.";
    Counter tokens_refused: AtomicU64 = "Tokens that the server answered with 401 and that were replaced.";
    Counter writes: AtomicU64 = "Writes: pushes, and rows written to an online store. They are no calls.";
    Counter writes_failed: AtomicU64 = "Those of them that returned an error.";
    Counter write_requests: AtomicU64 = "Requests that they were made of and that were answered; each is an attempt, too.";
    Counter rows_written: AtomicU64 = "Rows that a server said it has written, or has queued.";
    Counter calls_merged: AtomicU64 = "Calls that were answered by a request merged with others (merge_max_rows).";
    Counter requests_merged: AtomicU64 = "Requests that asked for several calls at once; each is an attempt, so that \
        there may be fewer attempts than calls.";
    Counter merged_rows: AtomicU64 = "Rows that they asked for.";
    Counter merge_splits: AtomicU64 = "Merged requests that the server refused, or whose answer could not be cut, so \
        that their calls were asked for in smaller parts.";
    Counter merge_checks: AtomicU64 = "Times that calls were asked for both merged and alone, to compare (merge_check).";
    Counter merge_refused: AtomicU64 = "Questions that are not merged any more because the answers differed.";
    Counter hedges: AtomicU64 = "Attempts that went out beside one whose answer was late (hedge_percent); attempts, too.";
    Counter hedges_won: AtomicU64 = "Those of them that were answered first.";
    Counter hedges_refused: AtomicU64 = "Those not made, because hedge_percent was used up or no connection was free.";
    Counter servers_set_aside: AtomicU64 = "Times that one of several servers was set aside.";
    Counter health_checks: AtomicU64 = "Times that a server that was set aside was asked whether it is well. No attempts.";
    Counter name_lookups: AtomicU64 = "Look-ups of servers' names, and of proxies' and identity providers'.";
    Counter name_lookups_failed: AtomicU64 = "Those of them that brought no address.";
    Counter connections_opened: AtomicU64 = "Connections made.";
    Counter connections_reused: AtomicU64 = "Attempts that were carried by a connection kept from before.";
    Counter connections_closed_idle: AtomicU64 = "Connections closed by connection_idle_timeout.";
    Counter connections_closed_aged: AtomicU64 = "Connections replaced because of connection_max_age.";
    Counter connections_closed_by_server: AtomicU64 = "Connections that had to be replaced because they were closed \
        from the other side, which includes that something came on them unasked.";
    Counter connections_closed_unacknowledged: AtomicU64 = "Connections given up because nothing that was sent on them \
        was acknowledged for dead_connection_timeout_ms.";
    Counter connections_closed_suspect: AtomicU64 = "Connections replaced before they were used, because another one was \
        found dead and they had not been heard of since.";
    Counter connections_closed_displaced: AtomicU64 = "Connections to one of several servers closed to make room for one to \
        another server.";
    Counter connections_closed_rebalancing: AtomicU64 = "Connections of calls in parts (max_rows_per_request) closed \
        because they seemed to share a worker of the server, or to see what another one brings.";
    Counter driver_restarts: AtomicU64 = "Times that the thread of the asynchronous calls was started again after a bug.";
    Latency queue: Histogram = "Waiting for a free connection, of calls that had to.";
    Latency merge_wait: Histogram = "Waiting to be merged, of calls that did not go out at once.";
    Latency connect: Histogram = "Name lookup and TCP connection, of new connections.";
    Latency tls: Histogram = "TLS handshake, of new connections.";
    Latency first_byte: Histogram = "From the start of an attempt to the first byte of its answer.";
    Latency attempt: Histogram = "Whole attempts, whatever came of them.";
    Latency decode: Histogram = "From an answer's bytes to columns, or to a matrix.";
    Latency total: Histogram = "Whole calls that succeeded; of asynchronous ones without the time that their \
        events waited in the queue.";
}

impl Stats {
    /// Adds one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an attempt that has ended, with this HTTP status or without an answer.
    pub fn count_answer(&self, status: Option<u16>) {
        Stats::count(match status {
            Some(200..=299) => &self.answers_2xx,
            Some(300..=399) => &self.answers_3xx,
            Some(400..=499) => &self.answers_4xx,
            Some(_) => &self.answers_5xx,
            None => &self.attempts_unanswered,
        });
    }

    /// All figures now; `now` are the store's momentary values, and `servers` those of its servers.
    pub fn snapshot(&self, now: &[(&'static str, u64)], servers: Vec<ServerFigures>) -> Snapshot {
        let mut snapshot = Snapshot { values: now.to_vec(), servers, histograms: Vec::new() };
        for (name, field, _) in FIELDS {
            match field {
                Field::Counter(get) => snapshot.values.push((name, get(self).load(Ordering::Relaxed))),
                Field::Latency(get) => snapshot.histograms.push((name, get(self).cumulative())),
            }
        }
        snapshot
    }

    /// The names of all figures.
    #[cfg(test)]
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        FIELDS.iter().map(|field| field.0).chain(NOW.iter().map(|now| now.0))
    }

    /// All figures as one JSON object; see [`snapshot`](Stats::snapshot).
    pub fn to_json(&self, now: &[(&str, u64)], servers: &[ServerFigures]) -> String {
        let mut object = Map::new();
        for (name, field, _) in FIELDS {
            match field {
                Field::Counter(get) => {
                    object.insert((*name).to_owned(), get(self).load(Ordering::Relaxed).into())
                }
                Field::Latency(get) => object.insert(format!("{name}_latency"), get(self).to_json()),
            };
        }
        for (name, value) in now {
            object.insert((*name).to_owned(), (*value).into());
        }
        object.insert("servers".to_owned(), servers.iter().map(ServerFigures::to_json).collect());
        Value::Object(object).to_string()
    }
}

/// Momentary values, which the store adds.
pub const NOW: [(&str, &str); 8] = [
    (
        "async_requests",
        "Requests of asynchronous calls, and of calls in parts, that are accepted and not finished now.",
    ),
    ("waiting_calls", "Calls that wait for a free connection now."),
    ("connections_idle", "Connections kept and not in use now."),
    ("connections_in_use", "Connections in use now."),
    ("connection_pool_size", "Connections that there may be."),
    ("retry_budget_tokens", "What is left of the retry budget now; 0 also when it is switched off."),
    ("started_at", "When the store was opened, and its counters began: seconds since 1970-01-01 UTC."),
    ("pid", "The process, since one that was forked counts anew."),
];

/// STATISTICS.md: the fields for people.
pub fn reference() -> String {
    let mut text = String::from(
        "# Statistics\n\n\
         Generated from `src/observe/statistics.rs` by `make generate`; a test compares, and another one compares with what\n\
         `feast_stats_json()` returns.\n\n\
         One JSON object a store. Counters begin at 0 when the store is opened and only grow. A latency is an\n\
         object of `count` and, in microseconds, the exact `sum_us`, and `p50_us`, `p90_us`, `p99_us` and `max_us`: each the\n\
         upper bound of the histogram's bucket, so at most a quarter too large. `buckets` has the buckets that are not empty,\n\
         each `[upper bound in microseconds, count]`, the bound included and no bucket counted in another one.\n\n\
         | field | type | unit | meaning |\n|---|---|---|---|\n",
    );
    for (name, field, help) in FIELDS {
        let _ = match field {
            Field::Counter(_) => writeln!(text, "| `{name}` | counter | 1 | {help} |"),
            Field::Latency(_) => writeln!(text, "| `{name}_latency` | latency | µs | {help} |"),
        };
    }
    for (name, help) in NOW {
        let _ = writeln!(text, "| `{name}` | gauge | 1 | {help} |");
    }
    text.push_str(
        "\n`servers` is an array with an object for each server, in the order of `path`:\n\n\
         | field | type | meaning |\n|---|---|---|\n",
    );
    for (name, kind, help) in servers::FIELDS {
        let _ = writeln!(text, "| `{name}` | {kind} | {help} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_read_from_the_buckets() {
        let histogram = Histogram::default();
        (0..99).for_each(|_| histogram.record(Duration::from_micros(100)));
        histogram.record(Duration::from_millis(50));
        let read = histogram.to_json();
        assert_eq!(read["count"], 100);
        assert_eq!(read["sum_us"], 99 * 100 + 50_000);
        assert_eq!(read["buckets"], json!([[111, 99], [57_343, 1]]));
        assert_eq!(read["p50_us"], 111);
        assert_eq!(read["p99_us"], 111);
        assert!(read["max_us"].as_u64().unwrap() >= 50_000);
        assert_eq!(Histogram::default().to_json()["p99_us"], 0);
    }
}
