//! An exchange tried once, on one connection to one server.

use std::time::{Duration, Instant};

use super::store::Store;
use crate::auth::Token;
use crate::policy::deadline::Deadline;
use crate::servers::Assignment;

/// An attempt under way.
pub struct Attempt {
    /// Its server.
    pub assignment: Assignment,
    /// What it was made with.
    pub token: Option<Token>,
    /// When it began, and by when it has to end.
    pub begun: Instant,
    pub deadline: Deadline,
    /// It has as much time as attempts get: if it has passed, that says something about the server.
    has_usual_time: bool,
}

impl Attempt {
    /// One that begins now, of an exchange with this deadline.
    pub fn new(
        store: &Store,
        deadline: Deadline,
        assignment: Assignment,
        token: Option<Token>,
        now: Instant,
    ) -> Attempt {
        let deadline = deadline.min(Deadline::after(now, store.attempt_timeout));
        let usual = store.attempt_timeout.into_iter().chain(store.request_timeout).min();
        let has_usual_time = usual.is_some_and(|usual| {
            // A little has passed since the call began.
            deadline.remaining(now).is_none_or(|remaining| remaining >= usual.mul_f64(0.9))
        });
        Attempt { assignment, token, begun: now, deadline, has_usual_time }
    }

    /// Whether it has as much time as attempts get.
    pub fn has_usual_time(&self) -> bool {
        self.has_usual_time
    }

    /// Another one was answered, after so long: this one has to end soon. If it has had as much time by then, that says
    /// something about its server.
    pub fn supersede(&mut self, deadline: Deadline, took: Duration) {
        self.assignment.mark_as_owed();
        self.deadline = self.deadline.min(deadline);
        let end = self.deadline.at();
        self.has_usual_time = end.is_some_and(|end| end.saturating_duration_since(self.begun) >= took);
    }
}
