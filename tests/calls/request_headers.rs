//! The headers of a request's own, and its trace context.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::events::{next, outcome, queue};
use crate::support::server::{Seen, Server, Step, answer, say};
use crate::support::store::{ask, open};
use crate::support::wait::wait_until;

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00";

fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.headers.get(name).map(String::as_str)
}

#[test]
fn the_trace_context_and_the_headers_are_sent_on_every_attempt_and_by_their_call_alone() {
    let server = Server::start(|seen| if seen.number % 2 == 0 { say(503, "busy") } else { answer(seen) });
    let remote =
        open(&server, &[("connection_pool_size", "1"), ("header.X-Tenant", "all"), ("header.X-Zone", "z")]);
    let mut traced = ask(1);
    traced.set_trace_context(SAMPLED, "vendor=1").unwrap();
    traced.set_header("x-tenant", "one").unwrap();
    remote.get_online_features(&traced).unwrap();
    remote.get_online_features(&ask(2)).unwrap();
    let queue = queue();
    remote.submit(&traced, &queue, 1).unwrap();
    outcome(next(&queue)).1.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 6);
    for (number, seen) in seen.iter().enumerate() {
        let own = !(2..4).contains(&number);
        assert_eq!(header(seen, "traceparent"), own.then_some(SAMPLED), "{number}");
        assert_eq!(header(seen, "tracestate"), own.then_some("vendor=1"), "{number}");
        assert_eq!(header(seen, "x-tenant"), Some(if own { "one" } else { "all" }), "{number}");
        assert_eq!(header(seen, "x-zone"), Some("z"), "{number}");
    }
}

#[test]
fn a_header_that_the_server_repeats_is_not_shown_in_errors() {
    let server = Server::start(|seen| {
        let value = seen.headers["x-request-id"].clone();
        match seen.number {
            0 => say(422, format!("{{\"detail\": \"bad: {value}\"}}")),
            _ => say(200, format!("{{\"results\": [], \"metadata\": {value}}}")),
        }
    });
    let remote = open(&server, &[]);
    let mut request = ask(1);
    request.set_header("X-Request-Id", "customer-4711").unwrap();
    for _ in 0..2 {
        let error = remote.get_online_features(&request).unwrap_err();
        assert!(!error.message.contains("4711") && error.message.contains("secret]"), "{}", error.message);
    }
}

#[test]
fn merged_calls_send_the_first_sampled_trace_context_and_other_headers_go_out_apart() {
    let hold = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&hold);
    let server = Server::start(move |seen| match seen.number {
        // So that calls are patient: another request would go out when one takes twice as long as usual.
        0 => [vec![Step::Wait(Duration::from_millis(500))], answer(seen)].concat(),
        1 => [vec![Step::Until(Arc::clone(&held))], answer(seen)].concat(),
        _ => answer(seen),
    });
    let keys = [("merge_max_rows", "64"), ("merge_in_flight", "1"), ("merge_check", "false")];
    let remote = open(&server, &keys);
    let of_tenant = |id: i64, tenant: &str| {
        let mut request = ask(id);
        request.set_header("X-Tenant", tenant).unwrap();
        request
    };
    remote.get_online_features(&of_tenant(0, "a")).unwrap();
    let queue = queue();
    remote.submit(&of_tenant(1, "a"), &queue, 1).unwrap();
    wait_until("the first request is under way", || server.requests() == 2);
    for (id, parent) in [(2, ""), (3, UNSAMPLED), (4, SAMPLED)] {
        let mut request = of_tenant(id, "a");
        if !parent.is_empty() {
            request.set_trace_context(parent, "").unwrap();
        }
        remote.submit(&request, &queue, id as usize).unwrap();
    }
    // Another question, which nobody waits for.
    remote.get_online_features(&of_tenant(5, "b")).unwrap();
    hold.store(true, Ordering::SeqCst);
    (0..4).for_each(|_| outcome(next(&queue)).1.unwrap());
    let seen = server.seen();
    let sent = |seen: &Seen| {
        (header(seen, "x-tenant").map(str::to_owned), header(seen, "traceparent").map(str::to_owned))
    };
    let mut all: Vec<_> = seen.iter().map(sent).collect();
    all.sort();
    let tenant = |tenant: &str, parent: Option<&str>| (Some(tenant.to_owned()), parent.map(str::to_owned));
    assert_eq!(all, [tenant("a", None), tenant("a", None), tenant("a", Some(SAMPLED)), tenant("b", None)]);
}
