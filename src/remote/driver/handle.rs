//! The way to a driver, for the threads of callers: where exchanges are accepted or refused, and commands left for it.

use std::ops::Range;

use super::mailbox::Mailbox;
use crate::auth::Token;
use crate::error::{Code, Error, Result};
use crate::policy::admission::Ticket;
use crate::process::sync::{Arc, AtomicBool, AtomicUsize, Ordering};
use crate::remote::call::Member;
use crate::remote::events::CallSource;
use crate::remote::exchange::Exchange;
use crate::remote::merge::WaitingFor;
use crate::transport::{EventFd, Listener, NameListener};
use crate::wire::request::Request;

/// An exchange for the driver.
pub struct Submission {
    /// Tells the call how it ended.
    pub member: Member,
    /// Its attempts and deadline.
    pub exchange: Exchange,
    /// What it asks.
    pub content: Content,
}

/// What an exchange asks.
pub enum Content {
    /// This JSON body.
    Body(Vec<u8>),
    /// This request, by itself or merged with others.
    Mergeable(Request, WaitingFor),
}

/// What else a driver is told.
pub enum Command {
    /// An exchange that found no room in the mailbox's queue.
    Submission(Box<Submission>),
    /// A permit has come free for the exchange with this ticket.
    Admitted(Ticket),
    /// The exchange with this ticket has too little time left for one.
    Refused(Ticket),
    /// A fetch of a token has ended.
    TokenFetched(Result<Option<Token>>),
    /// The program has set a token.
    TokenSet,
    /// A name has been looked up that attempts wait for.
    LookedUp,
    /// Exchanges of a call that its caller does not want any more.
    Cancel(Range<u64>),
    /// A queue was freed: its calls are abandoned.
    QueueClosed,
    /// The store closes.
    Close,
    /// Nothing will be submitted any more.
    Exit,
}

/// The way to a driver, for any thread.
pub struct DriverHandle {
    pub mailbox: Mailbox<Box<Submission>, Command>,
    event_fd: Arc<EventFd>,
    /// Exchanges accepted and not finished.
    unfinished: AtomicUsize,
    capacity: usize,
    /// The driver has panicked too often, and runs no more.
    failed: AtomicBool,
}

impl Listener for DriverHandle {
    fn admitted(&self, ticket: Ticket) {
        self.send(Command::Admitted(ticket));
    }

    fn refused(&self, ticket: Ticket) {
        self.send(Command::Refused(ticket));
    }
}

impl NameListener for DriverHandle {
    fn looked_up(&self) {
        self.send(Command::LookedUp);
    }
}

impl CallSource for DriverHandle {
    fn queue_closed(&self) {
        self.send(Command::QueueClosed);
    }
}

impl DriverHandle {
    /// For so many requests at a time.
    pub fn new(capacity: usize, event_fd: Arc<EventFd>) -> DriverHandle {
        DriverHandle {
            mailbox: Mailbox::new(capacity),
            event_fd,
            unfinished: AtomicUsize::new(0),
            capacity,
            failed: AtomicBool::new(false),
        }
    }

    /// Makes room for so many requests, which must be submitted or released then; says so at once if there is none.
    pub fn reserve(&self, count: usize) -> Result<()> {
        self.check_running()?;
        let most = self.capacity;
        if count > most {
            let why = format!(
                "the call goes out as {count} requests (max_rows_per_request), and max_async_requests is {most}"
            );
            return Err(Error::argument(why));
        }
        if self.unfinished.fetch_add(count, Ordering::Relaxed) + count > most {
            self.release(count);
            let why = format!(
                "{most} requests of asynchronous calls and calls in parts (max_async_requests) are under way already"
            );
            return Err(Error::new(Code::Overloaded, why));
        }
        Ok(())
    }

    /// As [`reserve`](DriverHandle::reserve), for a caller who waits: however many there are.
    pub fn reserve_beyond(&self, count: usize) -> Result<()> {
        self.check_running()?;
        self.unfinished.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Gives back what was reserved.
    pub fn release(&self, count: usize) {
        self.unfinished.fetch_sub(count, Ordering::Relaxed);
    }

    /// The driver runs no more: later exchanges are refused.
    pub fn mark_failed(&self) {
        self.failed.store(true, Ordering::Release);
    }

    fn check_running(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(Error::new(Code::Internal, "the driver thread has died twice; open the store anew"));
        }
        Ok(())
    }

    /// Hands over a request that there is room for.
    pub fn submit(&self, submission: Box<Submission>) {
        if let Err(submission) = self.mailbox.submit(submission, &self.event_fd) {
            self.send(Command::Submission(submission));
        }
    }

    /// As [`submit`](DriverHandle::submit), for an exchange that the driver will find in time without being told, as
    /// `is_found` says when it has been left.
    pub fn submit_quietly(&self, submission: Box<Submission>, is_found: impl FnOnce() -> bool) {
        match self.mailbox.put(submission) {
            Ok(()) if is_found() => (),
            Ok(()) => self.wake(),
            Err(submission) => self.send(Command::Submission(submission)),
        }
    }

    /// Has the driver look at what there is to do.
    pub fn wake(&self) {
        self.mailbox.wake(&self.event_fd);
    }

    /// Ends these requests soon.
    pub fn cancel(&self, numbers: Range<u64>) {
        self.send(Command::Cancel(numbers));
    }

    /// Ends every request soon, and later ones at once.
    pub fn close(&self) {
        self.send(Command::Close);
    }

    /// Ends the driver.
    pub fn exit(&self) {
        self.send(Command::Exit);
    }

    /// Requests accepted and not finished.
    pub fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// Leaves a command for the driver.
    pub fn send(&self, command: Command) {
        self.mailbox.send(command, &self.event_fd);
    }
}

/// Counts an exchange as under way, until it is dropped.
pub struct InFlight(pub Arc<DriverHandle>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.release(1);
    }
}
