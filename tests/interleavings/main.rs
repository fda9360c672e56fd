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
#[path = "../../src/server_name.rs"]
mod server_name;
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
use policy::admission::Claim;
use policy::attempt_times::Attempted;
use policy::deadline::Deadline;
use process::sync::{self, Arc, AtomicBool, AtomicUsize, Ordering};
use semaphore::{Choice, Lent, Semaphore, Wakeable};
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
    upstream: u32,
    retired: Arc<AtomicBool>,
}

/// The number of a server.
struct Upstream(u32);

impl Choice for Upstream {
    fn upstream(&self) -> u32 {
        self.0
    }
    fn used_since(&self) -> Option<Instant> {
        None
    }
}

#[derive(Clone, Copy, PartialEq)]
struct FakeWaker(*const FakeShared);

// SAFETY: points to a FakeShared that the test's Arc keeps until the end, as a slot outlives its waker.
unsafe impl Send for FakeWaker {}

impl FakeSlot {
    fn new(all: &sync::Mutex<Vec<Arc<FakeShared>>>, upstream: u32, retired: &Arc<AtomicBool>) -> FakeSlot {
        let shared = Arc::new(FakeShared {
            driven: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            alive: AtomicBool::new(true),
            upstream,
            retired: Arc::clone(retired),
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
    fn upstream(&self) -> u32 {
        self.shared.upstream
    }
    fn is_retired(&self) -> bool {
        self.shared.upstream == 0 && self.shared.retired.load(Ordering::SeqCst)
    }
}

struct House {
    semaphore: Semaphore<FakeSlot>,
    slots: sync::Mutex<Vec<Arc<FakeShared>>>,
    inside: AtomicUsize,
    /// The first server is one no more.
    retired: Arc<AtomicBool>,
    /// Slots are taken away meanwhile.
    is_robbed: bool,
    /// What attempts are said to have taken.
    attempted: Option<Attempted>,
}

const CAPACITY: usize = 2;

impl House {
    fn new() -> Arc<House> {
        House::with(false, None)
    }

    fn robbed(is_robbed: bool) -> Arc<House> {
        House::with(is_robbed, None)
    }

    fn with(is_robbed: bool, attempted: Option<Attempted>) -> Arc<House> {
        let slots = sync::Mutex::new(Vec::new());
        let retired = Arc::new(AtomicBool::new(false));
        Arc::new(House {
            semaphore: Semaphore::new(CAPACITY),
            slots,
            inside: AtomicUsize::new(0),
            retired,
            is_robbed,
            attempted,
        })
    }

    /// A call: in, drive, out.
    fn call(&self, deadline: Deadline) -> Result<()> {
        self.call_at(0, deadline)
    }

    /// The same at this server.
    fn call_at(&self, upstream: u32, deadline: Deadline) -> Result<()> {
        let claim = Claim { deadline, rows: Some(1) };
        let lent = self.semaphore.acquire(deadline, claim, || Upstream(upstream), |_| ())?;
        let Lent { slot, displaced, .. } = lent;
        drop(displaced);
        assert!(self.inside.fetch_add(1, Ordering::SeqCst) < CAPACITY, "more calls than permits");
        let slot = slot.unwrap_or_else(|| {
            let slot = FakeSlot::new(&self.slots, upstream, &self.retired);
            self.semaphore.watch(&slot);
            // Who takes some away drops them a little later.
            assert!(self.is_robbed || self.alive() <= CAPACITY, "a slot too many was made");
            slot
        });
        assert_eq!(slot.upstream(), upstream, "a connection to another server");
        slot.drive();
        self.inside.fetch_sub(1, Ordering::SeqCst);
        drop(self.semaphore.release(Some(slot), self.attempted));
        Ok(())
    }

    fn acquire(&self) -> Result<Lent<FakeSlot, Upstream>> {
        self.semaphore.acquire(Deadline::NEVER, Claim::UNLIKE_OTHERS, || Upstream(0), |_| ())
    }

    fn alive(&self) -> usize {
        sync::lock(&self.slots).iter().filter(|slot| slot.alive.load(Ordering::SeqCst)).count()
    }

    fn assert_all_places_are_free(&self) {
        let occupancy = self.semaphore.occupancy();
        assert_eq!((occupancy.waiting, occupancy.in_use), (0, 0));
        assert!(self.alive() <= CAPACITY, "a slot too many was made");
        for _ in 0..CAPACITY {
            assert!(self.acquire().is_ok(), "a permit was lost");
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
fn who_is_refused_for_want_of_time_loses_no_place() {
    in_many_orders(|| {
        // Longer than any call has.
        let attempted = Attempted { rows: 1, took: Duration::from_secs(60), answered: true };
        let house = House::with(false, Some(attempted));
        for _ in 0..16 {
            house.call(Deadline::NEVER).unwrap();
        }
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let house = Arc::clone(&house);
                thread::spawn(move || {
                    match house.call(if caller < 3 { some_deadline() } else { Deadline::NEVER }) {
                        Ok(()) => (),
                        Err(error) => assert_eq!((error.code, caller < 3), (Code::Overloaded, true)),
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        house.assert_all_places_are_free();
    });
}

#[test]
fn calls_to_several_servers_make_no_more_connections_than_there_may_be() {
    in_many_orders(|| {
        let house = House::new();
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let house = Arc::clone(&house);
                thread::spawn(move || house.call_at(caller % 3, Deadline::NEVER).unwrap())
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        house.assert_all_places_are_free();
    });
}

#[test]
fn no_connection_to_a_server_that_is_one_no_more_is_kept() {
    in_many_orders(|| {
        let house = House::robbed(true);
        let callers: Vec<_> = (0..3)
            .map(|caller| {
                let house = Arc::clone(&house);
                thread::spawn(move || house.call_at(caller % 2, Deadline::NEVER).unwrap())
            })
            .collect();
        house.retired.store(true, Ordering::SeqCst);
        drop(house.semaphore.take_retired());
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        let alive = sync::lock(&house.slots).iter().filter(|slot| slot.alive.load(Ordering::SeqCst)).count();
        let of_the_other = sync::lock(&house.slots).iter().filter(|slot| slot.upstream == 1).count();
        assert!(alive <= of_the_other, "a connection to it is kept");
        house.semaphore.close();
    });
}

#[test]
fn closing_ends_every_wait_and_wakes_every_slot_in_use() {
    in_many_orders(|| {
        let house = House::new();
        let refused = Arc::new(AtomicUsize::new(0));
        let slots: Vec<FakeSlot> = (0..CAPACITY)
            .map(|_| {
                assert!(house.acquire().unwrap().slot.is_none());
                let slot = FakeSlot::new(&house.slots, 0, &house.retired);
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
            house.semaphore.release(Some(slot), None);
        }
    });
}

#[test]
fn the_reaper_takes_no_slot_that_is_in_use() {
    in_many_orders(|| {
        let house = House::robbed(true);
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
