//! Writes: rows that go out as one request after another, by the caller's thread or by the driver. Stops at the first request
//! that fails, and tells which rows were written. Never merged, and sent twice only where that does no harm.

mod progress;
mod submit;

use std::time::Instant;

use super::Remote;
use super::exchange::Exchange;
use super::write_state::WriteState;
use crate::error::{Code, Error, Result, RowsOfWrite};
use crate::observe::statistics::Stats;
use crate::process::panics::fault_point;
use crate::process::sync::{Arc, Ordering};
use crate::wire::write::{Destination, Frame, WriteOptions};
use progress::{Progress, WriteRequest};

/// A write that is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Requests that they went out in.
    pub requests: u64,
    /// The server has taken some of them, and writes them later.
    pub queued: bool,
}

impl Remote {
    /// Writes the rows of a frame, and waits for it. The error says which rows were not written.
    pub fn write(
        &self,
        destination: Destination,
        frame: &Arc<Frame>,
        options: WriteOptions,
    ) -> Result<Written> {
        let mut progress = self.begin_write(destination, frame, options)?;
        let store = &self.inner.store;
        while let Some(request) = progress.next_request(store) {
            let WriteRequest { body, deadline } = match request {
                Ok(request) => request,
                Err(error) => return Err(progress.failed(store, error)),
            };
            let state = Arc::new(progress.state());
            let exchange =
                Exchange::new(Instant::now(), deadline).to(progress.endpoint()).writing(Arc::clone(&state));
            fault_point();
            match self.attempt_until_answered(body, exchange) {
                Ok((body, ..)) => {
                    store.keep_buffer(body);
                    progress.wrote(store, state.queued.load(Ordering::Relaxed));
                }
                Err(error) => {
                    let in_doubt = state.is_in_doubt();
                    return Err(progress.stopped(store, error, in_doubt));
                }
            }
        }
        Ok(progress.written())
    }

    /// What can be said before anything is sent.
    fn begin_write(
        &self,
        destination: Destination,
        frame: &Arc<Frame>,
        options: WriteOptions,
    ) -> Result<Progress> {
        let begun = || {
            let name = match &destination {
                Destination::PushSource(name, _) => ("push_source", name),
                Destination::FeatureView(name) => ("feature_view", name),
            };
            if name.1.is_empty() {
                return Err(Error::argument(format!("{} is empty", name.0)));
            }
            frame.check(&options)?;
            self.check_process()?;
            if self.inner.pool.is_closing() {
                return Err(Error::closed());
            }
            Progress::new(destination.clone(), Arc::clone(frame), options.clone(), self.max_rows_per_write)
        };
        let progress = begun().map_err(|error| nothing_written(error, frame))?;
        Stats::count(&self.inner.store.stats.writes);
        Ok(progress)
    }
}

/// The error of a write that has not begun.
fn nothing_written(error: Error, frame: &Frame) -> Error {
    let mut unwritten = Vec::new();
    // The numbers may take more memory than the frame.
    if unwritten.try_reserve_exact(frame.rows()).is_ok() {
        unwritten.extend(0..frame.rows() as u64);
    }
    Error { rows: Some(Box::new(RowsOfWrite { unwritten, ..RowsOfWrite::default() })), ..error }
}

/// The error of a write that was lost; none is.
fn lost() -> Error {
    Error::new(Code::Internal, "a bug in libfeast_remote: the write was lost")
}
