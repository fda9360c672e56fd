//! A token that the program sets itself, and sets anew when it likes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::{Token, WITHOUT_HOST_TOKEN};
use crate::error::{Code, Error, Result};
use crate::policy::deadline::Deadline;
use crate::process::sync::{lock, wait};

/// See the module. May be used by any number of threads.
pub struct HostToken {
    /// Whether calls wait for one: the first, and after a refusal a newer one.
    waits: bool,
    /// So that stores without one need no lock.
    is_set: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    closed: bool,
}

impl HostToken {
    /// None yet.
    pub fn new(waits: bool) -> HostToken {
        HostToken {
            waits,
            is_set: AtomicBool::new(false),
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        }
    }

    /// Whether calls wait for one.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// The next attempts use this one. The same text again is not a newer token.
    pub fn set(&self, token: Token) {
        let mut state = lock(&self.state);
        if state.token.as_ref() != Some(&token) {
            state.token = Some(token);
            self.is_set.store(true, Ordering::Release);
            self.changed.notify_all();
        }
    }

    /// Nobody waits any more.
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// The one that is set, unless it is the one that was `refused`.
    pub fn at_hand(&self, refused: Option<&Token>) -> Option<Token> {
        if !self.is_set.load(Ordering::Acquire) {
            return None;
        }
        lock(&self.state).newer_than(refused)
    }

    /// As [`at_hand`](HostToken::at_hand), waited for until the deadline.
    pub fn wait_for(&self, refused: Option<&Token>, deadline: Deadline) -> Result<Token> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return Err(Error::closed());
            }
            if let Some(token) = state.newer_than(refused) {
                return Ok(token);
            }
            let late;
            (state, late) = wait(&self.changed, state, deadline);
            if late {
                return Err(Error::new(Code::Timeout, WITHOUT_HOST_TOKEN));
            }
        }
    }

    /// The server refused this token: whether another may come.
    pub fn may_renew(&self, token: &Token) -> bool {
        let known = self.at_hand(None);
        known.is_some_and(|known| self.waits || !Arc::ptr_eq(&known, token))
    }
}

impl State {
    fn newer_than(&self, refused: Option<&Token>) -> Option<Token> {
        let token = self.token.as_ref()?;
        let is_refused = refused.is_some_and(|refused| Arc::ptr_eq(refused, token));
        (!is_refused).then(|| Arc::clone(token))
    }
}
