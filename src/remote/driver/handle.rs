//! The way to a driver: where requests are accepted or refused, and words left for it.

use std::ops::Range;

use super::mailbox::Mailbox;
use crate::auth::Token;
use crate::error::{Code, Error, Result};
use crate::policy::admission::Ticket;
use crate::process::sync::{Arc, AtomicBool, AtomicUsize, Ordering};
use crate::remote::call::Call;
use crate::remote::pending::Part;
use crate::transport::{EventFd, Listener};

/// A request for the driver.
pub struct Submission {
    /// Tells the caller how it ended.
    pub part: Part,
    /// Its policy.
    pub call: Call,
    /// The JSON body.
    pub request: Vec<u8>,
}

/// What else a driver is told.
pub enum Command {
    /// A request that found no room in the mailbox's queue.
    Submission(Box<Submission>),
    /// A permit has come free for this request's pending.
    Admitted(Ticket),
    /// A fetch of a token has ended.
    Token(Result<Option<Token>>),
    /// Requests of a call that its caller does not want any more.
    Cancel(Range<u64>),
    /// A queue was freed.
    Sweep,
    /// The store closes.
    Close,
    /// Nothing will be submitted any more.
    Exit,
}

/// The way to a driver, for any thread.
pub struct DriverHandle {
    pub mailbox: Mailbox<Box<Submission>, Command>,
    event_fd: Arc<EventFd>,
    /// Requests accepted and not finished.
    unfinished: AtomicUsize,
    capacity: usize,
    /// The driver has died for good.
    dead: AtomicBool,
}

impl Listener for DriverHandle {
    fn admitted(&self, ticket: Ticket) {
        self.tell(Command::Admitted(ticket));
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
            dead: AtomicBool::new(false),
        }
    }

    /// Makes room for so many requests, which must be submitted or released then; says so at once if there is none.
    pub fn reserve(&self, count: usize) -> Result<()> {
        self.check_alive()?;
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
        self.check_alive()?;
        self.unfinished.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Gives back what was reserved.
    pub fn release(&self, count: usize) {
        self.unfinished.fetch_sub(count, Ordering::Relaxed);
    }

    /// The driver has died for good: later requests are refused.
    pub fn bury(&self) {
        self.dead.store(true, Ordering::Release);
    }

    fn check_alive(&self) -> Result<()> {
        if self.dead.load(Ordering::Acquire) {
            return Err(Error::new(Code::Internal, "the driver thread has died twice; open the store anew"));
        }
        Ok(())
    }

    /// Hands over a request that there is room for.
    pub fn submit(&self, submission: Box<Submission>) {
        if let Err(submission) = self.mailbox.submit(submission, &self.event_fd) {
            self.tell(Command::Submission(submission));
        }
    }

    /// Ends these requests soon.
    pub fn cancel(&self, numbers: Range<u64>) {
        self.tell(Command::Cancel(numbers));
    }

    /// Ends soon what nobody waits for.
    pub fn sweep(&self) {
        self.tell(Command::Sweep);
    }

    /// Ends every request soon, and later ones at once.
    pub fn close(&self) {
        self.tell(Command::Close);
    }

    /// Ends the driver.
    pub fn exit(&self) {
        self.tell(Command::Exit);
    }

    /// Requests accepted and not finished.
    pub fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// Tells the driver something.
    pub fn tell(&self, word: Command) {
        self.mailbox.tell(word, &self.event_fd);
    }
}

/// Counts a request as under way, until it is dropped.
pub struct Counted(pub Arc<DriverHandle>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.release(1);
    }
}
