//! Asynchronous calls whose tags are what they ask for.

use std::sync::Arc;

use super::store::ask;
use feast_remote::error::{Code, Result};
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::{CallHandle, Event, EventQueue, Remote};

pub fn queue() -> Arc<EventQueue> {
    Arc::new(EventQueue::new().unwrap())
}

/// A call whose tag is what it asks for.
pub fn submit(remote: &Remote, queue: &Arc<EventQueue>, id: i64) -> CallHandle {
    remote.submit(&ask(id), queue, id as usize).unwrap()
}

/// The next event; fails the test if none comes for long.
pub fn next(queue: &EventQueue) -> Event {
    let mut event = None;
    queue.poll(1, Deadline::in_milliseconds(30_000), |taken| event = Some(taken));
    event.expect("an event")
}

pub fn nothing_comes(queue: &EventQueue) -> bool {
    let mut count = 0;
    queue.poll(1, Deadline::in_milliseconds(0), |_| count += 1);
    count == 0
}

/// The tag, and whether the answer belongs to the question; or how it failed.
pub fn outcome(event: Event) -> (usize, Result<()>) {
    let tag = event.tag();
    let response = event.into_response().map(|response| {
        let id = tag as i64;
        assert_eq!(response.int64(0).unwrap(), [id]);
        assert_eq!(response.int64(1).unwrap(), [1000 * id]);
        assert_eq!(response.int64(2).unwrap(), [1000 * id + 1]);
    });
    (tag, response)
}

pub fn code(event: Event) -> Code {
    outcome(event).1.unwrap_err().code
}
