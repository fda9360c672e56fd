//! What an exchange ends with that has no answer.

use std::time::{Duration, Instant};

use super::Exchange;
use crate::error::{Code, Error};
use crate::observe::statistics::Stats;
use crate::process::sync::Ordering;
use crate::remote::store::Store;

impl Exchange {
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
        let server = error.server.or_else(|| self.tried.last_name());
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

    pub(super) fn complete(&self, store: &Store, error: Error) -> Error {
        self.complete_after(store, error, self.start.elapsed())
    }

    fn complete_after(&self, store: &Store, error: Error, time: Duration) -> Error {
        let attempts = self.attempts;
        if error.code == Code::Closed {
            return self.ended_by(error);
        }
        let seconds = time.as_secs_f64();
        let times = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
        let message = format!(
            "{}: {} ({times} in {seconds:.3} s)",
            self.tried.names().unwrap_or_else(|| store.server.clone()),
            error.message
        );
        let timing = Some(Box::new(self.watch.read().of_call(time, 1)));
        Error { message, attempts, timing, server: self.tried.last_name(), ..error }
    }
}
