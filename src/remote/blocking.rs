//! Blocking calls of one exchange: on the caller's own thread from beginning to end, without a hand-off.

use std::time::{Duration, Instant};

use super::Remote;
use super::exchange::{Exchange, Next};
use super::inner::Inner;
use crate::auth::Token;
use crate::columns::{Dense, Matrix, Response};
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::process::panics::fault_point;
use crate::wire::answer::frame::Layout;
use crate::wire::answer::{decode, join};
use crate::wire::request::Request;

impl Remote {
    /// Fetches the features that `request` asks for, and waits for them.
    pub fn get_online_features(&self, request: &Request) -> Result<Response> {
        if self.is_split(request) {
            return self.wait_for_parts(request)?.into_response();
        }
        self.fetch(request, |answer, layout| join::decode(answer, request, layout))
    }

    /// Fetches the features that `request` asks for straight into a row-major matrix, in the order asked.
    pub fn get_online_features_into(
        &self,
        request: &Request,
        dense: &mut Dense<'_, f32, impl Matrix<f32>>,
    ) -> Result<()> {
        dense.check_stride(request.features().map_or(1, <[_]>::len))?;
        if self.is_split(request) {
            return self.wait_for_parts(request)?.into_matrix(dense);
        }
        self.fetch(request, |answer, layout| join::decode_into(answer, request, layout, dense))
    }

    fn fetch<T>(
        &self,
        request: &Request,
        decode: impl FnMut(&[Vec<u8>], &mut Layout) -> Result<T>,
    ) -> Result<T> {
        request.check()?;
        self.check_process()?;
        let store = &self.inner.store;
        let start = Instant::now();
        let mut body = store.buffer();
        request.encode(&mut body)?;
        fault_point();
        let (answer, attempts, token) = self.exchange(body, request.timeout(), start)?;
        let decoded = store.decode([answer], attempts, token.as_ref(), request, decode)?;
        store.stats.total.record(start.elapsed());
        Ok(decoded)
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
        let (answer, attempts, token) = self.exchange(request, timeout, start)?;
        let store = &self.inner.store;
        if let Err(error) = decode::check(&answer) {
            Stats::count(&store.stats.calls_failed);
            let read = |bodies: &[Vec<u8>]| decode::check(&bodies[0]).err();
            return Err(store.of_an_answer(error, attempts, token.as_ref(), &[answer], read));
        }
        store.stats.total.record(start.elapsed());
        Ok(answer)
    }

    /// The body of the HTTP 200 that `request` was answered with, the attempts it took, and the last one's token.
    fn exchange(
        &self,
        request: Vec<u8>,
        timeout: Option<Duration>,
        start: Instant,
    ) -> Result<(Vec<u8>, u32, Option<Token>)> {
        let stats = &self.inner.store.stats;
        Stats::count(&stats.calls);
        self.attempt_until_answered(request, timeout, start)
            .inspect_err(|_| Stats::count(&stats.calls_failed))
    }

    fn attempt_until_answered(
        &self,
        mut request: Vec<u8>,
        timeout: Option<Duration>,
        start: Instant,
    ) -> Result<(Vec<u8>, u32, Option<Token>)> {
        let Inner { pool, auth, store } = &*self.inner;
        let mut exchange = Exchange::new(store, timeout, start);
        loop {
            let token = auth
                .token(pool, exchange.deadline())
                .map_err(|error| exchange.without_token(store, error))?;
            let mut permit =
                pool.acquire(exchange.deadline()).map_err(|error| exchange.without_permit(store, error))?;
            let deadline = exchange.begin_attempt(store, Instant::now());
            let mut transfer = permit
                .perform(request, token.as_ref(), store.buffer(), deadline)
                .map_err(|error| exchange.without_permit(store, error))?;
            drop(permit);
            fault_point();
            request = std::mem::take(&mut transfer.request);
            match exchange.after_attempt(store, auth, token.as_ref(), transfer) {
                Next::Answered(body) => {
                    store.keep_buffer(request);
                    return Ok((body, exchange.attempts(), token));
                }
                Next::Retry(wait) if self.wait(wait) => (),
                Next::Retry(_) => return Err(exchange.ended_by(Error::closed())),
                Next::Failed(error) => {
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
