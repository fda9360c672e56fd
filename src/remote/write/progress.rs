//! How far a write has come.

use std::time::Instant;

use super::{WriteState, Written};
use crate::error::{Error, Result, RowsOfWrite};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, Ordering};
use crate::remote::store::Store;
use crate::wire::endpoint::Endpoint;
use crate::wire::write::{Chunk, Destination, Frame, Plan, WriteOptions};

/// A write under way: what is left of it, and what came of the rest.
pub struct Progress {
    destination: Destination,
    frame: Arc<Frame>,
    options: WriteOptions,
    plan: Option<Plan>,
    /// The rows of the request that is being made.
    chunk: Option<Chunk>,
    start: Instant,
    written: Written,
}

/// The next request of a write.
pub struct WriteRequest {
    pub body: Vec<u8>,
    pub deadline: Deadline,
}

impl Progress {
    /// Nothing has been sent.
    pub fn new(
        destination: Destination,
        frame: Arc<Frame>,
        options: WriteOptions,
        most_rows: usize,
    ) -> Result<Progress> {
        let plan = Some(Plan::new(&frame, &destination, &options, most_rows)?);
        let (chunk, start, written) = (None, Instant::now(), Written::default());
        Ok(Progress { destination, frame, options, plan, chunk, start, written })
    }

    /// Where its requests go.
    pub fn endpoint(&self) -> Endpoint {
        self.destination.endpoint()
    }

    /// Of the next request.
    pub fn state(&self) -> WriteState {
        WriteState::new(self.destination.appends() && !self.options.repeats_offline)
    }

    /// The next request, if there is one.
    pub fn next_request(&mut self, store: &Store) -> Option<Result<WriteRequest>> {
        let chunk = &*self.chunk.insert(self.plan.as_mut()?.next()?);
        let mut body = store.buffer();
        let deadline = match self.options.timeout {
            Some(timeout) => Deadline::after(self.start, Some(timeout)),
            None => Deadline::after(Instant::now(), store.request_timeout),
        };
        let encoded = self.frame.encode(&self.destination, &self.options, chunk, &mut body);
        Some(encoded.map(|()| WriteRequest { body, deadline }))
    }

    /// The server says that the rows of the request are written, or that it will write them.
    pub fn wrote(&mut self, store: &Store, queued: bool) {
        let rows = self.chunk.take().map_or(0, |chunk| chunk.rows.len() as u64);
        Stats::count(&store.stats.write_requests);
        store.stats.rows_written.fetch_add(rows, Ordering::Relaxed);
        self.written.rows += rows;
        self.written.requests += 1;
        self.written.queued |= queued;
    }

    /// The error of a write whose request failed, or which ends between two.
    pub fn stopped(&mut self, store: &Store, error: Error, in_doubt: bool) -> Error {
        let sorted = |mut rows: Vec<u64>| {
            rows.sort_unstable();
            rows
        };
        let of_request: Vec<u64> =
            self.chunk.take().into_iter().flat_map(|chunk| chunk.rows).map(|row| row as u64).collect();
        let rest = self.plan.take().into_iter().flat_map(Plan::rest).map(|row| row as u64);
        let rows = RowsOfWrite {
            written: self.written.rows,
            unwritten: sorted(of_request.iter().copied().chain(rest).collect()),
            doubtful: if in_doubt { sorted(of_request) } else { Vec::new() },
        };
        Stats::count(&store.stats.writes_failed);
        let told = format!("; {} of {} rows were written", rows.written, self.frame.rows());
        let doubt = match rows.doubtful.len() {
            0 => String::new(),
            count => format!(", and {count} may have been: they were sent, and the server's word is missing"),
        };
        Error { message: format!("{}{told}{doubt}", error.message), rows: Some(Box::new(rows)), ..error }
    }

    /// The error of a write that failed between two requests.
    pub fn failed(&mut self, store: &Store, error: Error) -> Error {
        self.stopped(store, error, false)
    }

    /// There is no request left.
    pub fn is_done(&self) -> bool {
        self.plan.as_ref().is_none_or(|plan| plan.requests() == 0)
    }

    /// What came of it, when there is no request left.
    pub fn written(&self) -> Written {
        self.written
    }
}
