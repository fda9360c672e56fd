//! One HTTP request and its answer, tried until it has one or an error: what to do after each attempt. Knows of no thread
//! and no socket; the blocking way and the driver ask the same questions and do as they are told.

mod ended;
mod next_step;

use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::failure::{classify, is_answer, outcome_of};
use super::inner::Inner;
use super::origin::Origin;
use super::store::Store;
use super::tried::Tried;
use super::write_state::WriteState;
use crate::auth::Token;
use crate::error::{Code, Error};
use crate::observe::log::{self, Level};
use crate::observe::statistics::Stats;
use crate::policy::admission::Claim;
use crate::policy::attempt_times::Attempted;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, Ordering};
use crate::servers::{Assignment, Server};
use crate::timing::{AttemptTimes, Stopwatch, Timing};
use crate::transport::{RequestHead, Transfer, TransferError, TransferErrorKind};
use crate::wire::endpoint::Endpoint;
use crate::wire::request::{RequestData, RequestHeaders};

/// Request data is put where another kind of server takes it, and back again: something that is neither may have answered.
const MOST_MOVES: u32 = 2;

/// An exchange under way.
pub struct Exchange {
    start: Instant,
    deadline: Deadline,
    attempts: u32,
    /// Those of them that went out beside another one.
    hedges: u32,
    attempt_start: Instant,
    /// Rows that it asks for.
    rows: usize,
    tried: Tried,
    /// It goes to this server only, and only once.
    only: Option<Arc<Server>>,
    watch: Stopwatch,
    /// Why the last attempt failed, while another one is on its way.
    last: Option<Error>,
    http_status: u16,
    token_renewed: bool,
    /// The program is to set another one.
    refused: Option<Token>,
    /// Asked once more after an error that the application reported.
    asked_once_more: bool,
    /// Attempts of which a kept connection was found dead.
    dead_connections: u32,
    /// It asks for several calls at once.
    merged: bool,
    /// Of its HTTP requests, besides the store's.
    headers: Option<Arc<RequestHeaders>>,
    endpoint: Endpoint,
    /// Of its body, if there is some; and how often it was moved because the other kind of server answered.
    request_data: Option<RequestData>,
    moves: u32,
    /// If it writes.
    write: Option<Arc<WriteState>>,
}

/// What to do after an attempt.
pub enum Next {
    /// Nothing: this is the body of the HTTP 200, and where it is from.
    Answered(Vec<u8>, Origin),
    /// Make another attempt after this wait, which ends before the deadline.
    Retry(Duration),
    /// Give up.
    Failed {
        /// For the caller.
        error: Error,
        /// One of several calls that were merged may be the reason: ask for each by itself.
        splits: bool,
    },
}

impl Exchange {
    /// The exchange of a call that began at `start` and has to end by this deadline.
    pub fn new(start: Instant, deadline: Deadline) -> Exchange {
        Exchange {
            start,
            deadline,
            attempts: 0,
            hedges: 0,
            attempt_start: start,
            rows: 0,
            tried: Tried::default(),
            only: None,
            watch: Stopwatch::new(start),
            last: None,
            http_status: 0,
            token_renewed: false,
            refused: None,
            asked_once_more: false,
            dead_connections: 0,
            merged: false,
            headers: None,
            endpoint: Endpoint::GetOnlineFeatures,
            request_data: None,
            moves: 0,
            write: None,
        }
    }

    /// The exchange of several calls at once, which the last of them waits for until this deadline.
    pub fn merged(start: Instant, deadline: Deadline) -> Exchange {
        Exchange { merged: true, ..Exchange::new(start, deadline) }
    }

    /// Its HTTP requests carry these headers, too.
    pub fn with_headers(self, headers: Option<Arc<RequestHeaders>>) -> Exchange {
        Exchange { headers, ..self }
    }

    /// It goes to this endpoint of the server.
    pub fn to(self, endpoint: Endpoint) -> Exchange {
        Exchange { endpoint, ..self }
    }

    /// It asks for so many rows.
    pub fn with_rows(self, rows: usize) -> Exchange {
        Exchange { rows, ..self }
    }

    /// There is request data in its body.
    pub fn with_request_data(self, request_data: Option<RequestData>) -> Exchange {
        Exchange { request_data, ..self }
    }

    /// Puts the request data where the server takes it, before an attempt.
    pub fn place_request_data(&mut self, store: &Store, body: &mut Vec<u8>) {
        if let Some(data) = &mut self.request_data {
            data.put(body, store.server_kind.get());
        }
    }

    /// It goes to this server, whatever is known of it, and is tried once.
    pub fn only_at(self, server: &Arc<Server>) -> Exchange {
        Exchange { only: Some(Arc::clone(server)), ..self }
    }

    /// The server that it must go to.
    pub fn only(&self) -> Option<&Arc<Server>> {
        self.only.as_ref()
    }

    /// Whether an attempt brought what it was to bring, as far as that can be seen from outside.
    pub fn is_answered_by(&self, transfer: &Transfer) -> bool {
        is_answer(transfer, self.endpoint)
    }

    /// Rows that it asks for.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the same request may go out twice at a time.
    pub fn may_be_hedged(&self) -> bool {
        !self.merged && self.write.is_none()
    }

    /// It writes rows.
    pub fn writing(self, state: Arc<WriteState>) -> Exchange {
        Exchange { write: Some(state), ..self }
    }

    /// What its next request is sent with.
    pub fn head<'a>(&'a self, token: Option<&'a Token>) -> RequestHead<'a> {
        if let Some(write) = &self.write {
            write.on_wire.store(true, Ordering::Relaxed);
        }
        RequestHead {
            endpoint: self.endpoint,
            token,
            headers: self.headers.as_ref(),
            fresh_connection: self.write.as_ref().is_some_and(|write| write.appends),
        }
    }

    /// Covers everything that the exchange waits for.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// What it asks for a permit for. Those who wait for a merged one have deadlines of their own.
    pub fn claim(&self) -> Claim {
        let rows = (self.endpoint == Endpoint::GetOnlineFeatures && self.only.is_none()).then_some(self.rows);
        Claim { deadline: self.deadline, rows }
    }

    /// What an attempt that took so long says of those that others will make.
    pub fn attempted(&self, took: Duration, transfer: &Transfer) -> Option<Attempted> {
        let answered = match &transfer.result {
            Ok(200) => true,
            Err(TransferError { kind: TransferErrorKind::Timeout(_), .. }) => false,
            _ => return None,
        };
        self.claim().rows.map(|rows| Attempted { rows, took, answered })
    }

    /// Whether an attempt has gone to this server.
    pub fn has_tried(&self, server: &Server) -> bool {
        self.tried.has(server)
    }

    /// An attempt begins now, at this server and with this token.
    pub fn begin_attempt(
        &mut self,
        store: &Store,
        assignment: Assignment,
        token: Option<Token>,
        now: Instant,
    ) -> Attempt {
        self.watch.begin_attempt(now);
        self.attempt_start = now;
        self.attempt(store, assignment, token, now)
    }

    /// The same, beside an attempt that is under way.
    pub fn begin_hedge(
        &mut self,
        store: &Store,
        assignment: Assignment,
        token: Option<Token>,
        now: Instant,
    ) -> Attempt {
        self.hedges += 1;
        self.watch.begin_hedge();
        self.attempt(store, assignment, token, now)
    }

    fn attempt(
        &mut self,
        store: &Store,
        mut assignment: Assignment,
        token: Option<Token>,
        now: Instant,
    ) -> Attempt {
        self.attempts += 1;
        assignment.add_rows(self.rows);
        self.tried.add(assignment.server());
        Attempt::new(store, self.deadline, assignment, token, now)
    }

    /// An attempt was answered or failed beside another one that goes on: what it did is counted.
    pub fn after_hedged(&self, inner: &Inner, attempt: &Attempt, transfer: &Transfer) {
        inner.store.record(transfer);
        inner.store.stats.attempt.record(attempt.begun.elapsed());
        self.blame(inner, attempt, transfer);
    }

    /// What came of an attempt says something about its server.
    fn blame(&self, inner: &Inner, attempt: &Attempt, transfer: &Transfer) {
        let (outcome, retry_after) = outcome_of(transfer, attempt.has_usual_time());
        inner.servers.record(attempt.assignment.server(), outcome, attempt.begun, retry_after);
    }

    /// When the call began, or the merged exchange.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// The time since the last attempt began.
    pub fn attempt_time(&self) -> Duration {
        self.attempt_start.elapsed()
    }

    /// Attempts begun so far.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Where its time went, when it has been answered.
    pub fn timing(&self) -> Timing {
        self.watch.finished()
    }

    /// The token that the server refused, if the program is to set another one.
    pub fn refused(&self) -> Option<&Token> {
        self.refused.as_ref()
    }

    /// Classifies an attempt.
    pub fn after_attempt(&mut self, inner: &Inner, attempt: Attempt, mut transfer: Transfer) -> Next {
        let Inner { store, auth, servers, .. } = inner;
        store.record(&transfer);
        let told = store.server_kind.learn(&transfer, self.request_data.is_some());
        self.blame(inner, &attempt, &transfer);
        if attempt.begun != self.attempt_start {
            self.watch.superseded_by(attempt.begun);
            self.attempt_start = attempt.begun;
        }
        let server = attempt.assignment.server().name().clone();
        let token = attempt.token.as_ref();
        let times = AttemptTimes {
            took: self.attempt_time(),
            first_byte: transfer.first_byte,
            connected: transfer.connected,
            new_connection: transfer.connections_opened > 0,
            reused: transfer.connections_opened == 0 && transfer.wire_requests > 0,
        };
        store.stats.attempt.record(times.took);
        self.watch.end_attempt(&times);
        let http_status = transfer.result.as_ref().ok().copied().unwrap_or(self.http_status);
        self.watch.carried(transfer.request_bytes, transfer.body.len(), http_status);
        let own = self.headers.clone();
        let clean = |words| {
            let words = store.mask.clean(words, token.map(|token| &**token));
            match &own {
                Some(own) => own.mask().clean(words, None),
                None => words,
            }
        };
        self.note_doubt(&transfer);
        let sent = transfer.wire_requests > 0;
        let mut failure =
            match classify(&mut transfer, self.endpoint, self.merged, store.application_errors, clean) {
                None => {
                    store.budget.refill();
                    store.application_budget.refill();
                    if let (Some(write), Ok(202)) = (&self.write, &transfer.result) {
                        write.queued.store(true, Ordering::Relaxed);
                    }
                    return Next::Answered(transfer.body, Origin { server, token: attempt.token });
                }
                Some(failure) => failure,
            };
        store.keep_buffer(transfer.body);
        let said = std::mem::take(&mut failure.error.message);
        failure.error.message = clean(said);
        // The last answer stays known when a later attempt brings none.
        if failure.error.http_status != 0 {
            self.http_status = failure.error.http_status;
        }
        failure.error.http_status = self.http_status;
        if failure.error.code == Code::Unauthenticated
            && let Some(token) = token.filter(|token| auth.is_renewed_by_host(token))
        {
            Stats::count(&store.stats.tokens_refused);
            self.refused = Some(Arc::clone(token));
            self.last = Some(failure.error);
            self.watch.retry(Duration::ZERO);
            return Next::Retry(Duration::ZERO);
        }
        if failure.error.code == Code::Unauthenticated
            && !self.token_renewed
            && token.is_some_and(|token| auth.refused(token))
        {
            Stats::count(&store.stats.tokens_refused);
            self.token_renewed = true;
            self.watch.retry(Duration::ZERO);
            return Next::Retry(Duration::ZERO);
        }
        if let (Some(kind), Some(data)) = (told, &self.request_data)
            && kind != data.is_for()
            && self.moves < MOST_MOVES
            && !self.deadline.passed(Instant::now())
        {
            self.moves += 1;
            Stats::count(store.retries_after(&failure.error));
            self.last = Some(failure.error);
            self.watch.retry(Duration::ZERO);
            return Next::Retry(Duration::ZERO);
        }
        if failure.retried && sent && self.write.as_ref().is_some_and(|write| write.appends) {
            failure.retried = false;
            let why =
                "; not sent again, since it may have been done, and what is appended twice is there twice";
            failure.error.message.push_str(why);
        }
        self.dead_connections += u32::from(failure.dead_connection);
        let splits = failure.splits;
        let has_other = || servers.has_other(|server| self.has_tried(server));
        let next = match splits {
            true => Err(String::new()),
            false => self.next_step(store, &failure, has_other, || servers.has_usable()),
        };
        match next {
            Ok(wait) => {
                self.asked_once_more |= failure.once;
                if !failure.dead_connection {
                    Stats::count(store.retries_after(&failure.error));
                }
                log::write(Level::Info, || {
                    format!(
                        "{server}: attempt {}: {}; trying again in {wait:.1?}",
                        self.attempts, failure.error
                    )
                });
                self.last = Some(failure.error);
                self.watch.retry(wait);
                Next::Retry(wait)
            }
            Err(why) => {
                failure.error.message.push_str(&why);
                if self.dead_connections > 0 && !failure.dead_connection {
                    let before = "; before, nothing was acknowledged on a connection that had been in use";
                    failure.error.message.push_str(before);
                }
                Next::Failed { error: self.complete(store, failure.error), splits }
            }
        }
    }

    /// An attempt has ended, in whatever way: what was written may be there although nobody says so.
    pub fn note_doubt(&self, transfer: &Transfer) {
        if let Some(write) = &self.write {
            write.note_doubt(transfer);
        }
    }
}
