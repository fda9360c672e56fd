//! How asynchronous calls come back: as events of a queue, which any number of stores may serve.

pub mod queue;

use std::sync::Weak;
use std::time::Duration;

use super::origin::Origin;
use super::store::Store;
use super::write::Written;
use crate::columns::{Dense, Matrix, Response};
use crate::error::{Error, Result};
use crate::policy::deadline::Deadline;
use crate::process::fork;
use crate::process::sync::{Arc, Mutex, lock};
use crate::timing::Timing;
use crate::transport::EventFd;
use crate::wire::answer::frame::Layout;
use crate::wire::answer::join;
use crate::wire::request::Request;
use queue::Queue;

/// What a queue carries: a finished call, or a finished write.
pub struct Event {
    tag: usize,
    outcome: Result<Outcome>,
}

/// What came of it.
#[allow(clippy::large_enum_variant, reason = "moved once, and nearly always the larger one")]
enum Outcome {
    Answer(Answer),
    Written(Written),
}

/// The same, for the program.
#[allow(clippy::large_enum_variant, reason = "moved once, to where it stays")]
pub enum Taken {
    /// The answer as columns.
    Response(Response),
    /// Rows were written.
    Written(Written),
}

/// The bodies of the HTTP 200s that answer a request, not yet decoded: that is the work of the thread that takes the
/// event out, so that a large answer does not hold up the others.
pub struct Answer {
    pub(super) store: Arc<Store>,
    pub(super) question: Request,
    pub(super) bodies: Vec<Vec<u8>>,
    pub(super) timing: Timing,
    /// Of the last one, with the servers of all.
    pub(super) origin: Origin,
    /// From the call to the last byte.
    pub(super) took: Duration,
    /// That the request asked for.
    pub(super) calls_in_request: usize,
}

/// Where the calls of a queue come from: a store's driver.
pub trait CallSource: Send + Sync {
    /// The queue was closed; nobody waits for the calls that it has.
    fn queue_closed(&self);
}

/// The events of finished calls. Used by any number of threads and stores at once.
pub struct EventQueue {
    pub(super) events: Queue<Event>,
    /// Where its calls come from.
    sources: Mutex<Vec<Weak<dyn CallSource>>>,
    generation: u32,
}

impl EventQueue {
    /// Empty, for calls of this process.
    pub fn new() -> Result<EventQueue> {
        crate::transport::watch_forks()?;
        Ok(EventQueue {
            events: Queue::new(EventFd::new()?),
            sources: Mutex::new(Vec::new()),
            generation: fork::generation(),
        })
    }

    /// Takes out up to `most` events; waits until the deadline for the first one. In a process forked from the queue's
    /// there are none.
    pub fn poll(&self, most: usize, deadline: Deadline, out: impl FnMut(Event)) {
        if self.is_of_this_process() {
            self.events.poll(most, deadline, out);
        }
    }

    /// Makes a poll that waits now, or else the next one that finds nothing, return with nothing.
    pub fn wake(&self) {
        if self.is_of_this_process() {
            self.events.wake();
        }
    }

    /// A descriptor that is readable while there are events, or a wake that no poll has seen.
    pub fn fd(&self) -> Option<i32> {
        self.is_of_this_process().then(|| self.events.fd())
    }

    /// Tells those who wait that there are events.
    pub(super) fn announce(&self) {
        self.events.announce();
    }

    /// Drops its events, and cancels the calls that have none yet.
    pub fn close(&self) {
        if self.is_of_this_process() {
            self.events.close();
            let sources = std::mem::take(&mut *lock(&self.sources));
            sources.iter().filter_map(Weak::upgrade).for_each(|source| source.queue_closed());
        }
    }

    /// A store has calls for it.
    pub(super) fn serve(&self, source: &Arc<dyn CallSource>) -> Result<()> {
        if !self.is_of_this_process() {
            let why = "this queue was opened before a fork and belongs to the parent process; open another one here";
            return Err(Error::argument(why));
        }
        let mut sources = lock(&self.sources);
        if !sources.iter().any(|known| std::ptr::addr_eq(known.as_ptr(), Arc::as_ptr(source))) {
            sources.retain(|known| known.strong_count() > 0);
            sources.push(Arc::downgrade(source));
        }
        Ok(())
    }

    /// Whether it was opened by this process, and not by one that this process was forked from.
    pub fn is_of_this_process(&self) -> bool {
        self.generation == fork::generation()
    }
}

impl Event {
    /// The caller's own, from when the call was made.
    pub fn tag(&self) -> usize {
        self.tag
    }

    /// Of a call.
    pub(super) fn of_call(tag: usize, outcome: Result<Answer>) -> Event {
        Event { tag, outcome: outcome.map(Outcome::Answer) }
    }

    /// Of a write.
    pub(super) fn of_write(tag: usize, outcome: Result<Written>) -> Event {
        Event { tag, outcome: outcome.map(Outcome::Written) }
    }

    /// The answer of a call as columns.
    pub fn into_response(self) -> Result<Response> {
        match self.take()? {
            Taken::Response(response) => Ok(response),
            Taken::Written(_) => Err(Error::argument("the event is one of a write, which has no response")),
        }
    }

    /// What came of it; an answer is decoded now.
    pub fn take(self) -> Result<Taken> {
        Ok(match self.outcome? {
            Outcome::Answer(answer) => Taken::Response(answer.into_response()?),
            Outcome::Written(written) => Taken::Written(written),
        })
    }
}

impl Answer {
    /// The answer as columns.
    pub fn into_response(self) -> Result<Response> {
        let calls_in_request = self.calls_in_request;
        let store = Arc::clone(&self.store);
        let question = store.known_types.is_some().then(|| self.question.clone());
        let server = self.origin.server.clone();
        let (mut response, timing) = self.read(join::decode)?;
        if let Some(question) = question {
            store.remember_types(&question, &mut response);
        }
        response.set_calls_in_request(calls_in_request);
        response.set_timing(timing);
        response.set_server(server);
        Ok(response)
    }

    /// The answer straight into a matrix.
    pub fn into_matrix(self, dense: &mut Dense<'_, f32, impl Matrix<f32>>) -> Result<()> {
        self.read(|bodies, question, layout| join::decode_into(bodies, question, layout, dense)).map(|_| ())
    }

    fn read<T>(
        self,
        mut decode: impl FnMut(&[Vec<u8>], &Request, &mut Layout) -> Result<T>,
    ) -> Result<(T, Timing)> {
        let Answer { store, question, bodies, timing, origin, took, .. } = self;
        let (read, decoding) = store.decode(bodies, &timing, &origin, &question, |bodies, layout| {
            decode(bodies, &question, layout)
        })?;
        let total = took + decoding;
        store.stats.total.record(total);
        Ok((read, timing.decoded(decoding, total)))
    }
}
