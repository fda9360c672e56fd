//! The way to a driver: where requests are accepted or refused, and words left for it.

use std::ops::Range;

use super::call::Call;
use super::mailbox::Mailbox;
use super::pending::Part;
use crate::admission::Ticket;
use crate::auth::Token;
use crate::error::{Code, Error, Result};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering};
use crate::transport::{Bell, Listener};

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
pub enum Word {
    /// A request that found no room in the mailbox's queue.
    Submission(Box<Submission>),
    /// A place has come free for this request's wish.
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
pub struct Desk {
    pub mailbox: Mailbox<Box<Submission>, Word>,
    bell: Arc<Bell>,
    /// Requests accepted and not finished.
    unfinished: AtomicUsize,
    capacity: usize,
    /// The driver has died for good.
    dead: AtomicBool,
}

impl Listener for Desk {
    fn admitted(&self, ticket: Ticket) {
        self.tell(Word::Admitted(ticket));
    }
}

impl Desk {
    /// For so many requests at a time.
    pub fn new(capacity: usize, bell: Arc<Bell>) -> Desk {
        Desk {
            mailbox: Mailbox::new(capacity),
            bell,
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

    /// As [`reserve`](Desk::reserve), for a caller who waits: however many there are.
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
        if let Err(submission) = self.mailbox.submit(submission, &self.bell) {
            self.tell(Word::Submission(submission));
        }
    }

    /// Ends these requests soon.
    pub fn cancel(&self, numbers: Range<u64>) {
        self.tell(Word::Cancel(numbers));
    }

    /// Ends soon what nobody waits for.
    pub fn sweep(&self) {
        self.tell(Word::Sweep);
    }

    /// Ends every request soon, and later ones at once.
    pub fn close(&self) {
        self.tell(Word::Close);
    }

    /// Ends the driver.
    pub fn exit(&self) {
        self.tell(Word::Exit);
    }

    /// Requests accepted and not finished.
    pub fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// Tells the driver something.
    pub fn tell(&self, word: Word) {
        self.mailbox.tell(word, &self.bell);
    }
}

/// Counts a request as under way, until it is dropped.
pub struct Counted(pub Arc<Desk>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.release(1);
    }
}
