use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

fn by(at: Instant) -> Claim {
    Claim { deadline: Deadline::by(at), rows: Some(1) }
}

fn admits(ticket: Option<Ticket>) -> Released {
    Released { next: ticket, refused: Vec::new() }
}

/// Of which attempts have lately taken so long.
fn where_calls_took(capacity: usize, took: Duration) -> Admission {
    let mut semaphore = Admission::new(capacity);
    (0..16).for_each(|_| semaphore.record(Attempted { rows: 1, took, answered: true }));
    semaphore
}

#[test]
fn a_permit_passes_to_the_first_in_the_queue() {
    let (mut semaphore, now) = (Admission::new(1), Instant::now());
    let claim = by(now + MILLISECOND);
    assert!(semaphore.acquire(1, claim));
    assert!(!semaphore.acquire(2, claim));
    assert!(!semaphore.acquire(3, claim));
    assert_eq!(semaphore.release(now), admits(Some(2)));
    assert!(!semaphore.acquire(4, claim), "nobody overtakes the queue");
    assert_eq!(semaphore.release(now), admits(Some(3)));
    assert_eq!(semaphore.release(now), admits(Some(4)));
    assert_eq!(semaphore.release(now), admits(None));
    assert!(semaphore.acquire(5, claim));
}

#[test]
fn who_gives_up_is_passed_over() {
    let (mut semaphore, now) = (Admission::new(1), Instant::now());
    for ticket in 1..=3 {
        semaphore.acquire(ticket, Claim::UNLIKE_OTHERS);
    }
    assert!(semaphore.cancel(2));
    assert_eq!(semaphore.release(now), admits(Some(3)));
    assert!(!semaphore.cancel(3), "3 has a permit and must release it");
}

#[test]
fn who_has_waited_too_long_is_refused_and_the_next_one_goes() {
    let (mut semaphore, now) = (where_calls_took(1, 50 * MILLISECOND), Instant::now());
    semaphore.acquire(1, by(now));
    for (ticket, left) in [(2, 20), (3, 49), (4, 100), (5, 120)] {
        semaphore.acquire(ticket, by(now + left * MILLISECOND));
    }
    let refusal = |left| Refusal { left: left * MILLISECOND, least: 50 * MILLISECOND };
    let released = semaphore.release(now);
    assert_eq!(released, Released { next: Some(4), refused: vec![(2, refusal(20)), (3, refusal(49))] });
    assert_eq!(semaphore.waiting(), 1);
}

#[test]
fn the_newest_goes_first_while_the_time_of_the_oldest_is_short() {
    let (mut semaphore, now) = (where_calls_took(1, 50 * MILLISECOND), Instant::now());
    (0..8).for_each(|_| semaphore.record(Attempted { rows: 1, took: 60 * MILLISECOND, answered: true }));
    semaphore.acquire(1, by(now));
    for (ticket, left) in [(2, 55), (3, 80), (4, 100)] {
        semaphore.acquire(ticket, by(now + left * MILLISECOND));
    }
    assert_eq!(semaphore.release(now), admits(Some(4)));
    // When the oldest is gone, the next one's time is enough, and it is its turn.
    assert!(semaphore.cancel(2));
    semaphore.acquire(5, by(now + 120 * MILLISECOND));
    assert_eq!(semaphore.release(now), admits(Some(3)));
    // Alone it goes, whether it makes it or not.
    assert!(semaphore.cancel(5));
    semaphore.acquire(6, by(now + 51 * MILLISECOND));
    assert_eq!(semaphore.release(now), admits(Some(6)));
}

#[test]
fn who_comes_while_a_permit_is_free_gets_it_whatever_is_expected() {
    let (mut semaphore, now) = (where_calls_took(1, 500 * MILLISECOND), Instant::now());
    assert!(semaphore.acquire(1, by(now + MILLISECOND)));
    semaphore.acquire(2, by(now + 170 * MILLISECOND));
    // The server has recovered, and those who wait are sent.
    semaphore.record(Attempted { rows: 1, took: 5 * MILLISECOND, answered: true });
    assert_eq!(semaphore.release(now), admits(Some(2)));
}

#[test]
fn calls_without_a_deadline_or_unlike_others_keep_their_order() {
    let (mut semaphore, now) = (where_calls_took(1, 50 * MILLISECOND), Instant::now());
    semaphore.acquire(1, by(now));
    semaphore.acquire(2, Claim { deadline: Deadline::NEVER, rows: Some(1) });
    semaphore.acquire(3, Claim { deadline: Deadline::by(now), rows: None });
    semaphore.acquire(4, Claim { deadline: Deadline::by(now), rows: Some(100) });
    assert_eq!([2, 3, 4].map(Some), [0; 3].map(|_| semaphore.release(now).next));
}

/// What comes of calls, as many at a time as there are callers, at a server that takes 40 to 60 ms.
struct Load {
    callers: u64,
    /// What is recorded of attempts: with nothing, the order is that of arrival and nobody is refused.
    learns: bool,
}

#[derive(Debug)]
struct Result {
    answered: u32,
    cut_off: u32,
    refused: u32,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A caller asks anew.
    Calls,
    /// The attempt of the call with this ticket ends.
    Ends { ticket: Ticket, took: Duration, answered: bool },
    /// The time of a call that may wait is up.
    IsLate(Ticket),
}

impl Load {
    const PERMITS: usize = 2;
    const TIMEOUT: Duration = Duration::from_millis(170);

    /// In a hundred seconds.
    fn run(&self) -> Result {
        let start = Instant::now();
        let mut semaphore = Admission::new(Load::PERMITS);
        let mut events = BinaryHeap::new();
        let mut deadlines: Vec<Instant> = Vec::new();
        let mut result = Result { answered: 0, cut_off: 0, refused: 0 };
        let mut seed = 1u64;
        // They come one after the other.
        (0..self.callers)
            .for_each(|caller| events.push(Reverse((start + caller as u32 * MILLISECOND, Event::Calls))));
        while let Some(Reverse((now, event))) = events.pop() {
            if now > start + Duration::from_secs(100) {
                break;
            }
            let mut admitted = None;
            match event {
                Event::Calls => {
                    let ticket = deadlines.len() as Ticket;
                    deadlines.push(now + Load::TIMEOUT);
                    match semaphore.acquire(ticket, by(now + Load::TIMEOUT)) {
                        true => admitted = Some(ticket),
                        false => events.push(Reverse((now + Load::TIMEOUT, Event::IsLate(ticket)))),
                    }
                }
                Event::IsLate(ticket) => {
                    if semaphore.cancel(ticket) {
                        result.refused += 1;
                        events.push(Reverse((now, Event::Calls)));
                    }
                }
                Event::Ends { took, answered, .. } => {
                    result.answered += u32::from(answered);
                    result.cut_off += u32::from(!answered);
                    if self.learns {
                        semaphore.record(Attempted { rows: 1, took, answered });
                    }
                    let released = semaphore.release(now);
                    admitted = released.next;
                    result.refused += released.refused.len() as u32;
                    // These callers ask anew at once, and the one that was answered.
                    (0..=released.refused.len()).for_each(|_| events.push(Reverse((now, Event::Calls))));
                }
            }
            if let Some(ticket) = admitted {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let needs = Duration::from_micros(40_000 + (seed >> 33) % 20_000);
                let has = deadlines[ticket as usize] - now;
                let ends = Event::Ends { ticket, took: needs.min(has), answered: needs <= has };
                events.push(Reverse((now + needs.min(has), ends)));
            }
        }
        result
    }
}

#[test]
fn twice_and_four_times_the_load_are_answered_as_often() {
    let usual = Load { callers: 4, learns: true }.run();
    assert_eq!((usual.cut_off, usual.refused), (0, 0), "{usual:?}");
    for callers in [6, 8, 16, 64] {
        let result = Load { callers, learns: true }.run();
        println!("{callers} callers: {result:?}, usually {usual:?}");
        assert!(f64::from(result.answered) >= 0.95 * f64::from(usual.answered), "{callers}: {result:?}");
        assert!(result.cut_off * 20 < result.answered, "{callers}: {result:?}");
    }
    // It is the rules that this is owed to.
    let in_order = Load { callers: 8, learns: false }.run();
    assert!(in_order.answered * 2 < usual.answered, "{in_order:?}");
}
