//! The driver, the mailbox, the queue and what guarantees one event for each call, under shuttle: compiled here a second
//! time, between fakes of the network, of the policy and of the identity provider that answer, fail, stall and panic at
//! random.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests
#![allow(dead_code, unused_imports)] // of the files compiled here, a part is used
#![allow(missing_docs, clippy::clone_on_copy)] // of the fakes

#[path = "../../src/admission.rs"]
mod admission;
#[path = "../../src/deadline.rs"]
mod deadline;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/transport/gate.rs"]
mod gate;
#[path = "../../src/queue.rs"]
mod queue;
#[path = "../../src/rebalance.rs"]
mod rebalance;
#[path = "sync_over_shuttle.rs"]
mod sync;

#[path = "../../src/remote/desk.rs"]
mod desk;
#[path = "../../src/remote/driver.rs"]
mod driver;
#[path = "../../src/remote/mailbox.rs"]
mod mailbox;
#[path = "../../src/remote/pending.rs"]
mod pending;

pub struct Inner {
    pub pool: crate::transport::Pool,
    pub auth: crate::auth::Auth,
    pub store: Arc<store::Store>,
}

pub mod store {
    use std::time::Duration;

    pub struct Store {
        pub stats: crate::stats::Stats,
        pub pause: Option<Box<dyn Fn(Duration) + Send + Sync>>,
    }

    impl Store {
        pub fn buffer(&self) -> Vec<u8> {
            Vec::new()
        }
        pub fn keep_buffer(&self, _buffer: Vec<u8>) {}
        pub fn record(&self, _transfer: &crate::transport::Transfer) {}
    }
}

pub mod call {
    use std::time::{Duration, Instant};

    use super::store::Store;
    use crate::auth::{Auth, Token};
    use crate::deadline::Deadline;
    use crate::error::{Code, Error};
    use crate::transport::Transfer;

    /// What happens to a call when its attempts end.
    #[derive(Clone, Copy, PartialEq)]
    pub enum Fate {
        Answered,
        Failed,
        SecondTry,
        Panic,
    }

    pub struct Call {
        pub fate: Fate,
        pub attempts: u32,
    }

    pub enum Next {
        Answered(Vec<u8>),
        Again(Duration),
        Failed(Error),
    }

    impl Call {
        pub fn deadline(&self) -> Deadline {
            Deadline::NEVER
        }
        pub fn begin_attempt(&mut self, _store: &Store, _now: Instant) -> Deadline {
            self.attempts += 1;
            Deadline::NEVER
        }
        pub fn attempts(&self) -> u32 {
            self.attempts
        }
        pub fn after_attempt(&mut self, _: &Store, _: &Auth, _: Option<&Token>, transfer: Transfer) -> Next {
            match self.fate {
                Fate::Answered => Next::Answered(transfer.request),
                Fate::Failed => Next::Failed(Error::new(Code::Io, "broken")),
                Fate::SecondTry if self.attempts == 1 => Next::Again(Duration::ZERO),
                Fate::SecondTry => Next::Answered(transfer.request),
                // Without the panic hook, which shuttle takes for the end of the test.
                Fate::Panic => std::panic::resume_unwind(Box::new("a bug")),
            }
        }
        pub fn ended_by(&self, error: Error) -> Error {
            error
        }
        pub fn without_token(&self, _store: &Store, error: Error) -> Error {
            error
        }
        pub fn without_place(&mut self, _store: &Store, error: Error) -> Error {
            error
        }
    }
}

pub mod events {
    use super::desk::Desk;
    use super::store::Store;
    use crate::error::Result;
    use crate::queue::Queue;
    use crate::sync::{Arc, Mutex, lock};
    use crate::transport::Bell;

    pub struct Event {
        pub tag: usize,
        pub outcome: Result<Answer>,
    }

    pub struct Answer {
        pub store: Arc<Store>,
        pub question: crate::wire::request::Request,
        pub bodies: Vec<Vec<u8>>,
        pub attempts: u32,
        pub token: Option<crate::auth::Token>,
        pub took: std::time::Duration,
    }

    pub struct EventQueue {
        pub events: Queue<Event>,
        pub desks: Mutex<Vec<Arc<Desk>>>,
        pub bell: Bell,
    }

    impl EventQueue {
        pub fn new() -> Arc<EventQueue> {
            let bell = Bell::new();
            Arc::new(EventQueue { events: Queue::new(bell.clone()), desks: Mutex::new(Vec::new()), bell })
        }
        pub fn announce(&self) {
            self.events.announce();
        }
        pub fn close(&self) {
            self.events.close();
            lock(&self.desks).drain(..).for_each(|desk| desk.sweep());
        }
    }
}

mod auth {
    use shuttle::rand::Rng;

    use crate::deadline::Deadline;
    use crate::error::{Code, Error, Result};
    use crate::transport::Pool;

    pub type Token = ();

    pub enum AtHand {
        Token(Option<Token>),
        Stale(Token),
        Nothing,
    }

    pub struct Auth {
        pub needed: bool,
    }

    impl Auth {
        pub fn at_hand(&self) -> Result<AtHand> {
            Ok(match if self.needed { shuttle::rand::thread_rng().gen_range(0..3) } else { 0 } {
                0 => AtHand::Token(Some(())),
                1 => AtHand::Stale(()),
                _ => AtHand::Nothing,
            })
        }
        pub fn token(&self, _pool: &Pool, _deadline: Deadline) -> Result<Option<Token>> {
            shuttle::thread::yield_now();
            match shuttle::rand::thread_rng().gen_range(0..4) {
                0 => Err(Error::new(Code::Timeout, "late")),
                1 => Err(Error::new(Code::Unauthenticated, "refused")),
                _ => Ok(Some(())),
            }
        }
    }
}

mod panics {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use crate::error::{Code, Error, Result};

    pub fn contained<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
        catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Error::new(Code::Panic, "contained")))
    }
}

mod stats {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[derive(Default)]
    pub struct Latency;

    impl Latency {
        pub fn record(&self, _time: Duration) {}
    }

    #[derive(Default)]
    pub struct Stats {
        pub driver_restarts: AtomicU64,
        pub calls_failed: AtomicU64,
        pub connections_closed_rebalancing: AtomicU64,
        pub total: Latency,
    }

    impl Stats {
        pub fn count(counter: &AtomicU64) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

mod wire {
    pub mod request {
        #[derive(Clone, Debug)]
        pub struct Request;
    }
}

/// A network on which an answer comes at some time, or never.
mod transport {
    use std::time::{Duration, Instant};

    use shuttle::rand::Rng;

    use crate::admission::Ticket;
    use crate::error::{Error, Result};
    pub use crate::gate::Listener;
    use crate::gate::{self, Gate, Wakeable};
    use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, lock, wait};

    #[derive(Default)]
    struct Air {
        state: Mutex<(bool, Vec<Ready>)>,
        changed: Condvar,
    }

    /// Rings in the air that the poller listens to.
    #[derive(Clone)]
    pub struct Bell(Arc<Air>);

    impl Bell {
        pub fn new() -> Bell {
            Bell(Arc::default())
        }
        pub fn ring(&self) {
            lock(&self.0.state).0 = true;
            self.0.changed.notify_all();
        }
        pub fn silence(&self) {
            lock(&self.0.state).0 = false;
        }
        pub fn rings(&self) -> bool {
            lock(&self.0.state).0
        }
        pub fn fd(&self) -> i32 {
            0
        }
    }

    #[derive(Clone, Copy, Debug)]
    pub struct Ready {
        pub slot: u32,
    }

    pub struct Poller(Bell, Vec<Ready>);

    impl Poller {
        pub fn new(bell: &Bell) -> Poller {
            Poller(bell.clone(), Vec::new())
        }
        pub fn wait(&mut self, limit: Option<Duration>) -> &[Ready] {
            let air = &self.0.0;
            let mut state = lock(&air.state);
            while limit.is_none() && !state.0 && state.1.is_empty() {
                state = wait(&air.changed, state, crate::deadline::Deadline::NEVER).0;
            }
            state.0 = false;
            self.1 = std::mem::take(&mut state.1);
            drop(state);
            shuttle::thread::yield_now();
            &self.1
        }
    }

    #[derive(Debug, PartialEq)]
    pub enum FaultKind {
        Closed,
        Refused,
    }

    #[derive(Debug)]
    pub struct Fault {
        pub kind: FaultKind,
        pub message: String,
    }

    pub struct Transfer {
        pub result: std::result::Result<u16, Fault>,
        pub request: Vec<u8>,
        pub body: Vec<u8>,
        pub connections_opened: u32,
    }

    pub struct Slot {
        number: u32,
        world: Arc<World>,
        request: Vec<u8>,
        busy: bool,
    }

    /// What the places of a pool have in common.
    pub struct World {
        pub bell: Bell,
        pub gate: Gate<Slot>,
        pub slots: AtomicUsize,
        pub busy: AtomicUsize,
        pub capacity: usize,
    }

    impl Wakeable for Slot {
        type Waker = u32;
        fn waker(&self) -> u32 {
            self.number
        }
        fn wake(_waker: u32) {}
        fn is_connected(&self) -> bool {
            true
        }
    }

    impl Slot {
        pub fn number(&self) -> u32 {
            self.number
        }
        pub fn is_connected(&self) -> bool {
            true
        }
        pub fn timer(&self) -> Option<Instant> {
            None
        }
        pub fn timed_out(&self) -> Fault {
            Fault { kind: FaultKind::Closed, message: String::new() }
        }
        pub fn step(&mut self, ready: Option<Ready>) -> Option<std::result::Result<u16, Fault>> {
            assert!(self.busy, "a step without an attempt");
            match ready {
                Some(_) => Some(Ok(200)),
                // An answer at once, later, or never.
                None => match shuttle::rand::thread_rng().gen_range(0..4) {
                    0 => Some(Ok(200)),
                    1 if self.request != b"answer" => None,
                    _ => {
                        let (air, slot) = (Arc::clone(&self.world.bell.0), self.number);
                        shuttle::thread::spawn(move || {
                            lock(&air.state).1.push(Ready { slot });
                            air.changed.notify_all();
                        });
                        None
                    }
                },
            }
        }
        pub fn watch(&mut self, _poller: &Poller) -> std::result::Result<(), Fault> {
            Ok(())
        }
        pub fn end(&mut self, result: std::result::Result<u16, Fault>) -> Transfer {
            assert!(self.busy, "an end without a beginning");
            self.busy = false;
            self.world.busy.fetch_sub(1, Ordering::SeqCst);
            let request = std::mem::take(&mut self.request);
            Transfer { result, request, body: vec![0; 8], connections_opened: 0 }
        }
    }

    pub struct OwnPlace {
        world: Arc<World>,
        slot: Option<Slot>,
    }

    impl OwnPlace {
        pub fn begin(
            &mut self,
            request: Vec<u8>,
            _token: Option<&()>,
            _body: Vec<u8>,
        ) -> Result<std::result::Result<(), Fault>> {
            let slot = self.slot.as_mut().unwrap();
            assert!(!slot.busy, "two attempts on one slot");
            let busy = self.world.busy.fetch_add(1, Ordering::SeqCst);
            assert!(busy < self.world.capacity, "more attempts than places");
            slot.busy = true;
            slot.request = request;
            Ok(Ok(()))
        }
        pub fn close_connection(&mut self) {
            self.slot = None;
        }
        pub fn slot(&mut self) -> Option<&mut Slot> {
            self.slot.as_mut()
        }
    }

    impl Drop for OwnPlace {
        fn drop(&mut self) {
            let mut slot = self.slot.take();
            if slot.take_if(|slot| slot.busy).is_some() {
                self.world.busy.fetch_sub(1, Ordering::SeqCst);
            }
            self.world.gate.give_back(slot);
        }
    }

    pub struct Wish {
        world: Arc<World>,
        ticket: Option<Ticket>,
    }

    impl Wish {
        pub fn in_vain(&mut self, _waited: Duration) -> Error {
            self.world.gate.overloaded()
        }
    }

    impl Drop for Wish {
        fn drop(&mut self) {
            if let Some(ticket) = self.ticket {
                self.world.gate.withdraw(ticket);
            }
        }
    }

    pub enum Asked {
        Place(OwnPlace),
        Wish(Wish, Ticket),
    }

    pub struct Pool(pub Arc<World>);

    impl Pool {
        pub fn new(capacity: usize, bell: &Bell) -> Pool {
            Pool(Arc::new(World {
                bell: bell.clone(),
                gate: Gate::new(capacity),
                slots: AtomicUsize::new(0),
                busy: AtomicUsize::new(0),
                capacity,
            }))
        }
        pub fn size(&self) -> usize {
            self.0.capacity
        }
        pub fn is_closing(&self) -> bool {
            self.0.gate.is_closing()
        }
        pub fn ask(&self, listener: &Arc<dyn Listener>) -> Result<Asked> {
            Ok(match self.0.gate.ask(listener)? {
                gate::Asked::Admitted(slot) => Asked::Place(self.place(slot)),
                gate::Asked::Queued(ticket) => {
                    Asked::Wish(Wish { world: Arc::clone(&self.0), ticket: Some(ticket) }, ticket)
                }
            })
        }
        pub fn collect(&self, mut wish: Wish, _waited: Duration) -> Result<OwnPlace> {
            wish.ticket = None;
            Ok(self.place(self.0.gate.collect()))
        }
        fn place(&self, slot: Option<Slot>) -> OwnPlace {
            let world = Arc::clone(&self.0);
            let new = || {
                let number = world.slots.fetch_add(1, Ordering::SeqCst) as u32;
                Slot { number, world: Arc::clone(&world), request: Vec::new(), busy: false }
            };
            let slot = slot.unwrap_or_else(new);
            OwnPlace { world: Arc::clone(&self.0), slot: Some(slot) }
        }
    }

    pub struct Worker(shuttle::thread::JoinHandle<()>);

    impl Worker {
        pub fn start(_name: &str, work: impl FnOnce() + Send + 'static) -> Option<Worker> {
            Some(Worker(shuttle::thread::spawn(work)))
        }
        pub fn join(self) {
            self.0.join().unwrap();
        }
    }
}

use std::time::Instant;

use call::{Call, Fate};
use deadline::Deadline;
use desk::{Desk, Submission};
use driver::live;
use error::Code;
use events::EventQueue;
use pending::Pending;
use shuttle::rand::Rng;
use shuttle::thread;
use store::Store;
use sync::{Arc, AtomicUsize, Ordering, lock};
use transport::{Bell, Poller, Pool, Worker};
use wire::request::Request;

/// A million orders in all with FEAST_SCHEDULES=62500; a share of them otherwise.
fn in_many_orders(scenario: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("FEAST_SCHEDULES").map_or(4_000, |text| text.parse().unwrap());
    sync::in_many_orders(schedules, scenario);
}

struct House {
    inner: Arc<Inner>,
    desk: Arc<Desk>,
    worker: Option<Worker>,
    numbers: AtomicUsize,
}

impl House {
    fn new(capacity: usize, tokens: bool) -> House {
        let bell = Bell::new();
        let store = Store { stats: stats::Stats::default(), pause: Some(Box::new(|_| ())) };
        let inner = Arc::new(Inner {
            pool: Pool::new(capacity, &bell),
            auth: auth::Auth { needed: tokens },
            store: Arc::new(store),
        });
        let desk = Arc::new(Desk::new(8, Arc::new(bell.clone())));
        let (own_inner, own_desk) = (Arc::clone(&inner), Arc::clone(&desk));
        let mut poller = Poller::new(&bell);
        let worker = Worker::start("driver", move || live(&own_inner, &own_desk, &mut poller));
        House { inner, desk, worker, numbers: AtomicUsize::new(0) }
    }

    /// A call of so many requests; `None` if it is refused.
    fn submit(
        &self,
        queue: &Arc<EventQueue>,
        tag: usize,
        fates: &[Fate],
        answer: bool,
    ) -> Option<Arc<Pending>> {
        let mut desks = lock(&queue.desks);
        if desks.is_empty() {
            desks.push(Arc::clone(&self.desk));
        }
        drop(desks);
        self.desk.reserve(fates.len()).ok()?;
        let first = self.numbers.fetch_add(fates.len(), Ordering::SeqCst) as u64;
        let numbers = first..first + fates.len() as u64;
        let store = Arc::clone(&self.inner.store);
        let pending = Pending::new(store, Arc::clone(queue), tag, Request, Instant::now(), numbers);
        for (part, &fate) in pending.parts().zip(fates) {
            let request = if answer { b"answer".to_vec() } else { b"perhaps".to_vec() };
            self.desk.submit(Box::new(Submission { part, call: Call { fate, attempts: 0 }, request }));
        }
        Some(pending)
    }

    /// As dropping a store does it.
    fn close(&mut self) {
        self.inner.pool.0.gate.close();
        self.desk.close();
        self.desk.exit();
        self.worker.take().unwrap().join();
        assert_eq!(self.desk.unfinished(), 0, "the count of requests is wrong");
        let occupancy = self.inner.pool.0.gate.occupancy();
        assert_eq!((occupancy.waiting, occupancy.in_use), (0, 0), "a place was lost");
    }
}

/// Takes out this many events, and fails if one comes twice or never.
fn take(queue: &EventQueue, count: usize) -> Vec<(usize, Option<Code>)> {
    let mut taken = Vec::new();
    while taken.len() < count {
        queue.events.poll(2, Deadline::NEVER, |event| {
            taken.push((event.tag, event.outcome.err().map(|error| error.code)));
        });
    }
    let mut tags: Vec<usize> = taken.iter().map(|(tag, _)| *tag).collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), count, "a call with two events: {taken:?}");
    taken
}

fn nothing_is_left(queue: &EventQueue) {
    queue.events.wake();
    queue.events.poll(9, Deadline::NEVER, |event| panic!("a second event for {}", event.tag));
    assert!(!queue.bell.rings(), "the descriptor is readable and there is nothing");
}

#[test]
fn answers_come_while_the_driver_falls_asleep_and_wakes() {
    in_many_orders(|| {
        let mut house = House::new(2, false);
        let queue = EventQueue::new();
        queue.events.fd();
        let poller = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || take(&queue, 4))
        };
        for (tag, fate) in
            [Fate::Answered, Fate::SecondTry, Fate::Failed, Fate::Answered].into_iter().enumerate()
        {
            house.submit(&queue, tag, &[fate], true).unwrap();
        }
        for (tag, code) in poller.join().unwrap() {
            assert_eq!(code, (tag == 2).then_some(Code::Io));
        }
        house.close();
        nothing_is_left(&queue);
    });
}

#[test]
fn cancel_and_close_race_with_answers() {
    in_many_orders(|| {
        let mut house = House::new(1, false);
        let queue = EventQueue::new();
        let calls: Vec<_> =
            (0..3).map(|tag| house.submit(&queue, tag, &[Fate::Answered], false).unwrap()).collect();
        let desk = Arc::clone(&house.desk);
        let canceller = thread::spawn(move || {
            for call in &calls[..2] {
                call.cancel();
                desk.cancel(call.numbers());
            }
        });
        house.close();
        canceller.join().unwrap();
        for (tag, code) in take(&queue, 3) {
            let expected = [None, Some(Code::Closed), Some(Code::Cancelled)];
            assert!(expected[..if tag < 2 { 3 } else { 2 }].contains(&code), "{tag}: {code:?}");
        }
        nothing_is_left(&queue);
    });
}

#[test]
fn a_cancelled_call_makes_room_for_the_next() {
    in_many_orders(|| {
        let mut house = House::new(1, false);
        let queue = EventQueue::new();
        let calls: Vec<_> =
            (0..2).map(|tag| house.submit(&queue, tag, &[Fate::Answered], false).unwrap()).collect();
        let desk = Arc::clone(&house.desk);
        let canceller = thread::spawn(move || {
            for call in calls {
                call.cancel();
                desk.cancel(call.numbers());
            }
        });
        house.submit(&queue, 2, &[Fate::Answered], true).unwrap();
        for (tag, code) in take(&queue, 3) {
            assert!(code.is_none() || (tag < 2 && code == Some(Code::Cancelled)), "{tag}: {code:?}");
        }
        canceller.join().unwrap();
        house.close();
        nothing_is_left(&queue);
    });
}

#[test]
fn a_call_of_several_requests_has_one_event() {
    in_many_orders(|| {
        let mut house = House::new(2, false);
        let queue = EventQueue::new();
        house.submit(&queue, 0, &[Fate::Answered, Fate::SecondTry, Fate::Answered], true).unwrap();
        house.submit(&queue, 1, &[Fate::Answered, Fate::Failed, Fate::Failed], true).unwrap();
        for (tag, code) in take(&queue, 2) {
            assert_eq!(code, (tag == 1).then_some(Code::Io));
        }
        house.close();
        nothing_is_left(&queue);
    });
}

#[test]
fn tokens_are_waited_for_and_fail() {
    in_many_orders(|| {
        let mut house = House::new(2, true);
        let queue = EventQueue::new();
        for tag in 0..3 {
            house.submit(&queue, tag, &[Fate::SecondTry], true).unwrap();
        }
        for (_, code) in take(&queue, 3) {
            assert!([None, Some(Code::Unauthenticated)].contains(&code), "{code:?}");
        }
        house.close();
        nothing_is_left(&queue);
    });
}

#[test]
fn a_closed_queue_lets_go_of_its_calls() {
    in_many_orders(|| {
        let mut house = House::new(1, false);
        let (doomed, other) = (EventQueue::new(), EventQueue::new());
        for tag in 0..2 {
            house.submit(&doomed, tag, &[Fate::Answered], false).unwrap();
        }
        let closer = {
            let doomed = Arc::clone(&doomed);
            thread::spawn(move || doomed.close())
        };
        // It gets the only place although those before it may stall for ever.
        house.submit(&other, 9, &[Fate::Answered], true).unwrap();
        assert_eq!(take(&other, 1), [(9, None)]);
        closer.join().unwrap();
        house.close();
    });
}

#[test]
fn the_drivers_deaths_lose_no_call() {
    in_many_orders(|| {
        let mut house = House::new(2, false);
        let queue = EventQueue::new();
        let mut accepted = 0;
        for (tag, fate) in [Fate::Answered, Fate::Panic, Fate::SecondTry, Fate::Panic, Fate::Answered]
            .into_iter()
            .enumerate()
        {
            if house.submit(&queue, tag, &[fate], true).is_some() {
                accepted += 1;
            }
        }
        for (tag, code) in take(&queue, accepted) {
            match code {
                None => assert!(tag % 2 == 0, "{tag}"),
                Some(code) => assert_eq!(code, Code::Internal, "{tag}"),
            }
        }
        house.close();
        nothing_is_left(&queue);
    });
}

#[test]
fn a_wake_or_an_event_ends_the_wait_of_each_of_several_threads() {
    in_many_orders(|| {
        let queue = EventQueue::new();
        queue.events.fd();
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let mut taken = 0;
                    queue.events.poll(1, Deadline::NEVER, |_| taken += 1);
                    taken
                })
            })
            .collect();
        for tag in 0..3 {
            queue.events.push(events::Event { tag, outcome: Err(error::Error::closed()) });
            if shuttle::rand::thread_rng().gen_bool(0.5) {
                queue.events.announce();
            }
        }
        queue.events.announce();
        assert_eq!(waiters.into_iter().map(|waiter| waiter.join().unwrap()).sum::<usize>(), 3);
        nothing_is_left(&queue);
    });
}
