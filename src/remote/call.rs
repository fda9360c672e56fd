//! A call that the driver carries, as its caller sees it: one, whatever exchanges it takes, with one end, whatever happens.

use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::events::{Answer, Event, EventQueue};
use super::origin::Origin;
use super::store::Store;
use super::waiter::Waiter;
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::process::sync::{Arc, AtomicBool, Mutex, Ordering, lock};
use crate::server_name::ServerName;
use crate::timing::Timing;
use crate::wire::request::Request;

/// Numbers of what drivers carry, in all stores.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// So many numbers that no exchange has had.
pub fn new_numbers(count: usize) -> Range<u64> {
    let first = NUMBERS.fetch_add(count as u64, Relaxed);
    first..first + count as u64
}

/// See the module. Shared by the caller and by the exchanges at the driver.
pub struct Call {
    store: Arc<Store>,
    report_to: ReportTo,
    start: Instant,
    /// Numbers of its exchanges at the driver.
    numbers: Range<u64>,
    cancelled: AtomicBool,
    /// `None` once the call has ended.
    state: Mutex<Option<Gathered>>,
}

/// Who is told of a call's end.
pub enum ReportTo {
    /// Whoever polls this queue, by an event with this tag.
    Queue(Arc<EventQueue>, usize),
    /// A thread that waits for this call alone.
    Waiter(Arc<Waiter<Result<Answer>>>),
    /// Something larger that the call is one step of.
    Sequence(Arc<dyn Sequence>),
}

/// Something that takes several calls, one after the other. Used by the driver's thread.
pub trait Sequence: Send + Sync {
    /// Nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    /// A call of it has ended.
    fn call_ended(self: Arc<Self>, outcome: Result<Answer>);
}

/// The answers so far.
struct Gathered {
    question: Request,
    bodies: Vec<Vec<u8>>,
    missing: usize,
    /// That gave them, if there are several parts.
    servers: Vec<ServerName>,
    /// Of the exchange that ended last, with the bytes of all.
    timing: Timing,
}

/// An exchange's share in a call: the whole of it, or one part. Dropped before it was told how the exchange ended, it
/// fails the call: no end is ever lost.
pub struct Member {
    call: Arc<Call>,
    number: u64,
    told: bool,
}

impl Call {
    /// A call that waits for the answers to these exchanges; `question` is what they are decoded by.
    pub fn new(
        store: Arc<Store>,
        report_to: ReportTo,
        question: Request,
        start: Instant,
        numbers: Range<u64>,
    ) -> Arc<Call> {
        let count = (numbers.end - numbers.start) as usize;
        let gathered = Gathered {
            question,
            bodies: vec![Vec::new(); count],
            missing: count,
            servers: Vec::new(),
            timing: Timing::default(),
        };
        Arc::new(Call {
            store,
            report_to,
            start,
            numbers,
            cancelled: AtomicBool::new(false),
            state: Mutex::new(Some(gathered)),
        })
    }

    /// Its exchanges' shares in it, one for each.
    pub fn members(self: &Arc<Call>) -> impl Iterator<Item = Member> {
        let call = Arc::clone(self);
        self.numbers.clone().map(move |number| Member { call: Arc::clone(&call), number, told: false })
    }

    /// Numbers of its exchanges at the driver.
    pub fn numbers(&self) -> Range<u64> {
        self.numbers.clone()
    }

    /// Asks for its end; `true` if the driver has to be told.
    pub fn cancel(&self) -> bool {
        !self.cancelled.swap(true, Ordering::AcqRel) && lock(&self.state).is_some()
    }

    fn is_abandoned(&self) -> bool {
        let nobody_polls = match &self.report_to {
            ReportTo::Queue(queue, _) => queue.events.is_closed(),
            ReportTo::Waiter(_) => false,
            ReportTo::Sequence(sequence) => sequence.is_abandoned(),
        };
        nobody_polls || self.cancelled.load(Ordering::Acquire)
    }

    fn completed_by(&self, bytes: usize) -> Option<(usize, Duration)> {
        let state = lock(&self.state);
        let is_last = |it: &&Gathered| it.bodies.len() > 1 && it.missing == 1 && it.timing.attempts == 1;
        let gathered = state.as_ref().filter(is_last)?;
        let others: usize = gathered.bodies.iter().map(Vec::len).sum();
        Some((others + bytes, self.start.elapsed()))
    }

    fn answered(&self, number: u64, body: Vec<u8>, timing: Timing, mut origin: Origin, calls: usize) {
        let mut state = lock(&self.state);
        let Some(gathered) = state.as_mut() else { return };
        gathered.bodies[(number - self.numbers.start) as usize] = body;
        let before = std::mem::replace(&mut gathered.timing, timing);
        gathered.timing.attempts = timing.attempts.max(before.attempts);
        gathered.timing.bytes_sent += before.bytes_sent;
        gathered.timing.bytes_received += before.bytes_received;
        gathered.missing -= 1;
        // Of a call that has only one part its own will do.
        if gathered.bodies.len() > 1 && !gathered.servers.contains(&origin.server) {
            gathered.servers.push(origin.server.clone());
        }
        if gathered.missing > 0 {
            return;
        }
        let Some(Gathered { question, bodies, timing, servers, .. }) = state.take() else { return };
        drop(state);
        let (store, took) = (Arc::clone(&self.store), self.start.elapsed());
        let timing = timing.of_call(took, calls);
        if servers.len() > 1 {
            origin.server = ServerName::new(&ServerName::join(&servers));
        }
        self.report(Ok(Answer { store, question, bodies, timing, origin, took, calls_in_request: calls }));
    }

    fn failed(&self, error: Error) {
        let Some(gathered) = lock(&self.state).take() else { return };
        // The other exchanges have nobody to answer any more.
        self.cancelled.store(true, Ordering::Release);
        // A write is no call; it counts its own end.
        if !matches!(self.report_to, ReportTo::Sequence(_)) {
            Stats::count(&self.store.stats.calls_failed);
        }
        gathered.bodies.into_iter().for_each(|body| self.store.keep_buffer(body));
        self.report(Err(error));
    }

    fn report(&self, outcome: Result<Answer>) {
        match &self.report_to {
            ReportTo::Queue(queue, tag) => queue.events.push(Event::of_call(*tag, outcome)),
            ReportTo::Waiter(waiter) => waiter.complete(outcome),
            ReportTo::Sequence(sequence) => Arc::clone(sequence).call_ended(outcome),
        }
    }

    /// The queue whose event, if there is one, is yet to be announced.
    fn queue(&self) -> Option<Arc<EventQueue>> {
        match &self.report_to {
            ReportTo::Queue(queue, _) => Some(Arc::clone(queue)),
            ReportTo::Waiter(_) | ReportTo::Sequence(_) => None,
        }
    }
}

impl Member {
    /// The exchange's number, different from that of every other one at the driver.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The numbers of all exchanges of the call, this one's too.
    pub fn siblings(&self) -> Range<u64> {
        self.call.numbers()
    }

    /// The bytes of the call's answers and the time that it took, if it went out in parts, the others were answered at
    /// their first attempt, and this answer, of so many bytes, is the last one.
    pub fn completes(&self, bytes: usize) -> Option<(usize, Duration)> {
        self.call.completed_by(bytes)
    }

    /// Whether nobody waits for it any more, and why.
    pub fn is_abandoned(&self) -> Option<Error> {
        self.call.is_abandoned().then(|| Error::new(Code::Cancelled, "the call was cancelled"))
    }

    /// The exchange, for so many `calls`, was answered with an HTTP 200 from there. The queue returned may have an
    /// event that is yet to be announced.
    pub fn answered(
        mut self,
        body: Vec<u8>,
        timing: Timing,
        origin: Origin,
        calls: usize,
    ) -> Option<Arc<EventQueue>> {
        self.told = true;
        self.call.answered(self.number, body, timing, origin, calls);
        self.call.queue()
    }

    /// The exchange failed, and the call with it. The queue returned may have an event that is yet to be announced.
    pub fn failed(mut self, error: Error) -> Option<Arc<EventQueue>> {
        self.told = true;
        self.call.failed(error);
        self.call.queue()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if !self.told {
            self.call.failed(Error::new(Code::Internal, "a bug in libfeast_remote: the call was lost"));
            if let Some(queue) = self.call.queue() {
                queue.events.announce();
            }
        }
    }
}
