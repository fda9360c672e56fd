//! One HTTP request and its answer, tried until it has one or an error: what to do after each attempt. Knows of no thread
//! and no socket; the blocking way and the driver ask the same questions and do as they are told.

use std::time::{Duration, Instant};

use super::failure::{Failure, classify, outcome_of};
use super::inner::Inner;
use super::origin::Origin;
use super::store::Store;
use super::write_state::WriteState;
use crate::auth::Token;
use crate::error::{Code, Error};
use crate::observe::log::{self, Level};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::policy::retry::Decision;
use crate::process::sync::{Arc, Ordering};
use crate::server_name::ServerName;
use crate::servers::{Assignment, Server};
use crate::timing::{AttemptTimes, Stopwatch, Timing};
use crate::transport::{RequestHead, Transfer};
use crate::wire::endpoint::Endpoint;
use crate::wire::request::RequestHeaders;

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
    /// The server of the last attempt, and those of the attempts before that went elsewhere.
    server: Option<Arc<Server>>,
    tried: Vec<Arc<Server>>,
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
    /// If it writes.
    write: Option<Arc<WriteState>>,
}

/// An attempt under way.
pub struct Attempt {
    /// Its server.
    pub assignment: Assignment,
    /// What it was made with.
    pub token: Option<Token>,
    /// When it began, and by when it has to end.
    pub begun: Instant,
    pub deadline: Deadline,
    /// It has as much time as attempts get: if it has passed, that says something about the server.
    has_usual_time: bool,
}

impl Attempt {
    /// Another one was answered, after so long: this one has to end soon. If it has had as much time by then, that says
    /// something about its server.
    pub fn is_superseded(&mut self, deadline: Deadline, took: Duration) {
        self.assignment.is_owed();
        self.deadline = self.deadline.min(deadline);
        let end = self.deadline.at();
        self.has_usual_time = end.is_some_and(|end| end.saturating_duration_since(self.begun) >= took);
    }
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
            server: None,
            tried: Vec::new(),
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

    /// It goes to this server, whatever is known of it, and is tried once.
    pub fn only_at(self, server: &Arc<Server>) -> Exchange {
        Exchange { only: Some(Arc::clone(server)), ..self }
    }

    /// The server that it must go to.
    pub fn only(&self) -> Option<&Arc<Server>> {
        self.only.as_ref()
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

    /// The error of an exchange whose deadline has come before an attempt.
    pub fn overdue(&self, store: &Store, now: Instant) -> Option<Error> {
        self.deadline.passed(now).then(|| {
            let why = match self.attempts {
                0 => "the time was up before anything was sent",
                _ => "the time was up before the next attempt",
            };
            self.complete(store, self.ended_by(Error::new(Code::Timeout, why)))
        })
    }

    /// Whether an attempt has gone to this server.
    pub fn has_tried(&self, server: &Server) -> bool {
        let is_it = |tried: &Arc<Server>| std::ptr::eq(Arc::as_ptr(tried), server);
        self.server.as_ref().is_some_and(is_it) || self.tried.iter().any(is_it)
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
        let server = assignment.server();
        let before = self.server.replace(Arc::clone(server));
        if let Some(before) = before.filter(|before| !Arc::ptr_eq(before, server))
            && !self.tried.iter().any(|tried| Arc::ptr_eq(tried, &before))
        {
            self.tried.push(before);
        }
        let deadline = self.deadline.min(Deadline::after(now, store.attempt_timeout));
        let usual = store.attempt_timeout.into_iter().chain(store.request_timeout).min();
        let has_usual_time = usual.is_some_and(|usual| {
            // A little has passed since the call began.
            deadline.remaining(now).is_none_or(|remaining| remaining >= usual.mul_f64(0.9))
        });
        Attempt { assignment, token, begun: now, deadline, has_usual_time }
    }

    /// An attempt was answered or failed beside another one that goes on: what it did is counted.
    pub fn after_hedged(&self, inner: &Inner, attempt: &Attempt, transfer: &Transfer) {
        inner.store.record(transfer);
        inner.store.stats.attempt.record(attempt.begun.elapsed());
        self.blame(inner, attempt, transfer);
    }

    /// What came of an attempt says something about its server.
    fn blame(&self, inner: &Inner, attempt: &Attempt, transfer: &Transfer) {
        let (outcome, retry_after) = outcome_of(transfer, attempt.has_usual_time);
        inner.servers.record(attempt.assignment.server(), outcome, retry_after);
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
        if failure.retried && sent && self.write.as_ref().is_some_and(|write| write.appends) {
            failure.retried = false;
            let why =
                "; not sent again, since it may have been done, and what is appended twice is there twice";
            failure.error.message.push_str(why);
        }
        self.dead_connections += u32::from(failure.dead_connection);
        let splits = failure.splits;
        let has_other = || servers.has_other(|server| self.has_tried(server));
        let next = if splits { Err(String::new()) } else { self.next_step(store, &failure, has_other) };
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

    /// The error of an exchange that got no token.
    pub fn without_token(&self, store: &Store, error: Error) -> Error {
        let error = if error.code == Code::Timeout { self.refused_or(error) } else { error };
        self.complete(store, Error { http_status: self.http_status.max(error.http_status), ..error })
    }

    /// The refusal of the token if no newer one was set by the deadline, else this.
    pub fn refused_or(&self, error: Error) -> Error {
        match (&self.refused, &self.last) {
            (Some(_), Some(last)) if last.code == Code::Unauthenticated => {
                let why = "; no newer token was set by the call's deadline (feast_remote_set_token)";
                Error { message: format!("{}{why}", last.message), ..last.clone() }
            }
            _ => error,
        }
    }

    /// The error of an exchange that is ended from outside, between attempts or amid one.
    pub fn ended_by(&self, error: Error) -> Error {
        let http_status = if error.http_status == 0 { self.http_status } else { error.http_status };
        let timing = error.timing.or_else(|| Some(Box::new(self.watch.read())));
        let server = error.server.or_else(|| self.last_server());
        Error { attempts: self.attempts.max(error.attempts), http_status, timing, server, ..error }
    }

    /// The error of an exchange that got no permit (again): the last answer says more than the queue.
    pub fn without_permit(&mut self, store: &Store, queue: Error) -> Error {
        if let Some(write) = &self.write {
            write.on_wire.store(false, Ordering::Relaxed);
        }
        if queue.code == Code::Overloaded {
            Stats::count(&store.stats.calls_overloaded);
        }
        match self.last.take() {
            Some(mut error) if queue.code == Code::Overloaded => {
                error.message.push_str("; ");
                error.message.push_str(&queue.message);
                self.complete(store, error)
            }
            _ => self.complete(store, self.ended_by(queue)),
        }
    }

    /// How long to wait before the next attempt, or why there is none.
    fn next_step(
        &self,
        store: &Store,
        failure: &Failure,
        has_other: impl Fn() -> bool,
    ) -> Result<Duration, String> {
        if !failure.retried || self.only.is_some() || (failure.once && self.asked_once_more) {
            return Err(String::new());
        }
        let remaining = self.deadline.remaining(Instant::now());
        if failure.dead_connection {
            // The others that may be dead are replaced before they are used, so that there is no second time.
            return if remaining == Some(Duration::ZERO) { Err(String::new()) } else { Ok(Duration::ZERO) };
        }
        let failures = self.attempts - self.hedges - self.dead_connections;
        let servers = u32::try_from(self.tried_servers().count()).unwrap_or(u32::MAX).max(1);
        let of_one_server = failures.div_ceil(servers);
        let decision =
            store.retry.decide(failures, of_one_server, failure.retry_after, store.random(), remaining);
        // A server that has not been tried need not be given time to recover; what the other one asks for binds it alone.
        let decision = match decision {
            Decision::Retry(_) if has_other() => Decision::Retry(Duration::ZERO),
            Decision::PastDeadline(wait)
                if !wait.is_zero() && remaining != Some(Duration::ZERO) && has_other() =>
            {
                Decision::Retry(Duration::ZERO)
            }
            decision => decision,
        };
        match decision {
            Decision::Exhausted => Err(String::new()),
            Decision::PastDeadline(wait) if wait.is_zero() => Err(String::new()),
            Decision::PastDeadline(wait) => {
                Err(format!("; the next attempt would have come after {wait:.1?}, past the call's deadline"))
            }
            Decision::Retry(_) if failure.once => {
                let paid = store.application_budget.pay_for_retry(false);
                if paid { Ok(Duration::ZERO) } else { Err(String::new()) }
            }
            Decision::Retry(_) if !store.budget.pay_for_retry(failure.timeout) => {
                Stats::count(&store.stats.retries_refused);
                Err("; not retried, the store's retry budget is used up (retry_budget)".to_owned())
            }
            Decision::Retry(wait) => Ok(wait),
        }
    }

    /// The error of a call that waits no longer for its attempt.
    pub fn waited_in_vain(&self, store: &Store, error: Error) -> Error {
        self.complete(store, error)
    }

    /// The error of a call, one of several of this exchange, whose time was up before the others'.
    pub fn left_by(&self, call: &Exchange, store: &Store, error: Error) -> Error {
        if error.code == Code::Overloaded {
            Stats::count(&store.stats.calls_overloaded);
        }
        self.complete_after(store, error, call.start.elapsed())
    }

    fn complete(&self, store: &Store, error: Error) -> Error {
        self.complete_after(store, error, self.start.elapsed())
    }

    fn complete_after(&self, store: &Store, error: Error, time: Duration) -> Error {
        let attempts = self.attempts;
        if error.code == Code::Closed {
            return self.ended_by(error);
        }
        let seconds = time.as_secs_f64();
        let times = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
        let message = format!("{}: {} ({times} in {seconds:.3} s)", self.servers(store), error.message);
        let timing = Some(Box::new(self.watch.read().of_call(time, 1)));
        Error { message, attempts, timing, server: self.last_server(), ..error }
    }

    fn last_server(&self) -> Option<ServerName> {
        self.server.as_ref().map(|server| server.name().clone())
    }

    /// The servers that were tried, in that order; all of the store's before any was.
    fn servers(&self, store: &Store) -> String {
        match self.server {
            Some(_) => ServerName::join(self.tried_servers().map(|server| server.name())),
            None => store.server.clone(),
        }
    }

    /// Each server that an attempt went to, once, in the order of the first ones.
    fn tried_servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        let is_new = |last: &&Arc<Server>| !self.tried.iter().any(|tried| Arc::ptr_eq(tried, last));
        self.tried.iter().chain(self.server.as_ref().filter(is_new))
    }
}
