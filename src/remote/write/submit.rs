//! Writes that the driver carries: each request is a call at the driver, and the end of one submits the next.

use std::sync::Weak;
use std::time::Instant;

use super::progress::{Progress, WriteRequest};
use super::{WriteState, Written, lost, nothing_written};
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::process::sync::{Arc, AtomicBool, Mutex, MutexGuard, Ordering, lock};
use crate::remote::Remote;
use crate::remote::call::{Call, ReportTo, Sequence, new_numbers};
use crate::remote::driver::handle::{Content, DriverHandle, Submission};
use crate::remote::events::{Answer, CallSource, Event, EventQueue};
use crate::remote::exchange::Exchange;
use crate::remote::store::Store;
use crate::remote::submit::{CallHandle, Cancel};
use crate::wire::request::Request;
use crate::wire::write::{Destination, Frame, WriteOptions};

/// An asynchronous write under way.
struct WriteSequence {
    store: Arc<Store>,
    driver: Arc<DriverHandle>,
    queue: Arc<EventQueue>,
    tag: usize,
    cancelled: AtomicBool,
    /// `None` once the write has ended.
    state: Mutex<Option<UnderWay>>,
}

struct UnderWay {
    progress: Progress,
    /// The request that is on its way.
    request: Option<(Arc<Call>, Arc<WriteState>)>,
}

impl Remote {
    /// Writes the rows of a frame without waiting for it: an event with this tag comes to the queue, whatever happens.
    pub fn submit_write(
        &self,
        destination: Destination,
        frame: &Arc<Frame>,
        options: WriteOptions,
        queue: &Arc<EventQueue>,
        tag: usize,
    ) -> Result<CallHandle> {
        let progress = self.begin_write(destination, frame, options)?;
        let store = &self.inner.store;
        let begun = self.driver().and_then(|driver| {
            queue.serve(&(Arc::clone(driver) as Arc<dyn CallSource>))?;
            driver.reserve(1).inspect_err(|error| {
                if error.code == Code::Overloaded {
                    Stats::count(&store.stats.calls_overloaded);
                }
            })?;
            Ok(driver)
        });
        let driver = begun.map_err(|error| {
            Stats::count(&store.stats.writes_failed);
            nothing_written(error, frame)
        })?;
        let sequence = Arc::new(WriteSequence {
            store: Arc::clone(store),
            driver: Arc::clone(driver),
            queue: Arc::clone(queue),
            tag,
            cancelled: AtomicBool::new(false),
            state: Mutex::new(Some(UnderWay { progress, request: None })),
        });
        let handle = CallHandle::of_write(Arc::downgrade(&sequence) as Weak<dyn Cancel>);
        // It holds the room that was made for the first request until it has ended.
        sequence.go_on(Reserved(Some(Arc::clone(driver))));
        Ok(handle)
    }
}

/// Room at the driver for one request.
struct Reserved(Option<Arc<DriverHandle>>);

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(driver) = self.0.take() {
            driver.release(1);
        }
    }
}

impl WriteSequence {
    /// Submits the next request, or ends the write.
    fn go_on(self: Arc<Self>, mut reserved: Reserved) {
        let mut state = lock(&self.state);
        let Some(under_way) = state.as_mut() else { return };
        let request = match under_way.progress.next_request(&self.store) {
            None => {
                let written = under_way.progress.written();
                return self.end(state, Ok(written));
            }
            Some(Err(error)) => {
                let error = under_way.progress.failed(&self.store, error);
                return self.end(state, Err(error));
            }
            Some(Ok(request)) => request,
        };
        let WriteRequest { body, deadline } = request;
        let start = Instant::now();
        let write = Arc::new(under_way.progress.state());
        let exchange =
            Exchange::new(start, deadline).to(under_way.progress.endpoint()).writing(Arc::clone(&write));
        let report_to = ReportTo::Sequence(Arc::clone(&self) as Arc<dyn Sequence>);
        let call = Call::new(Arc::clone(&self.store), report_to, Request::default(), start, new_numbers(1));
        under_way.request = Some((Arc::clone(&call), write));
        drop(state);
        if let Some(member) = call.members().next() {
            // The driver gives the room back when the exchange has ended.
            reserved.0 = None;
            self.driver.submit(Box::new(Submission { member, exchange, content: Content::Body(body) }));
        }
    }

    /// The write has ended; its event is told without the lock.
    fn end(&self, mut state: MutexGuard<'_, Option<UnderWay>>, outcome: Result<Written>) {
        let under_way = state.take();
        drop(state);
        drop(under_way);
        self.report(outcome);
    }

    fn report(&self, outcome: Result<Written>) {
        self.queue.events.push(Event::of_write(self.tag, outcome));
        self.queue.announce();
    }
}

impl Sequence for WriteSequence {
    fn is_abandoned(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) || self.queue.events.is_closed()
    }

    fn call_ended(self: Arc<Self>, outcome: Result<Answer>) {
        let mut state = lock(&self.state);
        let Some((under_way, (_, write))) = state.as_mut().and_then(|under_way| {
            let request = under_way.request.take()?;
            Some((under_way, request))
        }) else {
            return;
        };
        let error = match outcome {
            Ok(_) => {
                under_way.progress.wrote(&self.store, write.queued.load(Ordering::Relaxed));
                if under_way.progress.is_done() {
                    drop(state);
                    return self.go_on(Reserved(None));
                }
                if !self.is_abandoned() {
                    match self.driver.reserve_beyond(1) {
                        Ok(()) => {
                            drop(state);
                            let driver = Arc::clone(&self.driver);
                            return self.go_on(Reserved(Some(driver)));
                        }
                        Err(error) => {
                            let error = under_way.progress.failed(&self.store, error);
                            return self.end(state, Err(error));
                        }
                    }
                }
                under_way.progress.failed(&self.store, Error::new(Code::Cancelled, "the write was cancelled"))
            }
            Err(error) => {
                let in_doubt = write.is_in_doubt();
                under_way.progress.stopped(&self.store, error, in_doubt)
            }
        };
        self.end(state, Err(error));
    }
}

impl Cancel for WriteSequence {
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        let call = lock(&self.state).as_ref().and_then(|it| it.request.as_ref().map(|it| Arc::clone(&it.0)));
        if let Some(call) = call
            && call.cancel()
        {
            self.driver.cancel(call.numbers());
        }
    }
}

impl Drop for WriteSequence {
    fn drop(&mut self) {
        // No end is ever lost.
        if let Some(mut under_way) = lock(&self.state).take() {
            let error = under_way.progress.failed(&self.store, lost());
            self.report(Err(error));
        }
    }
}
