//! The semaphore and the closing of a store under shuttle, which runs each scenario in thousands of orders of
//! events. The files under test are compiled here a second time, over another module `sync`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests
#![allow(dead_code)] // of the files compiled here, a part is used

#[path = "../../src/ffi/closable.rs"]
mod closable;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/policy/mod.rs"]
mod policy;
#[path = "../../src/transport/semaphore.rs"]
mod semaphore;
#[path = "../../src/timing.rs"]
mod timing;

#[path = "."]
mod process {
    #[path = "sync_over_shuttle.rs"]
    pub mod sync;
}

use std::time::{Duration, Instant};

use closable::Closable;
use error::{Code, Result};
use policy::deadline::Deadline;
use process::sync::{self, Arc, AtomicBool, AtomicUsize, Ordering};
use semaphore::{Semaphore, Wakeable};
use shuttle::thread;

fn in_many_orders(scenario: impl Fn() + Send + Sync + 'static) {
    sync::in_many_orders(10_000, scenario);
}

/// A slot that notes whether it is driven by two at once, and whether it was woken.
struct FakeSlot {
    shared: Arc<FakeShared>,
}

struct FakeShared {
    driven: AtomicBool,
    woken: AtomicBool,
    alive: AtomicBool,
}

#[derive(Clone, Copy, PartialEq)]
struct FakeWaker(*const FakeShared);

// SAFETY: points to a FakeShared that the test's Arc keeps until the end, as a slot outlives its waker.
unsafe impl Send for FakeWaker {}

impl FakeSlot {
    fn new(all: &sync::Mutex<Vec<Arc<FakeShared>>>) -> FakeSlot {
        let shared = Arc::new(FakeShared {
            driven: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            alive: AtomicBool::new(true),
        });
        sync::lock(all).push(Arc::clone(&shared));
        FakeSlot { shared }
    }

    fn drive(&self) {
        assert!(!self.shared.driven.swap(true, Ordering::SeqCst), "two threads drive one slot");
        thread::yield_now();
        self.shared.driven.store(false, Ordering::SeqCst);
    }
}

impl Drop for FakeSlot {
    fn drop(&mut self) {
        self.shared.alive.store(false, Ordering::SeqCst);
    }
}

impl Wakeable for FakeSlot {
    type Waker = FakeWaker;
    fn waker(&self) -> FakeWaker {
        FakeWaker(&*self.shared)
    }
    fn wake(waker: FakeWaker) {
        // SAFETY: see the Send of FakeWaker.
        let shared = unsafe { &*waker.0 };
        assert!(shared.alive.load(Ordering::SeqCst), "a slot is woken after its end");
        shared.woken.store(true, Ordering::SeqCst);
    }
    fn is_connected(&self) -> bool {
        true
    }
}

struct House {
    semaphore: Semaphore<FakeSlot>,
    slots: sync::Mutex<Vec<Arc<FakeShared>>>,
    inside: AtomicUsize,
}

const CAPACITY: usize = 2;

impl House {
    fn new() -> Arc<House> {
        let slots = sync::Mutex::new(Vec::new());
        Arc::new(House { semaphore: Semaphore::new(CAPACITY), slots, inside: AtomicUsize::new(0) })
    }

    /// A call: in, drive, out.
    fn call(&self, deadline: Deadline) -> Result<()> {
        let slot = self.semaphore.acquire(deadline, |_| ())?;
        assert!(self.inside.fetch_add(1, Ordering::SeqCst) < CAPACITY, "more calls than permits");
        let slot = slot.unwrap_or_else(|| {
            let slot = FakeSlot::new(&self.slots);
            self.semaphore.watch(&slot);
            slot
        });
        slot.drive();
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.semaphore.release(Some(slot));
        Ok(())
    }

    fn assert_all_places_are_free(&self) {
        let occupancy = self.semaphore.occupancy();
        assert_eq!((occupancy.waiting, occupancy.in_use), (0, 0));
        assert!(sync::lock(&self.slots).len() <= CAPACITY, "a slot too many was made");
        for _ in 0..CAPACITY {
            assert!(self.semaphore.acquire(Deadline::NEVER, |_| ()).is_ok(), "a permit was lost");
        }
    }
}

fn some_deadline() -> Deadline {
    Deadline::after(Instant::now(), Some(Duration::from_secs(1)))
}

#[test]
fn every_caller_gets_a_place_in_the_end() {
    in_many_orders(|| {
        let house = House::new();
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let house = Arc::clone(&house);
                thread::spawn(move || house.call(Deadline::NEVER).unwrap())
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        house.assert_all_places_are_free();
    });
}

#[test]
fn a_deadline_that_passes_at_any_moment_loses_no_place() {
    in_many_orders(|| {
        let house = House::new();
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let house = Arc::clone(&house);
                thread::spawn(move || {
                    match house.call(if caller < 2 { some_deadline() } else { Deadline::NEVER }) {
                        Ok(()) => (),
                        Err(error) => assert_eq!((error.code, caller < 2), (Code::Overloaded, true)),
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        house.assert_all_places_are_free();
    });
}

#[test]
fn closing_ends_every_wait_and_wakes_every_slot_in_use() {
    in_many_orders(|| {
        let house = House::new();
        let refused = Arc::new(AtomicUsize::new(0));
        let slots: Vec<FakeSlot> = (0..CAPACITY)
            .map(|_| {
                assert!(house.semaphore.acquire(Deadline::NEVER, |_| ()).unwrap().is_none());
                let slot = FakeSlot::new(&house.slots);
                house.semaphore.watch(&slot);
                slot
            })
            .collect();
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let (house, refused) = (Arc::clone(&house), Arc::clone(&refused));
                thread::spawn(move || {
                    assert_eq!(house.call(Deadline::NEVER).unwrap_err().code, Code::Closed);
                    refused.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        let sleeper = {
            let house = Arc::clone(&house);
            thread::spawn(move || while house.semaphore.sleep(Duration::from_secs(1)) {})
        };
        let reaper = {
            let house = Arc::clone(&house);
            thread::spawn(move || while house.semaphore.wait_for_expired(Duration::ZERO).is_some() {})
        };
        house.semaphore.close();
        // The slots are still in use, as by calls that nothing wakes: nobody else may have to wait for them.
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        sleeper.join().unwrap();
        reaper.join().unwrap();
        for slot in slots {
            assert!(slot.shared.woken.load(Ordering::SeqCst));
            house.semaphore.release(Some(slot));
        }
    });
}

#[test]
fn the_reaper_takes_no_slot_that_is_in_use() {
    in_many_orders(|| {
        let house = House::new();
        let reaper = {
            let house = Arc::clone(&house);
            thread::spawn(move || while house.semaphore.wait_for_expired(Duration::ZERO).is_some() {})
        };
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let house = Arc::clone(&house);
                thread::spawn(move || house.call(Deadline::NEVER).unwrap())
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        house.semaphore.close();
        reaper.join().unwrap();
    });
}

#[test]
fn a_closed_value_is_taken_once_and_after_the_last_caller() {
    struct Value(AtomicBool);
    impl Drop for Value {
        fn drop(&mut self) {
            self.0.store(false, Ordering::SeqCst);
        }
    }
    in_many_orders(|| {
        let closable = Arc::new(Closable::new(Value(AtomicBool::new(true))));
        let taken = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let closable = Arc::clone(&closable);
                thread::spawn(move || {
                    let outcome = closable.with(|value| {
                        assert!(value.0.load(Ordering::SeqCst));
                        thread::yield_now();
                        assert!(value.0.load(Ordering::SeqCst), "used after it was taken");
                        Ok(())
                    });
                    assert!(outcome.map_or_else(|error| error.code == Code::Closed, |()| true));
                })
            })
            .collect();
        let closers: Vec<_> = (0..2)
            .map(|_| {
                let (closable, taken) = (Arc::clone(&closable), Arc::clone(&taken));
                thread::spawn(move || {
                    if let Some(value) = closable.close(|_| ()) {
                        taken.fetch_add(1, Ordering::SeqCst);
                        drop(value);
                    }
                })
            })
            .collect();
        callers.into_iter().chain(closers).for_each(|thread| thread.join().unwrap());
        assert_eq!(taken.load(Ordering::SeqCst), 1);
    });
}
