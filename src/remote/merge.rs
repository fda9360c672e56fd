//! Which calls may go out in one request: those that ask the same question while a request of it is under way.
//!
//! Here is what callers' threads and the driver both look at; the calls that wait stand in lines at the driver
//! (`driver/merging`).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering, fence, lock};
use crate::wire::request::Request;

/// Questions that are known at a time; those that come beyond go unmerged.
const MOST_QUESTIONS: usize = 256;

/// The questions of a store that merges. Used by any number of threads.
pub struct Merging {
    /// Rows of a merged request at most.
    pub max_rows: usize,
    /// As configured; 0: found.
    pub in_flight: usize,
    /// Whether the first merged answers are compared with unmerged ones.
    pub check: bool,
    since: Instant,
    questions: Mutex<HashMap<Vec<u8>, Arc<Question>>>,
}

/// What a request asks, without its rows.
pub struct Question {
    /// Its line's number at the driver, different from those of all exchanges.
    pub number: u64,
    /// A request of it, without rows.
    pub request: Request,
    since: Instant,
    /// Requests of it under way, by callers' threads or by the driver.
    in_flight: AtomicUsize,
    /// How many there may be before calls gather.
    limit: AtomicUsize,
    /// Calls that wait, at the driver or on their way there.
    waiting: AtomicUsize,
    /// Calls answered on their callers' threads that the driver has not counted yet.
    answered_alone: AtomicUsize,
    /// It is never merged again.
    refused: AtomicBool,
    // Microseconds since the store was opened.
    /// It is not merged before.
    unmerged_until: AtomicU64,
    /// The driver looks at its line by then, whether it is told or not.
    looked_at: AtomicU64,
    /// Microseconds that requests of it take.
    usual: AtomicU64,
}

impl Merging {
    /// As configured; `None` if calls are not merged.
    pub fn new(config: &Config) -> Option<Merging> {
        (config.merge_max_rows > 0).then(|| Merging {
            max_rows: config.merge_max_rows,
            in_flight: config.merge_in_flight,
            check: config.merge_check,
            since: Instant::now(),
            questions: Mutex::new(HashMap::new()),
        })
    }

    /// What a request that may be merged asks; `new_number` gives the number of a question that is not known yet.
    pub fn question(&self, request: &Request, new_number: impl FnOnce() -> u64) -> Option<Arc<Question>> {
        if request.rows() > self.max_rows / 2 {
            return None;
        }
        let key = request.merge_key()?;
        let mut questions = lock(&self.questions);
        if let Some(known) = questions.get(&key) {
            return Some(Arc::clone(known));
        }
        if questions.len() >= MOST_QUESTIONS {
            // The driver's line keeps a question that has been merged, so only what nobody uses goes.
            questions.retain(|_, question| Arc::strong_count(question) > 1);
            if questions.len() >= MOST_QUESTIONS {
                return None;
            }
        }
        let question = Arc::new(Question::new(new_number(), request, self.since, self.in_flight.max(1)));
        questions.insert(key, Arc::clone(&question));
        Some(question)
    }
}

impl Question {
    fn new(number: u64, request: &Request, since: Instant, limit: usize) -> Question {
        Question {
            number,
            request: request.question(),
            since,
            in_flight: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            waiting: AtomicUsize::new(0),
            answered_alone: AtomicUsize::new(0),
            refused: AtomicBool::new(false),
            unmerged_until: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            usual: AtomicU64::new(0),
        }
    }

    fn microseconds(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.since).as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether it is not merged, now or ever.
    pub fn is_unmerged(&self, now: Instant) -> bool {
        self.refused.load(Ordering::Relaxed)
            || self.microseconds(now) < self.unmerged_until.load(Ordering::Relaxed)
    }

    /// It is never merged again.
    pub fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// It is not merged before this.
    pub fn unmerge_until(&self, until: Instant) {
        self.unmerged_until.store(self.microseconds(until), Ordering::Relaxed);
    }

    /// Counts a request of it as under way, unless there are as many as there may be before calls gather.
    pub fn try_begin(self: &Arc<Question>) -> Option<UnderWay> {
        let limit = self.limit.load(Ordering::Relaxed);
        let more = |count| (count < limit).then_some(count + 1);
        let begun = self.in_flight.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        begun.ok().map(|_| UnderWay(Arc::clone(self)))
    }

    /// Counts one more as under way, however many there are.
    pub fn begin(self: &Arc<Question>) -> UnderWay {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        UnderWay(Arc::clone(self))
    }

    /// Whether calls wait for a request of it to end.
    pub fn is_waited_for(&self) -> bool {
        // Who waits says so first and then looks at what is under way; who ends a request does it the other way round.
        fence(Ordering::SeqCst);
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Counts a call as waiting.
    pub fn wait(self: &Arc<Question>) -> WaitingFor {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        WaitingFor(Arc::clone(self))
    }

    /// Requests of it under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Sets how many there may be before calls gather.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Whether a call that has just been left for the driver is found there in time without the driver being told: a
    /// request is under way, and the driver looks before this deadline in any case.
    pub fn is_found_by(&self, deadline: Deadline, now: Instant) -> bool {
        fence(Ordering::SeqCst);
        let looked_at = self.looked_at.load(Ordering::SeqCst);
        let deadline = deadline.at().map_or(u64::MAX, |at| self.microseconds(at));
        self.in_flight() > 0 && self.microseconds(now) < looked_at && looked_at < deadline
    }

    /// The driver looks at the line by then, or not by itself.
    pub fn set_looked_at(&self, at: Option<Instant>) {
        self.looked_at.store(at.map_or(0, |at| self.microseconds(at)), Ordering::SeqCst);
    }

    /// A request of it has taken so long.
    pub fn took(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let before = self.usual.load(Ordering::Relaxed);
        let usual = if before == 0 { time } else { (before / 8).saturating_mul(7).saturating_add(time / 8) };
        self.usual.store(usual, Ordering::Relaxed);
    }

    /// How long the first of those who wait waits before one more request may go: a request that hangs does not hold
    /// all others.
    pub fn patience(&self) -> Duration {
        let usual = self.usual.load(Ordering::Relaxed);
        // Before anything is known, as for a request of some milliseconds.
        let usual = if usual == 0 { 5_000 } else { usual };
        Duration::from_micros(usual.saturating_mul(2).max(1_000))
    }

    /// A call was answered on its caller's thread.
    pub fn count_alone(&self) {
        self.answered_alone.fetch_add(1, Ordering::Relaxed);
    }

    /// Those of them that have not been asked for yet.
    pub fn take_answered_alone(&self) -> usize {
        self.answered_alone.swap(0, Ordering::Relaxed)
    }
}

/// Counts a request as under way until it is dropped.
pub struct UnderWay(Arc<Question>);

impl UnderWay {
    /// What it asks.
    pub fn question(&self) -> &Arc<Question> {
        &self.0
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts a call as waiting until it is dropped.
pub struct WaitingFor(Arc<Question>);

impl WaitingFor {
    /// What it asks.
    pub fn question(&self) -> &Arc<Question> {
        &self.0
    }
}

impl Drop for WaitingFor {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
