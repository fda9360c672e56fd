//! Whom an exchange at the driver is for.

use std::time::Instant;

use super::handle::InFlight;
use crate::process::sync::Arc;
use crate::remote::call::Member;
use crate::remote::exchange::Exchange;
use crate::remote::merge::{Question, UnderWay, WaitingFor};
use crate::wire::request::Request;

/// Whom an exchange is for.
pub enum Work {
    /// One call, or a part of one.
    One(One),
    /// Those who stand in a question's line when its permit is there.
    Line(Arc<Question>, UnderWay),
    /// Several calls.
    Merged(Box<Merged>),
    /// Nobody: its answer is compared with those that the calls get alone.
    Check(Box<Probe>),
    /// Nobody any more: the same request was answered by another attempt. Its end keeps the connection and is counted.
    Superseded,
}

/// An exchange for one call.
pub struct One {
    // Dropped first: who hears of the exchange's end finds that its room is free.
    pub in_flight: InFlight,
    pub member: Member,
    /// If it counts for a question.
    pub under_way: Option<Arc<UnderWay>>,
    /// The check that its answer is for, and its place there.
    pub check: Option<(u64, usize)>,
}

/// A call that waits to be merged, or has been.
pub struct Mergeable {
    // Dropped first: who hears of the call's end finds that its room is free.
    pub in_flight: InFlight,
    pub member: Member,
    pub exchange: Exchange,
    pub request: Request,
    /// As it stands in the driver's timers, under the member's number.
    pub timer: Option<Instant>,
    /// While it stands in line.
    pub waiting: Option<WaitingFor>,
}

/// The calls of a merged exchange.
pub struct Merged {
    pub question: Arc<Question>,
    pub under_way: Arc<UnderWay>,
    /// In the order of their rows; `None` for those who have left.
    pub members: Vec<Option<Mergeable>>,
    pub rows: Vec<usize>,
    /// It is the half of one that was refused.
    pub half: bool,
}

impl Merged {
    /// One of its calls.
    pub fn find(&self, number: u64) -> Option<&Mergeable> {
        self.members.iter().flatten().find(|mergeable| mergeable.member.number() == number)
    }

    /// Takes out a call.
    pub fn remove(&mut self, number: u64) -> Option<Mergeable> {
        let is_it = |member: &&mut Option<Mergeable>| {
            member.as_ref().is_some_and(|mergeable| mergeable.member.number() == number)
        };
        self.members.iter_mut().find(is_it)?.take()
    }

    /// Whether all have left.
    pub fn is_empty(&self) -> bool {
        self.members.iter().all(Option::is_none)
    }
}

/// The merged exchange of a check.
pub struct Probe {
    pub check: u64,
}
