//! Blocking calls: those of one exchange on the caller's own thread from beginning to end, without a hand-off.

use std::time::{Duration, Instant};

use super::Remote;
use super::exchange::{Exchange, Next};
use super::inner::Inner;
use super::merge::{Question, UnderWay};
use super::origin::Origin;
use crate::columns::{Dense, Matrix, Response};
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::panics::fault_point;
use crate::process::sync::Arc;
use crate::server_name::ServerName;
use crate::servers::Assignment;
use crate::timing::Timing;
use crate::transport::{Permit, Shared};
use crate::wire::answer::frame::Layout;
use crate::wire::answer::{decode, join};
use crate::wire::request::Request;

/// Which way a blocking call goes.
enum Route<'a> {
    /// On its caller's thread; with what it counts as, if others may gather meanwhile.
    OwnThread(Option<OwnThread<'a>>),
    /// By the driver: in parts, together with others that ask the same question, or maybe twice.
    Driver(Option<Arc<Question>>),
}

/// A request under way on its caller's thread. When it ends, the driver sends those who have gathered meanwhile.
struct OwnThread<'a> {
    remote: &'a Remote,
    question: Arc<Question>,
    under_way: Option<UnderWay>,
}

impl OwnThread<'_> {
    /// It has ended after so long, with an answer or without.
    fn ended(self, time: Duration, answered: bool) {
        if answered {
            self.question.took(time);
            self.question.count_alone();
        }
    }
}

impl Drop for OwnThread<'_> {
    fn drop(&mut self) {
        drop(self.under_way.take());
        if self.question.is_waited_for()
            && let Some(driver) = self.remote.driver.get()
        {
            driver.handle.wake();
        }
    }
}

impl Remote {
    /// Fetches the features that `request` asks for, and waits for them.
    pub fn get_online_features(&self, request: &Request) -> Result<Response> {
        match self.route(request)? {
            Route::Driver(question) => self.wait_for_driver(request, question)?.into_response(),
            Route::OwnThread(under_way) => {
                let decode = |answer: &[Vec<u8>], layout: &mut Layout| join::decode(answer, request, layout);
                let (mut response, timing, server) = self.fetch(request, under_way, decode)?;
                response.set_timing(timing);
                response.set_server(server);
                self.inner.store.remember_types(request, &mut response);
                Ok(response)
            }
        }
    }

    /// Fetches the features that `request` asks for straight into a row-major matrix, in the order asked.
    pub fn get_online_features_into(
        &self,
        request: &Request,
        dense: &mut Dense<'_, f32, impl Matrix<f32>>,
    ) -> Result<()> {
        dense.check_stride(request.features().map_or(1, <[_]>::len))?;
        match self.route(request)? {
            Route::Driver(question) => self.wait_for_driver(request, question)?.into_matrix(dense),
            Route::OwnThread(under_way) => {
                let decode = |answer: &[Vec<u8>], layout: &mut Layout| {
                    join::decode_into(answer, request, layout, dense)
                };
                self.fetch(request, under_way, decode).map(|_| ())
            }
        }
    }

    /// Which way a blocking call goes.
    fn route(&self, request: &Request) -> Result<Route<'_>> {
        request.check()?;
        self.check_process()?;
        if self.is_split(request) {
            return Ok(Route::Driver(None));
        }
        if self.inner.hedging.is_some() {
            return Ok(Route::Driver(self.question(request)));
        }
        let Some(question) = self.question(request) else { return Ok(Route::OwnThread(None)) };
        if question.is_waited_for() {
            return Ok(Route::Driver(Some(question)));
        }
        Ok(match question.try_begin() {
            Some(under_way) => {
                let under_way = Some(under_way);
                Route::OwnThread(Some(OwnThread { remote: self, question, under_way }))
            }
            None => Route::Driver(Some(question)),
        })
    }

    fn fetch<T>(
        &self,
        request: &Request,
        under_way: Option<OwnThread<'_>>,
        decode: impl FnMut(&[Vec<u8>], &mut Layout) -> Result<T>,
    ) -> Result<(T, Timing, ServerName)> {
        let store = &self.inner.store;
        let start = Instant::now();
        let mut body = store.buffer();
        let request_data = request.encode(&mut body)?;
        fault_point();
        let deadline = store.deadline(request, start);
        let exchange = Exchange::new(start, deadline)
            .with_headers(request.headers().cloned())
            .with_rows(request.rows())
            .with_request_data(request_data);
        let exchanged = self.exchange(body, exchange);
        if let Some(under_way) = under_way {
            under_way.ended(start.elapsed(), exchanged.is_ok());
        }
        let (answer, timing, origin) = exchanged?;
        let timing = timing.of_call(start.elapsed(), 1);
        let (decoded, took) = store.decode([answer], &timing, &origin, request, decode)?;
        let total = start.elapsed();
        store.stats.total.record(total);
        Ok((decoded, timing.decoded(took, total), origin.server))
    }

    /// Sends a JSON body as it is and returns the server's JSON as it is.
    pub fn get_online_features_json(&self, body: &[u8], timeout: Option<Duration>) -> Result<Vec<u8>> {
        self.check_process()?;
        let start = Instant::now();
        let mut request = self.inner.store.buffer();
        if request.try_reserve_exact(body.len()).is_err() {
            return Err(Error::new(Code::Internal, format!("no memory for a body of {} bytes", body.len())));
        }
        request.extend_from_slice(body);
        let store = &self.inner.store;
        let deadline = Deadline::after(start, timeout.or(store.request_timeout));
        let (answer, timing, origin) = self.exchange(request, Exchange::new(start, deadline))?;
        if let Err(error) = decode::check(&answer) {
            Stats::count(&store.stats.calls_failed);
            let read = |bodies: &[Vec<u8>]| decode::check(&bodies[0]).err();
            return Err(store.of_an_answer(error, &timing, &origin, None, &[answer], read));
        }
        store.stats.total.record(start.elapsed());
        Ok(answer)
    }

    /// The body of the HTTP 200 that `request` was answered with, where the time went, and where it is from.
    fn exchange(&self, request: Vec<u8>, exchange: Exchange) -> Result<(Vec<u8>, Timing, Origin)> {
        let stats = &self.inner.store.stats;
        Stats::count(&stats.calls);
        self.attempt_until_answered(request, exchange).inspect_err(|_| Stats::count(&stats.calls_failed))
    }

    pub(super) fn attempt_until_answered(
        &self,
        request: Vec<u8>,
        exchange: Exchange,
    ) -> Result<(Vec<u8>, Timing, Origin)> {
        self.attempt_and_keep(request, exchange, None)
    }

    /// The same; the permit of the attempt that was answered is kept, and its connection with it.
    pub(super) fn attempt_and_keep<'a>(
        &'a self,
        mut request: Vec<u8>,
        mut exchange: Exchange,
        mut kept: Option<&mut Vec<(Permit<&'a Shared>, Assignment)>>,
    ) -> Result<(Vec<u8>, Timing, Origin)> {
        let Inner { pool, servers, auth, store, .. } = &*self.inner;
        // A call on a closed store hears that first.
        if !pool.is_closing()
            && let Some(error) = exchange.overdue(store, Instant::now())
        {
            return Err(error);
        }
        loop {
            let token = auth
                .token(pool, exchange.deadline(), exchange.refused())
                .map_err(|error| exchange.without_token(store, error))?;
            let choose = || match exchange.only() {
                Some(server) => Assignment::new(server),
                None => servers.choose(|server| exchange.has_tried(server)),
            };
            let (mut permit, assignment) = pool
                .acquire(exchange.deadline(), exchange.claim(), choose)
                .map_err(|error| exchange.without_permit(store, error))?;
            exchange.place_request_data(store, &mut request);
            let attempt = exchange.begin_attempt(store, assignment, token, Instant::now());
            let mut transfer = permit
                .perform(&exchange.head(attempt.token.as_ref()), request, store.buffer(), attempt.deadline)
                .map_err(|error| exchange.without_permit(store, error))?;
            permit.note(exchange.attempted(attempt.begun.elapsed(), &transfer));
            let permit = kept.is_some().then(|| (permit, Assignment::new(attempt.assignment.server())));
            fault_point();
            request = std::mem::take(&mut transfer.request);
            match exchange.after_attempt(&self.inner, attempt, transfer) {
                Next::Answered(body, origin) => {
                    store.keep_buffer(request);
                    if let Some(kept) = &mut kept {
                        kept.extend(permit);
                    }
                    return Ok((body, exchange.timing(), origin));
                }
                Next::Retry(wait) => {
                    drop(permit);
                    if !self.wait(wait) {
                        return Err(exchange.ended_by(Error::closed()));
                    }
                }
                Next::Failed { error, .. } => {
                    store.keep_buffer(request);
                    return Err(error);
                }
            }
        }
    }

    /// `false` if the store closes meanwhile.
    fn wait(&self, wait: Duration) -> bool {
        match &self.inner.store.pause {
            Some(pause) => {
                pause(wait);
                true
            }
            None => self.inner.pool.sleep(wait),
        }
    }
}
