//! An asynchronous call as its caller sees it: one, although several requests may go out for it, and one event in the
//! end, whatever happens.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::events::{Answer, Event, EventQueue};
use super::store::Store;
use crate::auth::Token;
use crate::error::{Code, Error};
use crate::observe::statistics::Stats;
use crate::process::sync::{Arc, AtomicBool, Mutex, Ordering, lock};
use crate::wire::request::Request;

/// See the module. Shared by the caller's handle and the driver's requests.
pub struct Pending {
    store: Arc<Store>,
    queue: Arc<EventQueue>,
    tag: usize,
    start: Instant,
    /// Numbers of its requests at the driver.
    numbers: Range<u64>,
    cancelled: AtomicBool,
    /// `None` once the event is out.
    state: Mutex<Option<Gathered>>,
}

struct Gathered {
    question: Request,
    bodies: Vec<Vec<u8>>,
    missing: usize,
    attempts: u32,
}

/// The driver's end of one of a call's requests. Dropped without a word, it fails the call: no event is ever lost.
pub struct Part {
    pending: Arc<Pending>,
    number: u64,
    finished: bool,
}

impl Pending {
    /// A call that waits for the answers to these requests; `question` is what they are decoded by.
    pub fn new(
        store: Arc<Store>,
        queue: Arc<EventQueue>,
        tag: usize,
        question: Request,
        start: Instant,
        numbers: Range<u64>,
    ) -> Arc<Pending> {
        let count = (numbers.end - numbers.start) as usize;
        let gathered = Gathered { question, bodies: vec![Vec::new(); count], missing: count, attempts: 0 };
        Arc::new(Pending {
            store,
            queue,
            tag,
            start,
            numbers,
            cancelled: AtomicBool::new(false),
            state: Mutex::new(Some(gathered)),
        })
    }

    /// The driver's ends, one for each request.
    pub fn parts(self: &Arc<Pending>) -> impl Iterator<Item = Part> {
        let pending = Arc::clone(self);
        self.numbers.clone().map(move |number| Part {
            pending: Arc::clone(&pending),
            number,
            finished: false,
        })
    }

    /// Numbers of its requests at the driver.
    pub fn numbers(&self) -> Range<u64> {
        self.numbers.clone()
    }

    /// Asks for its end; `true` if the driver has to be told.
    pub fn cancel(&self) -> bool {
        !self.cancelled.swap(true, Ordering::AcqRel) && lock(&self.state).is_some()
    }

    fn completed_by(&self, bytes: usize) -> Option<(usize, Duration)> {
        let state = lock(&self.state);
        let is_last = |it: &&Gathered| it.bodies.len() > 1 && it.missing == 1 && it.attempts == 1;
        let gathered = state.as_ref().filter(is_last)?;
        let others: usize = gathered.bodies.iter().map(Vec::len).sum();
        Some((others + bytes, self.start.elapsed()))
    }

    fn answered(&self, number: u64, body: Vec<u8>, attempts: u32, token: Option<Token>) {
        let mut state = lock(&self.state);
        let Some(gathered) = state.as_mut() else { return };
        gathered.bodies[(number - self.numbers.start) as usize] = body;
        gathered.attempts = gathered.attempts.max(attempts);
        gathered.missing -= 1;
        if gathered.missing > 0 {
            return;
        }
        let Some(Gathered { question, bodies, attempts, .. }) = state.take() else { return };
        drop(state);
        let (store, took) = (Arc::clone(&self.store), self.start.elapsed());
        let answer = Answer { store, question, bodies, attempts, token, took };
        self.queue.events.push(Event { tag: self.tag, outcome: Ok(answer) });
    }

    fn failed(&self, error: Error) {
        let Some(gathered) = lock(&self.state).take() else { return };
        // The other requests have nobody to answer any more.
        self.cancelled.store(true, Ordering::Release);
        Stats::count(&self.store.stats.calls_failed);
        gathered.bodies.into_iter().for_each(|body| self.store.keep_buffer(body));
        self.queue.events.push(Event { tag: self.tag, outcome: Err(error) });
    }
}

impl Part {
    /// Different from that of every other request at the driver.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The other requests of the call, this one too.
    pub fn siblings(&self) -> Range<u64> {
        self.pending.numbers()
    }

    /// The bytes of the call's answers and the time that it took, if it went out in parts, the others were answered at
    /// their first attempt, and this answer, of so many bytes, is the last one.
    pub fn completes(&self, bytes: usize) -> Option<(usize, Duration)> {
        self.pending.completed_by(bytes)
    }

    /// Whether nobody waits for it any more, and why.
    pub fn is_unwanted(&self) -> Option<Error> {
        let unwanted =
            self.pending.cancelled.load(Ordering::Acquire) || self.pending.queue.events.is_closed();
        unwanted.then(|| Error::new(Code::Cancelled, "the call was cancelled"))
    }

    /// The request, made with this token, was answered with an HTTP 200. The queue's new event is yet to be announced.
    pub fn answered(mut self, body: Vec<u8>, attempts: u32, token: Option<Token>) -> Arc<EventQueue> {
        self.finished = true;
        self.pending.answered(self.number, body, attempts, token);
        Arc::clone(&self.pending.queue)
    }

    /// The request failed, and the call with it. The queue's new event is yet to be announced.
    pub fn failed(mut self, error: Error) -> Arc<EventQueue> {
        self.finished = true;
        self.pending.failed(error);
        Arc::clone(&self.pending.queue)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            self.pending.failed(Error::new(Code::Internal, "a bug in libfeast_remote: the call was lost"));
            self.pending.queue.events.announce();
        }
    }
}
