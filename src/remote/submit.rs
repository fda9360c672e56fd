//! Calls that the driver carries: asynchronous ones, and those that go out as several exchanges.

use std::sync::Weak;
use std::time::Instant;

use super::Remote;
use super::call::{Call, ReportTo, new_numbers};
use super::driver::handle::{Content, DriverHandle, Submission};
use super::events::{Answer, CallSource, EventQueue};
use super::exchange::Exchange;
use super::merge::Question;
use super::waiter::Waiter;
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::process::fork;
use crate::process::panics::fault_point;
use crate::process::sync::Arc;
use crate::wire::request::{Request, RequestData};

/// An asynchronous call or write under way, for cancelling it. May outlive the store.
pub struct CallHandle {
    target: Target,
    generation: u32,
}

/// Neither its queue nor its store is kept by it.
enum Target {
    Call(Weak<Call>, Weak<DriverHandle>),
    Write(Weak<dyn Cancel>),
}

/// What can be cancelled.
pub trait Cancel: Send + Sync {
    /// Ends it soon, if it has not ended.
    fn cancel(&self);
}

impl CallHandle {
    /// Of a write of this process.
    pub(super) fn of_write(write: Weak<dyn Cancel>) -> CallHandle {
        CallHandle { target: Target::Write(write), generation: fork::generation() }
    }

    /// Ends the call soon, if it has not ended; its event comes in any case.
    pub fn cancel(&self) {
        if self.generation != fork::generation() {
            return;
        }
        match &self.target {
            Target::Call(call, driver) => {
                if let (Some(call), Some(driver)) = (call.upgrade(), driver.upgrade())
                    && call.cancel()
                {
                    driver.cancel(call.numbers());
                }
            }
            Target::Write(write) => {
                if let Some(write) = write.upgrade() {
                    write.cancel();
                }
            }
        }
    }
}

impl Remote {
    /// Asks for the features without waiting for them: an event with this tag comes to the queue, whatever happens.
    /// Nothing is sent on the caller's thread, and nothing waited for.
    pub fn submit(&self, request: &Request, queue: &Arc<EventQueue>, tag: usize) -> Result<CallHandle> {
        let report_to = |driver: &Arc<DriverHandle>| {
            queue.serve(&(Arc::clone(driver) as Arc<dyn CallSource>))?;
            Ok(ReportTo::Queue(Arc::clone(queue), tag))
        };
        request.check()?;
        self.check_process()?;
        let question = if self.is_split(request) { None } else { self.question(request) };
        self.submit_call(request, question, report_to, DriverHandle::reserve)
    }

    /// Whether a request has so many rows that it goes out as several.
    pub(super) fn is_split(&self, request: &Request) -> bool {
        request.parts(self.max_rows_per_request) > 1
    }

    /// What a request asks, if it may be merged with others now; it has been checked.
    pub(super) fn question(&self, request: &Request) -> Option<Arc<Question>> {
        let question = self.inner.merging.as_ref()?.question(request, || new_numbers(1).start)?;
        (!question.is_unmerged(Instant::now())).then_some(question)
    }

    /// A blocking call that the driver carries: of several exchanges, or one that may be merged with others.
    pub(super) fn wait_for_driver(
        &self,
        request: &Request,
        question: Option<Arc<Question>>,
    ) -> Result<Answer> {
        let waiter = Arc::new(Waiter::new());
        let report_to = |_: &Arc<DriverHandle>| Ok(ReportTo::Waiter(Arc::clone(&waiter)));
        // The caller's thread waits, so there are no more of these calls than threads.
        self.submit_call(request, question, report_to, DriverHandle::reserve_beyond)?;
        // The driver ends it by the call's deadline.
        let outcome = waiter.wait(Deadline::NEVER);
        outcome.ok_or_else(|| Error::new(Code::Internal, "a call without an end"))?
    }

    fn submit_call(
        &self,
        request: &Request,
        question: Option<Arc<Question>>,
        report_to: impl FnOnce(&Arc<DriverHandle>) -> Result<ReportTo>,
        reserve: impl FnOnce(&DriverHandle, usize) -> Result<()>,
    ) -> Result<CallHandle> {
        if self.inner.pool.is_closing() {
            return Err(Error::closed());
        }
        let start = Instant::now();
        let store = &self.inner.store;
        let driver = self.driver()?;
        let report_to = report_to(driver)?;
        let count = request.parts(self.max_rows_per_request);
        reserve(driver, count).inspect_err(|error| {
            if error.code == Code::Overloaded {
                Stats::count(&store.stats.calls_overloaded);
            }
        })?;
        let mut reserved = Reservation { driver, count };
        fault_point();
        let contents: Vec<(Content, Option<RequestData>)> = match question {
            Some(question) => vec![(Content::Mergeable(request.clone(), question.wait()), None)],
            None => {
                let bodies = request.encode_parts(count, || store.buffer())?;
                bodies.into_iter().map(|(body, request_data)| (Content::Body(body), request_data)).collect()
            }
        };
        Stats::count(&store.stats.calls);
        let deadline = store.deadline(request, start);
        let numbers = new_numbers(count);
        let call = Call::new(Arc::clone(store), report_to, request.question(), start, numbers);
        for (member, (content, request_data)) in call.members().zip(contents) {
            let exchange = Exchange::new(start, deadline)
                .with_headers(request.headers().cloned())
                .with_rows(request.rows().div_ceil(count))
                .with_request_data(request_data);
            let question = match &content {
                Content::Mergeable(_, waiting) => Some(Arc::clone(waiting.question())),
                Content::Body(_) => None,
            };
            reserved.count -= 1;
            let submission = Box::new(Submission { member, exchange, content });
            match question {
                Some(question) => {
                    driver.submit_quietly(submission, || question.is_found_by(deadline, Instant::now()))
                }
                None => driver.submit(submission),
            }
        }
        let target = Target::Call(Arc::downgrade(&call), Arc::downgrade(driver));
        Ok(CallHandle { target, generation: self.generation })
    }
}

/// Room at the driver for exchanges that have not been submitted yet.
struct Reservation<'a> {
    driver: &'a DriverHandle,
    count: usize,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.driver.release(self.count);
    }
}
