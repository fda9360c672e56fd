//! What a great many asynchronous calls leave behind, and what is kept of a huge answer.

use std::sync::Arc;

use crate::alone;
use crate::figures::{descriptors, resident_bytes, threads};
use crate::support::server::{Server, Step, answer};
use crate::support::store::{fails, open};
use crate::support::wait::wait_until;
use feast_remote::config::Config;
use feast_remote::error::Code;
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::{EventQueue, Remote};
use feast_remote::wire::request::Request;

/// In flight at a time.
const WINDOW: usize = 32;

/// FEAST_ASYNC_CALLS=1000000 for the whole of it.
#[test]
fn calls_leave_no_memory_no_thread_and_no_descriptor_behind() {
    if alone::has_run(calls_leave_no_memory_no_thread_and_no_descriptor_behind) {
        return;
    }
    let count: usize = std::env::var("FEAST_ASYNC_CALLS").map_or(50_000, |text| text.parse().unwrap());
    let server = Server::start(answer);
    server.forget_requests();
    let (threads_before, descriptors_before) = (threads().len(), descriptors());
    let mut config = Config::new().unwrap();
    config.set("path", &server.url()).unwrap();
    config.set("connection_pool_size", "8").unwrap();
    let remote = Remote::open(&config).unwrap();
    let queue = Arc::new(EventQueue::new().unwrap());
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[7]).unwrap();
    let mut samples = Vec::new();
    let (mut submitted, mut finished) = (0, 0);
    while finished < count {
        while submitted < count.min(finished + WINDOW) {
            remote.submit(&request, &queue, submitted).unwrap();
            submitted += 1;
        }
        queue.poll(WINDOW, Deadline::in_milliseconds(30_000), |event| {
            assert_eq!(event.into_response().unwrap().int64(1).unwrap(), [7000]);
            finished += 1;
        });
        if finished % 1000 < WINDOW {
            samples.push(resident_bytes());
        }
    }
    let third = samples.len() / 3;
    let least = |samples: &[usize]| *samples.iter().min().unwrap();
    let (middle, last) = (least(&samples[third..2 * third]), least(&samples[2 * third..]));
    println!("{count} calls; {middle} bytes resident in the middle third, {last} in the last");
    assert!(last < middle + middle / 10, "memory grew from {middle} to {last} bytes");
    drop(remote);
    drop(queue);
    // The server's threads and sockets end a little later.
    wait_until("all threads are gone", || threads().len() <= threads_before);
    wait_until("all descriptors are closed", || descriptors() <= descriptors_before);
}

#[test]
fn of_a_huge_error_page_only_the_beginning_is_kept() {
    if alone::has_run(of_a_huge_error_page_only_the_beginning_is_kept) {
        return;
    }
    let head = b"HTTP/1.1 400 Bad\r\nContent-Length: 50000000\r\n\r\n[0".to_vec();
    let server = Server::start(move |_| {
        vec![Step::Send(head.clone()), Step::Flood { bytes: b",0".repeat(4096), total: 50_000_000 - 2 }]
    });
    let before = resident_bytes();
    let error = fails(&open(&server, &[("request_timeout_ms", "30000")]), 1);
    assert_eq!((error.code, error.http_status, error.attempts), (Code::InvalidRequest, 400, 1), "{error}");
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 40 << 20, "{grown} bytes more");
}
