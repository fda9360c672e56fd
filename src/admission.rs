//! Who may go on the wire: at most `capacity` calls at once, the others in the order in which they came.
//!
//! A plain state machine under its owner's lock. It neither blocks nor wakes anybody; it says whom to wake.

use std::collections::VecDeque;

/// A waiting call, named by its owner; each number is larger than the one before.
pub type Ticket = u64;

/// The state of the gate.
#[derive(Debug)]
pub struct Admission {
    capacity: usize,
    admitted: usize,
    waiting: VecDeque<Ticket>,
}

impl Admission {
    /// An empty gate.
    pub fn new(capacity: usize) -> Admission {
        Admission { capacity, admitted: 0, waiting: VecDeque::new() }
    }

    /// Asks for a place: `true` if it is had at once, else the ticket stands at the end of the queue until
    /// [`leave`](Admission::leave) names it or [`give_up`](Admission::give_up) withdraws it.
    pub fn enter(&mut self, ticket: Ticket) -> bool {
        // A place that falls free goes straight to the first in the queue, so a free one means no queue.
        if self.admitted < self.capacity {
            self.admitted += 1;
            return true;
        }
        self.waiting.push_back(ticket);
        false
    }

    /// Gives a place back. The ticket returned has been admitted in its stead: wake it.
    pub fn leave(&mut self) -> Option<Ticket> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.admitted -= 1;
        }
        next
    }

    /// Withdraws a ticket from the queue; `false` if it had been admitted meanwhile and has a place to leave.
    pub fn give_up(&mut self, ticket: Ticket) -> bool {
        match self.waiting.binary_search(&ticket) {
            Ok(at) => {
                self.waiting.remove(at);
                true
            }
            Err(_) => false,
        }
    }

    /// Calls with a place.
    pub fn admitted(&self) -> usize {
        self.admitted
    }

    /// Calls in the queue.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_passes_to_the_first_in_the_queue() {
        let mut gate = Admission::new(1);
        assert!(gate.enter(1));
        assert!(!gate.enter(2));
        assert!(!gate.enter(3));
        assert_eq!(gate.leave(), Some(2));
        assert!(!gate.enter(4), "nobody overtakes the queue");
        assert_eq!(gate.leave(), Some(3));
        assert_eq!(gate.leave(), Some(4));
        assert_eq!(gate.leave(), None);
        assert!(gate.enter(5));
    }

    #[test]
    fn who_gives_up_is_passed_over() {
        let mut gate = Admission::new(1);
        gate.enter(1);
        gate.enter(2);
        gate.enter(3);
        assert!(gate.give_up(2));
        assert_eq!(gate.leave(), Some(3));
        assert!(!gate.give_up(3), "3 has a place and must leave it");
    }
}
