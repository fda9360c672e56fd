//! Who may go on the wire: at most `capacity` calls at once, the others in the order in which they came.
//!
//! A plain state machine under its owner's lock. It neither blocks nor wakes anybody; it says whom to wake.

use std::collections::VecDeque;

/// A waiting call, named by its owner; each number is larger than the one before.
pub type Ticket = u64;

/// The state of the semaphore.
#[derive(Debug)]
pub struct Admission {
    capacity: usize,
    admitted: usize,
    waiting: VecDeque<Ticket>,
}

impl Admission {
    /// An empty semaphore.
    pub fn new(capacity: usize) -> Admission {
        Admission { capacity, admitted: 0, waiting: VecDeque::new() }
    }

    /// Asks for a permit: `true` if it is had at once, else the ticket stands at the end of the queue until
    /// [`release`](Admission::release) names it or [`cancel`](Admission::cancel) withdraws it.
    pub fn acquire(&mut self, ticket: Ticket) -> bool {
        // A permit that falls free goes straight to the first in the queue, so a free one means no queue.
        if self.admitted < self.capacity {
            self.admitted += 1;
            return true;
        }
        self.waiting.push_back(ticket);
        false
    }

    /// Gives a permit back. The ticket returned has been admitted in its stead: wake it.
    pub fn release(&mut self) -> Option<Ticket> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.admitted -= 1;
        }
        next
    }

    /// Withdraws a ticket from the queue; `false` if it had been admitted meanwhile and has a permit to release.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        match self.waiting.binary_search(&ticket) {
            Ok(at) => {
                self.waiting.remove(at);
                true
            }
            Err(_) => false,
        }
    }

    /// Calls with a permit.
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
    fn a_permit_passes_to_the_first_in_the_queue() {
        let mut semaphore = Admission::new(1);
        assert!(semaphore.acquire(1));
        assert!(!semaphore.acquire(2));
        assert!(!semaphore.acquire(3));
        assert_eq!(semaphore.release(), Some(2));
        assert!(!semaphore.acquire(4), "nobody overtakes the queue");
        assert_eq!(semaphore.release(), Some(3));
        assert_eq!(semaphore.release(), Some(4));
        assert_eq!(semaphore.release(), None);
        assert!(semaphore.acquire(5));
    }

    #[test]
    fn who_gives_up_is_passed_over() {
        let mut semaphore = Admission::new(1);
        semaphore.acquire(1);
        semaphore.acquire(2);
        semaphore.acquire(3);
        assert!(semaphore.cancel(2));
        assert_eq!(semaphore.release(), Some(3));
        assert!(!semaphore.cancel(3), "3 has a permit and must release it");
    }
}
