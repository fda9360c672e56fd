//! The figures of several stores as one text in Prometheus' format
//! (https://prometheus.io/docs/instrumenting/exposition_formats/): each family once, its series told apart by the label `store`.
//! No label grows with features, entities or the words of errors.

use std::fmt::Write;

use super::servers::ServerFigures;
use super::statistics::Snapshot;
use crate::policy::outlier::State;

/// A family of series, each with its label and the statistic that it shows.
type Family = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const COUNTERS: &[Family] = &[
    (
        "calls_total",
        "Calls that have ended, by outcome.",
        &[("outcome=\"success\"", "total"), ("outcome=\"error\"", "calls_failed")],
    ),
    (
        "calls_overloaded_total",
        "Calls that found no free connection until their deadline, or were refused at once.",
        &[("", "calls_overloaded")],
    ),
    (
        "attempts_total",
        "HTTP attempts that have ended, by the class of the answer's status.",
        &[
            ("class=\"2xx\"", "answers_2xx"),
            ("class=\"3xx\"", "answers_3xx"),
            ("class=\"4xx\"", "answers_4xx"),
            ("class=\"5xx\"", "answers_5xx"),
            ("class=\"none\"", "attempts_unanswered"),
        ],
    ),
    ("wire_requests_total", "Requests begun on a connection.", &[("", "wire_requests")]),
    (
        "retries_total",
        "Retries, by what went before.",
        &[
            ("reason=\"connect\"", "retries_connect"),
            ("reason=\"tls\"", "retries_tls"),
            ("reason=\"io\"", "retries_io"),
            ("reason=\"timeout\"", "retries_timeout"),
            ("reason=\"status\"", "retries_status"),
        ],
    ),
    (
        "retries_refused_total",
        "Retries not made because the retry budget was used up.",
        &[("", "retries_refused")],
    ),
    ("tokens_refused_total", "Tokens answered with a 401 and replaced.", &[("", "tokens_refused")]),
    ("calls_merged_total", "Calls answered by a request merged with others.", &[("", "calls_merged")]),
    ("requests_merged_total", "Requests that asked for several calls at once.", &[("", "requests_merged")]),
    ("merged_rows_total", "Rows that merged requests asked for.", &[("", "merged_rows")]),
    (
        "merge_splits_total",
        "Merged requests that were asked again in smaller parts.",
        &[("", "merge_splits")],
    ),
    ("merge_checks_total", "Comparisons of merged answers with others.", &[("", "merge_checks")]),
    (
        "merge_refused_total",
        "Questions that are not merged any more because the answers differed.",
        &[("", "merge_refused")],
    ),
    ("writes_total", "Writes begun.", &[("", "writes")]),
    ("writes_failed_total", "Writes that returned an error.", &[("", "writes_failed")]),
    ("write_requests_total", "Requests of writes that were answered.", &[("", "write_requests")]),
    ("rows_written_total", "Rows that a server said it has written.", &[("", "rows_written")]),
    ("hedges_total", "Attempts beside one whose answer was late.", &[("", "hedges")]),
    ("hedges_won_total", "Hedges that were answered first.", &[("", "hedges_won")]),
    ("hedges_refused_total", "Hedges not made.", &[("", "hedges_refused")]),
    ("servers_set_aside_total", "Times that a server was set aside.", &[("", "servers_set_aside")]),
    ("health_checks_total", "Times that a server was asked whether it is well.", &[("", "health_checks")]),
    ("name_lookups_total", "Look-ups of servers' names.", &[("", "name_lookups")]),
    ("name_lookups_failed_total", "Look-ups that brought no address.", &[("", "name_lookups_failed")]),
    ("connections_opened_total", "Connections made.", &[("", "connections_opened")]),
    ("connections_reused_total", "Attempts on a connection kept from before.", &[("", "connections_reused")]),
    (
        "connections_closed_total",
        "Connections closed or replaced between calls, by reason.",
        &[
            ("reason=\"idle\"", "connections_closed_idle"),
            ("reason=\"aged\"", "connections_closed_aged"),
            ("reason=\"server\"", "connections_closed_by_server"),
            ("reason=\"unacknowledged\"", "connections_closed_unacknowledged"),
            ("reason=\"suspect\"", "connections_closed_suspect"),
            ("reason=\"displaced\"", "connections_closed_displaced"),
            ("reason=\"rebalancing\"", "connections_closed_rebalancing"),
        ],
    ),
    (
        "driver_restarts_total",
        "Times that the thread of the asynchronous calls was started again after a bug.",
        &[("", "driver_restarts")],
    ),
];

const GAUGES: &[Family] = &[
    (
        "connections",
        "Connections now, by state.",
        &[("state=\"idle\"", "connections_idle"), ("state=\"in_use\"", "connections_in_use")],
    ),
    ("connections_limit", "Connections that there may be.", &[("", "connection_pool_size")]),
    ("waiting_calls", "Calls that wait for a free connection now.", &[("", "waiting_calls")]),
    ("async_requests", "Requests of asynchronous calls under way now.", &[("", "async_requests")]),
    ("retry_budget_tokens", "What is left of the retry budget now.", &[("", "retry_budget_tokens")]),
    ("start_time_seconds", "When the store was opened, since 1970.", &[("", "started_at")]),
];

const HISTOGRAMS: &[(&str, &str, &str)] = &[
    ("call_duration_seconds", "Whole calls that succeeded.", "total"),
    ("attempt_duration_seconds", "HTTP attempts, whatever came of them.", "attempt"),
    ("first_byte_seconds", "From the start of an attempt to the first byte of its answer.", "first_byte"),
    ("queue_seconds", "Waiting for a free connection, of calls that had to.", "queue"),
    ("merge_wait_seconds", "Waiting to be merged, of calls that did not go out at once.", "merge_wait"),
    ("connect_seconds", "Name lookup and TCP connection, of new connections.", "connect"),
    ("tls_seconds", "TLS handshake, of new connections.", "tls"),
    ("decode_seconds", "From an answer's bytes to columns.", "decode"),
];

/// A family with a series for each server: its kind, its name, its meaning, and what it shows.
type ServerFamily = (&'static str, &'static str, &'static str, fn(&ServerFigures) -> u64);

const OF_SERVERS: &[ServerFamily] = &[
    ("counter", "server_attempts_total", "Attempts that have ended, by server.", |server| server.attempts),
    ("counter", "server_failures_total", "Attempts that count against their server.", |server| {
        server.failures
    }),
    ("counter", "server_set_aside_total", "Times that the server was set aside.", |server| {
        server.times_set_aside
    }),
    ("gauge", "server_available", "Whether the server is given requests as any other.", |server| {
        u64::from(server.state == State::Available)
    }),
    ("gauge", "server_outstanding", "Attempts under way at the server now.", |server| server.outstanding),
    ("gauge", "server_connections", "Connections kept to the server now.", |server| server.connections),
];

/// The text for these stores, by their names.
pub fn text(stores: &[(String, Snapshot)]) -> String {
    let mut out = String::new();
    let stores: Vec<(String, &Snapshot)> =
        stores.iter().map(|(name, snapshot)| (format!("store=\"{}\"", escaped(name)), snapshot)).collect();
    for (kind, families) in [("counter", COUNTERS), ("gauge", GAUGES)] {
        for (name, help, series) in families {
            begin(&mut out, name, kind, help);
            for (store, snapshot) in &stores {
                for (label, statistic) in *series {
                    let comma = if label.is_empty() { "" } else { "," };
                    let value = snapshot.value(statistic);
                    let _ = writeln!(out, "feast_remote_{name}{{{store}{comma}{label}}} {value}");
                }
            }
        }
    }
    for (kind, name, help, value) in OF_SERVERS {
        begin(&mut out, name, kind, help);
        for (store, snapshot) in &stores {
            for server in snapshot.servers() {
                let (url, address) = (escaped(&server.url), escaped(&server.address));
                let value = value(server);
                let _ = writeln!(
                    out,
                    "feast_remote_{name}{{{store},server=\"{url}\",address=\"{address}\"}} {value}"
                );
            }
        }
    }
    for (name, help, statistic) in HISTOGRAMS {
        begin(&mut out, name, "histogram", help);
        for (store, snapshot) in &stores {
            let Some(histogram) = snapshot.histogram(statistic) else { continue };
            for (bound, count) in &histogram.powers {
                let bound = *bound as f64 / 1e6;
                let _ = writeln!(out, "feast_remote_{name}_bucket{{{store},le=\"{bound}\"}} {count}");
            }
            let (count, sum) = (histogram.count, histogram.sum_us as f64 / 1e6);
            let _ = writeln!(out, "feast_remote_{name}_bucket{{{store},le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "feast_remote_{name}_sum{{{store}}} {sum}");
            let _ = writeln!(out, "feast_remote_{name}_count{{{store}}} {count}");
        }
    }
    out
}

fn begin(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP feast_remote_{name} {help}\n# TYPE feast_remote_{name} {kind}");
}

/// A label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::statistics::Stats;
    use super::*;

    #[test]
    fn each_family_stands_once_with_the_series_of_every_store() {
        let stats = Stats::default();
        Stats::count(&stats.retries_io);
        stats.total.record(Duration::from_micros(100));
        stats.total.record(Duration::from_secs(60));
        let named = |name: &str| (name.to_owned(), stats.snapshot(&[("connections_idle", 3)], Vec::new()));
        let text = text(&[named("a"), named("b\"\\\n")]);
        for (line, count) in [
            ("# TYPE feast_remote_retries_total counter", 1),
            ("feast_remote_retries_total{store=\"a\",reason=\"io\"} 1", 1),
            ("feast_remote_retries_total{store=\"b\\\"\\\\\\n\",reason=\"io\"} 1", 1),
            ("feast_remote_connections{store=\"a\",state=\"idle\"} 3", 1),
            ("feast_remote_calls_total{store=\"a\",outcome=\"success\"} 2", 1),
            ("feast_remote_call_duration_seconds_bucket{store=\"a\",le=\"0.000064\"} 0", 1),
            ("feast_remote_call_duration_seconds_bucket{store=\"a\",le=\"0.000128\"} 1", 1),
            ("feast_remote_call_duration_seconds_bucket{store=\"a\",le=\"8.388608\"} 1", 1),
            ("feast_remote_call_duration_seconds_bucket{store=\"a\",le=\"+Inf\"} 2", 1),
            ("feast_remote_call_duration_seconds_sum{store=\"a\"} 60.0001", 1),
        ] {
            assert_eq!(text.lines().filter(|found| *found == line).count(), count, "{line} in\n{text}");
        }
        assert!(text.lines().all(|line| !line.is_empty()), "a name with a newline cuts no line");
    }

    #[test]
    fn every_statistic_is_shown() {
        let shown = |name: &str| {
            let families =
                COUNTERS.iter().chain(GAUGES).flat_map(|family| family.2.iter().map(|(_, shown)| *shown));
            families.chain(HISTOGRAMS.iter().map(|family| family.2)).any(|shown| shown == name)
        };
        // Told by others: calls by outcome, attempts by class, waits by their histogram, the process by whoever scrapes it.
        let told = ["calls", "attempts", "queue_waits", "pid"];
        let missing: Vec<&str> =
            Stats::default().names().filter(|name| !shown(name) && !told.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
