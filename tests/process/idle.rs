//! What a store does while nothing happens: nothing.

use std::cell::Cell;
use std::fs::DirEntry;
use std::thread;
use std::time::Duration;

use crate::alone;
use crate::support::events::{next, outcome, queue, submit};
use crate::support::server::{Server, Step, answer};
use crate::support::store::{call, open};
use crate::support::wait::wait_until;

/// The threads of this process with this name, as /proc has them.
fn threads_named(name: &str) -> Vec<DirEntry> {
    let named = |task: &DirEntry| {
        std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    std::fs::read_dir("/proc/self/task").unwrap().map(Result::unwrap).filter(named).collect()
}

/// How often the thread of this name, of which there must be one, has gone to sleep.
fn sleeps_of(thread: &str) -> u64 {
    let [task] = &threads_named(thread)[..] else { panic!("one thread {thread}") };
    let status = std::fs::read_to_string(task.path().join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

/// Alone in its process, since each test's stores have threads of these names.
#[test]
fn a_driver_with_nothing_to_do_sleeps() {
    if alone::has_run(a_driver_with_nothing_to_do_sleeps) {
        return;
    }
    // A kept connection, a call that waits for its answer, and one that waits for a place.
    let server = Server::start(|seen| if seen.number < 2 { answer(seen) } else { vec![Step::Stall] });
    // A look at the path of a call that waits for its answer would be a tick.
    let keys = [
        ("request_timeout_ms", "600000"),
        ("connection_pool_size", "2"),
        ("attempt_timeout_ms", "300000"),
        ("dead_connection_timeout_ms", "0"),
    ];
    let remote = open(&server, &keys);
    let queue = queue();
    for _ in 0..2 {
        drop(submit(&remote, &queue, 1));
        outcome(next(&queue)).1.unwrap();
    }
    (0..3).for_each(|id| drop(submit(&remote, &queue, id)));
    wait_until("all wait", || server.requests() == 4 && remote.waiting() == 1);
    let threads = ["feast-driver", "feast-reaper"];
    let settled = Cell::new(threads.map(sleeps_of));
    // The last of what brought them here; a tick of less than a second would show.
    wait_until("nothing happens for a second", || {
        thread::sleep(Duration::from_secs(1));
        settled.replace(threads.map(sleeps_of)) == threads.map(sleeps_of)
    });
}

#[test]
fn a_caller_alone_starts_no_driver_where_calls_are_merged() {
    if alone::has_run(a_caller_alone_starts_no_driver_where_calls_are_merged) {
        return;
    }
    let server = Server::start(answer);
    let remote = open(&server, &[("merge_max_rows", "64")]);
    (0..50).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(threads_named("feast-driver").len(), 0);
    // Another call than the blocking one needs it.
    let queue = queue();
    drop(submit(&remote, &queue, 1));
    outcome(next(&queue)).1.unwrap();
    assert_eq!(threads_named("feast-driver").len(), 1);
}
