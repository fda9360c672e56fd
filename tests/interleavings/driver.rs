//! The driver, the mailbox, the queue and what guarantees one event for each call, under shuttle: compiled here a second
//! time, between fakes of the network, of the policy and of the identity provider that answer, fail, stall and panic at
//! random.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests
#![allow(dead_code, unused_imports)] // of the files compiled here, a part is used
#![allow(missing_docs, clippy::clone_on_copy)] // of the fakes

#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/policy/mod.rs"]
mod policy;
#[path = "../../src/transport/semaphore.rs"]
mod semaphore;
#[path = "../../src/server_name.rs"]
mod server_name;

#[path = "."]
mod process {
    #[path = "sync_over_shuttle.rs"]
    pub mod sync;

    pub mod panics {
        use std::panic::{AssertUnwindSafe, catch_unwind};

        use crate::error::{Code, Error, Result};

        pub fn contained<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
            catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Error::new(Code::Panic, "contained")))
        }
    }
}

#[path = "../../src/remote"]
mod remote {
    #[path = "call.rs"]
    pub mod call;
    #[path = "driver/mod.rs"]
    pub mod driver;
    #[path = "inner.rs"]
    pub mod inner;
    #[path = "merge.rs"]
    pub mod merge;
    #[path = "origin.rs"]
    pub mod origin;
    #[path = "waiter.rs"]
    pub mod waiter;

    pub mod store {
        use std::time::Duration;

        pub struct Store {
            pub server: String,
            pub stats: crate::observe::statistics::Stats,
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

    pub mod attempt {
        use std::time::{Duration, Instant};

        use crate::policy::deadline::Deadline;
        use crate::servers::Assignment;

        pub struct Attempt {
            pub assignment: Assignment,
            pub begun: Instant,
            pub deadline: Deadline,
            pub token: Option<crate::auth::Token>,
        }

        impl Attempt {
            pub fn supersede(&mut self, _deadline: Deadline, _took: Duration) {}
        }
    }

    pub mod exchange {
        use std::time::{Duration, Instant};

        use shuttle::rand::Rng;

        use super::attempt::Attempt;
        use super::inner::Inner;
        use super::origin::Origin;
        use super::store::Store;
        use crate::auth::Token;
        use crate::error::{Code, Error};
        use crate::policy::admission::Claim;
        use crate::policy::attempt_times::Attempted;
        use crate::policy::deadline::Deadline;
        use crate::server_name::ServerName;
        use crate::servers::{Assignment, Server};
        use crate::timing::Timing;
        use crate::transport::Transfer;

        /// What happens to an exchange when its attempts end.
        #[derive(Clone, Copy, PartialEq)]
        pub enum Fate {
            Answered,
            Failed,
            SecondTry,
            Panic,
        }

        pub struct Exchange {
            pub fate: Fate,
            pub attempts: u32,
            pub deadline: Deadline,
            pub start: Instant,
            pub merged: bool,
        }

        pub enum Next {
            Answered(Vec<u8>, Origin),
            Retry(Duration),
            Failed { error: Error, splits: bool },
        }

        impl Exchange {
            pub fn merged(start: Instant, deadline: Deadline) -> Exchange {
                Exchange { fate: Fate::Answered, attempts: 0, deadline, start, merged: true }
            }
            pub fn with_headers(
                self,
                _: Option<std::sync::Arc<crate::wire::request::RequestHeaders>>,
            ) -> Exchange {
                self
            }
            pub fn head(&self, _: Option<&Token>) -> crate::transport::RequestHead {
                crate::transport::RequestHead
            }
            pub fn note_doubt(&self, _: &Transfer) {}
            pub fn deadline(&self) -> Deadline {
                self.deadline
            }
            pub fn claim(&self) -> Claim {
                Claim { deadline: self.deadline, rows: Some(1) }
            }
            pub fn attempted(&self, _: Duration, _: &Transfer) -> Option<Attempted> {
                None
            }
            pub fn start(&self) -> Instant {
                self.start
            }
            pub fn attempt_time(&self) -> Duration {
                Duration::from_millis(1)
            }
            pub fn refused_or(&self, error: Error) -> Error {
                error
            }
            pub fn refused(&self) -> Option<&Token> {
                None
            }
            pub fn overdue(&self, _store: &Store, _now: Instant) -> Option<Error> {
                None
            }
            pub fn new(start: Instant, deadline: Deadline) -> Exchange {
                Exchange { fate: Fate::Answered, attempts: 0, deadline, start, merged: false }
            }
            pub fn with_rows(self, _rows: usize) -> Exchange {
                self
            }
            pub fn with_request_data(self, _: Option<crate::wire::request::RequestData>) -> Exchange {
                self
            }
            pub fn place_request_data(&mut self, _store: &Store, _body: &mut Vec<u8>) {}
            pub fn rows(&self) -> usize {
                1
            }
            pub fn may_be_hedged(&self) -> bool {
                true
            }
            pub fn is_answered_by(&self, transfer: &Transfer) -> bool {
                transfer.result.is_ok()
            }
            pub fn has_tried(&self, _server: &Server) -> bool {
                false
            }
            pub fn begin_attempt(
                &mut self,
                _store: &Store,
                assignment: Assignment,
                token: Option<Token>,
                now: Instant,
            ) -> Attempt {
                self.attempts += 1;
                Attempt { assignment, begun: now, deadline: self.deadline, token }
            }
            pub fn begin_hedge(
                &mut self,
                _store: &Store,
                assignment: Assignment,
                token: Option<Token>,
                now: Instant,
            ) -> Attempt {
                Attempt { assignment, begun: now, deadline: self.deadline, token }
            }
            pub fn after_hedged(&self, _inner: &Inner, _attempt: &Attempt, _transfer: &Transfer) {}
            pub fn attempts(&self) -> u32 {
                self.attempts
            }
            pub fn timing(&self) -> Timing {
                Timing { attempts: self.attempts, ..Timing::default() }
            }
            pub fn after_attempt(&mut self, _: &Inner, _: Attempt, transfer: Transfer) -> Next {
                let origin = Origin { server: ServerName::new("server"), token: None };
                if self.merged {
                    return match shuttle::rand::thread_rng().gen_range(0..8) {
                        0 => Next::Failed { error: Error::new(Code::Server, "refused"), splits: true },
                        1 if self.attempts == 1 => Next::Retry(Duration::ZERO),
                        _ => Next::Answered(transfer.body, origin),
                    };
                }
                match self.fate {
                    Fate::Answered => Next::Answered(transfer.body, origin),
                    Fate::Failed => Next::Failed { error: Error::new(Code::Io, "broken"), splits: false },
                    Fate::SecondTry if self.attempts == 1 => Next::Retry(Duration::ZERO),
                    Fate::SecondTry => Next::Answered(transfer.body, origin),
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
            pub fn without_permit(&mut self, _store: &Store, error: Error) -> Error {
                error
            }
            pub fn waited_in_vain(&self, _store: &Store, error: Error) -> Error {
                error
            }
            pub fn left_by(&self, _call: &Exchange, _store: &Store, error: Error) -> Error {
                error
            }
        }
    }

    #[path = "events"]
    pub mod events {
        #[path = "queue.rs"]
        pub mod queue;

        use self::queue::Queue;
        use super::store::Store;
        use crate::error::Result;
        use crate::process::sync::{Arc, Mutex, lock};
        use crate::transport::EventFd;

        pub struct Event {
            pub tag: usize,
            pub outcome: Result<Answer>,
        }

        impl Event {
            pub fn of_call(tag: usize, outcome: Result<Answer>) -> Event {
                Event { tag, outcome }
            }
        }

        pub struct Answer {
            pub store: Arc<Store>,
            pub question: crate::wire::request::Request,
            pub bodies: Vec<Vec<u8>>,
            pub timing: crate::timing::Timing,
            pub origin: super::origin::Origin,
            pub took: std::time::Duration,
            pub calls_in_request: usize,
        }

        pub trait CallSource: Send + Sync {
            fn queue_closed(&self);
        }

        pub struct EventQueue {
            pub events: Queue<Event>,
            pub sources: Mutex<Vec<Arc<dyn CallSource>>>,
            pub event_fd: EventFd,
        }

        impl EventQueue {
            pub fn new() -> Arc<EventQueue> {
                let event_fd = EventFd::new();
                Arc::new(EventQueue {
                    events: Queue::new(event_fd.clone()),
                    sources: Mutex::new(Vec::new()),
                    event_fd,
                })
            }
            pub fn announce(&self) {
                self.events.announce();
            }
            pub fn close(&self) {
                self.events.close();
                lock(&self.sources).drain(..).for_each(|source| source.queue_closed());
            }
        }
    }
    use crate::process::sync::Arc;
}

mod auth {
    pub const WITHOUT_HOST_TOKEN: &str = "no token";

    use shuttle::rand::Rng;

    use crate::error::{Code, Error, Result};
    use crate::policy::deadline::Deadline;
    use crate::transport::Pool;

    pub type Token = ();

    pub enum AtHand {
        Token(Option<Token>),
        Stale(Token),
        Nothing,
        #[allow(dead_code)]
        Awaited,
    }

    pub struct Auth {
        pub needed: bool,
    }

    impl Auth {
        pub fn at_hand(&self, _refused: Option<&Token>) -> Result<AtHand> {
            Ok(match if self.needed { shuttle::rand::thread_rng().gen_range(0..3) } else { 0 } {
                0 => AtHand::Token(Some(())),
                1 => AtHand::Stale(()),
                _ => AtHand::Nothing,
            })
        }
        pub fn token(
            &self,
            _pool: &Pool,
            _deadline: Deadline,
            _refused: Option<&Token>,
        ) -> Result<Option<Token>> {
            shuttle::thread::yield_now();
            match shuttle::rand::thread_rng().gen_range(0..4) {
                0 => Err(Error::new(Code::Timeout, "late")),
                1 => Err(Error::new(Code::Unauthenticated, "refused")),
                _ => Ok(Some(())),
            }
        }
    }
}

#[path = "../../src/timing.rs"]
mod timing;

#[path = "../../src/observe"]
mod observe {
    pub mod log {
        pub enum Level {
            Warning,
        }
        pub fn write(_level: Level, _message: impl FnOnce() -> String) {}
    }

    pub mod statistics {
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
            pub calls_merged: AtomicU64,
            pub requests_merged: AtomicU64,
            pub merged_rows: AtomicU64,
            pub merge_splits: AtomicU64,
            pub merge_checks: AtomicU64,
            pub merge_refused: AtomicU64,
            pub hedges: AtomicU64,
            pub hedges_won: AtomicU64,
            pub hedges_refused: AtomicU64,
            pub merge_wait: Latency,
            pub total: Latency,
        }

        impl Stats {
            pub fn count(counter: &AtomicU64) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

mod wire {
    pub mod request {
        use crate::error::Result;

        pub struct RequestHeaders;

        pub struct RequestData;

        /// Asks for these rows, and is answered with them.
        #[derive(Clone, Debug)]
        pub struct Request(pub Vec<u8>);

        impl Request {
            pub fn merged_headers<'a>(
                _: impl Iterator<Item = &'a Request> + Clone,
            ) -> Option<std::sync::Arc<RequestHeaders>> {
                None
            }
            pub fn question(&self) -> Request {
                Request(Vec::new())
            }
            pub fn with_rows(&self, rows: usize) -> Request {
                Request(vec![0; rows])
            }
            pub fn rows(&self) -> usize {
                self.0.len()
            }
            pub fn merge_key(&self) -> Option<Vec<u8>> {
                Some(Vec::new())
            }
            pub fn words(&self) -> String {
                String::new()
            }
            pub fn entity_bytes(&self) -> usize {
                self.0.len()
            }
            pub fn has_rows_of(&self, other: &Request) -> bool {
                self.0 == other.0
            }
            pub fn encode(&self, out: &mut Vec<u8>) -> Result<Option<RequestData>> {
                out.extend_from_slice(&self.0);
                Ok(None)
            }
            pub fn encode_merged<'a>(
                members: impl Iterator<Item = &'a Request> + Clone,
                out: &mut Vec<u8>,
            ) -> Result<Option<RequestData>> {
                members.for_each(|member| out.extend_from_slice(&member.0));
                Ok(None)
            }
        }
    }

    pub mod answer {
        pub mod frame {
            #[derive(Default)]
            pub struct Layout(u8);
        }

        pub mod cut {
            use crate::error::Result;

            pub fn cut(
                body: &[u8],
                request: &crate::wire::request::Request,
                rows: &[usize],
                _layout: &mut super::frame::Layout,
            ) -> Result<Vec<Vec<u8>>> {
                assert_eq!(body.len(), request.rows());
                let mut rest = body;
                let mut cut = |&rows: &usize| {
                    let (first, others) = rest.split_at(rows);
                    rest = others;
                    first.to_vec()
                };
                Ok(rows.iter().map(&mut cut).collect())
            }
        }
    }
}

/// Three servers, one of which is chosen at random.
mod servers {
    use shuttle::rand::Rng;

    use std::time::Instant;

    use crate::process::sync::Arc;
    use crate::semaphore::Choice;

    pub struct Server(pub u32);

    pub struct Assignment {
        server: Arc<Server>,
        used_since: Option<Instant>,
    }

    impl Assignment {
        pub fn server(&self) -> &Arc<Server> {
            &self.server
        }
        pub fn on_connection_used_since(self, then: Instant) -> Assignment {
            Assignment { used_since: Some(then), ..self }
        }
    }

    impl Choice for Assignment {
        fn upstream(&self) -> u32 {
            self.server.0
        }
        fn used_since(&self) -> Option<Instant> {
            self.used_since
        }
    }

    /// The first one, again and again, and others.
    pub struct Servers(pub Arc<Server>);

    impl Servers {
        pub fn choose_usable(&self, tried: impl Fn(&Server) -> bool) -> Option<Assignment> {
            Some(self.choose(tried))
        }
        pub fn choose(&self, _tried: impl Fn(&Server) -> bool) -> Assignment {
            let server = match shuttle::rand::thread_rng().gen_range(0..4) {
                other @ 1..3 => Arc::new(Server(other)),
                _ => Arc::clone(&self.0),
            };
            Assignment { server, used_since: None }
        }
    }
}

mod config {
    pub struct Config {
        pub merge_max_rows: usize,
        pub merge_in_flight: usize,
        pub merge_check: bool,
    }
}

/// A network on which an answer comes at some time, or never.
mod transport {
    use std::time::{Duration, Instant};

    use shuttle::rand::Rng;

    use crate::error::{Error, Result};
    use crate::policy::admission::{Claim, Ticket};
    use crate::policy::attempt_times::Attempted;
    use crate::policy::deadline::Deadline;
    use crate::process::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, lock, wait};
    pub use crate::semaphore::Listener;
    use crate::semaphore::{self, Choice, Lent, Semaphore, Wakeable};
    use crate::servers::Assignment;

    #[derive(Default)]
    struct Air {
        state: Mutex<(bool, Vec<Ready>)>,
        changed: Condvar,
    }

    /// Rings in the air that the poller listens to.
    #[derive(Clone)]
    pub struct EventFd(Arc<Air>);

    impl EventFd {
        pub fn new() -> EventFd {
            EventFd(Arc::default())
        }
        pub fn notify(&self) {
            lock(&self.0.state).0 = true;
            self.0.changed.notify_all();
        }
        pub fn clear(&self) {
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

    pub struct Poller(EventFd, Vec<Ready>);

    impl Poller {
        pub fn new(event_fd: &EventFd) -> Poller {
            Poller(event_fd.clone(), Vec::new())
        }
        pub fn wait(&mut self, limit: Option<Duration>) -> &[Ready] {
            let air = &self.0.0;
            let mut state = lock(&air.state);
            while limit.is_none() && !state.0 && state.1.is_empty() {
                state = wait(&air.changed, state, crate::policy::deadline::Deadline::NEVER).0;
            }
            state.0 = false;
            self.1 = std::mem::take(&mut state.1);
            drop(state);
            shuttle::thread::yield_now();
            &self.1
        }
    }

    #[derive(Debug, PartialEq)]
    pub enum TransferErrorKind {
        Closed,
        Refused,
    }

    #[derive(Debug)]
    pub struct TransferError {
        pub kind: TransferErrorKind,
        pub message: String,
    }

    impl TransferError {
        pub fn into_error(self) -> Error {
            Error::new(crate::error::Code::Timeout, self.message)
        }
    }

    pub struct Transfer {
        pub result: std::result::Result<u16, TransferError>,
        pub request: Vec<u8>,
        pub body: Vec<u8>,
        pub connections_opened: u32,
    }

    /// Told that a name was looked up.
    pub trait NameListener: Send + Sync {
        fn looked_up(&self);
    }

    pub struct Slot {
        number: u32,
        upstream: u32,
        world: Arc<World>,
        request: Vec<u8>,
        busy: bool,
        /// Whether the address has come that the attempt waits for.
        address: Option<Arc<AtomicBool>>,
    }

    /// What the permits of a pool have in common.
    pub struct World {
        pub event_fd: EventFd,
        pub semaphore: Semaphore<Slot>,
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
        fn upstream(&self) -> u32 {
            self.upstream
        }
        fn is_retired(&self) -> bool {
            shuttle::rand::thread_rng().gen_range(0..8) == 0
        }
    }

    impl Slot {
        pub fn request(&self) -> &[u8] {
            &self.request
        }
        pub fn number(&self) -> u32 {
            self.number
        }
        pub fn is_connected(&self) -> bool {
            true
        }
        pub fn timer(&self) -> Option<Instant> {
            None
        }
        pub fn awaits_address(&self) -> bool {
            self.address.is_some()
        }
        pub fn timed_out(&self) -> TransferError {
            TransferError { kind: TransferErrorKind::Closed, message: String::new() }
        }
        pub fn step(&mut self, ready: Option<Ready>) -> Option<std::result::Result<u16, TransferError>> {
            assert!(self.busy, "a step without an attempt");
            if self.address.take_if(|known| known.load(Ordering::SeqCst)).is_none() && self.address.is_some()
            {
                assert!(ready.is_none(), "an answer before there is an address");
                return None;
            }
            match ready {
                Some(_) => Some(Ok(200)),
                // An answer at once, later, or never.
                None => match shuttle::rand::thread_rng().gen_range(0..4) {
                    0 => Some(Ok(200)),
                    1 if self.request == b"perhaps" => None,
                    _ => {
                        let (air, slot) = (Arc::clone(&self.world.event_fd.0), self.number);
                        shuttle::thread::spawn(move || {
                            lock(&air.state).1.push(Ready { slot });
                            air.changed.notify_all();
                        });
                        None
                    }
                },
            }
        }
        pub fn watch(&mut self, _poller: &Poller) -> std::result::Result<(), TransferError> {
            Ok(())
        }
        pub fn end(&mut self, result: std::result::Result<u16, TransferError>) -> Transfer {
            assert!(self.busy, "an end without a beginning");
            (self.busy, self.address) = (false, None);
            self.world.busy.fetch_sub(1, Ordering::SeqCst);
            let request = std::mem::take(&mut self.request);
            Transfer { result, body: request.clone(), request, connections_opened: 0 }
        }
    }

    pub struct RequestHead;

    pub struct OwnedPermit {
        world: Arc<World>,
        slot: Option<Slot>,
        attempted: Option<Attempted>,
    }

    impl OwnedPermit {
        pub fn note(&mut self, attempted: Option<Attempted>) {
            self.attempted = attempted;
        }
        pub fn begin(
            &mut self,
            _head: &RequestHead,
            request: Vec<u8>,
            _body: Vec<u8>,
            _deadline: Deadline,
            listener: &Arc<dyn NameListener>,
        ) -> Result<std::result::Result<(), TransferError>> {
            let slot = self.slot.as_mut().unwrap();
            assert!(!slot.busy, "two attempts on one slot");
            let busy = self.world.busy.fetch_add(1, Ordering::SeqCst);
            assert!(busy < self.world.capacity, "more attempts than permits");
            slot.busy = true;
            slot.request = request;
            // An address that is looked up meanwhile.
            if shuttle::rand::thread_rng().gen_range(0..4) == 0 {
                let known = Arc::new(AtomicBool::new(false));
                slot.address = Some(Arc::clone(&known));
                let listener = Arc::clone(listener);
                shuttle::thread::spawn(move || {
                    known.store(true, Ordering::SeqCst);
                    listener.looked_up();
                });
            }
            Ok(Ok(()))
        }
        pub fn close_connection(&mut self) {
            self.slot = None;
        }
        pub fn slot(&mut self) -> Option<&mut Slot> {
            self.slot.as_mut()
        }
    }

    impl Drop for OwnedPermit {
        fn drop(&mut self) {
            let mut slot = self.slot.take();
            if slot.take_if(|slot| slot.busy).is_some() {
                self.world.busy.fetch_sub(1, Ordering::SeqCst);
            }
            drop(self.world.semaphore.release(slot, self.attempted));
        }
    }

    pub struct PendingAcquire {
        world: Arc<World>,
        ticket: Option<Ticket>,
    }

    impl PendingAcquire {
        pub fn overloaded(&mut self, _waited: Duration) -> Error {
            self.world.semaphore.overloaded()
        }
    }

    impl Drop for PendingAcquire {
        fn drop(&mut self) {
            if let Some(ticket) = self.ticket {
                self.world.semaphore.cancel_acquire(ticket);
            }
        }
    }

    pub enum Acquire<T> {
        Permit(OwnedPermit, T),
        Pending(PendingAcquire, Ticket),
    }

    pub struct Pool(pub Arc<World>);

    impl Pool {
        pub fn new(capacity: usize, event_fd: &EventFd) -> Pool {
            Pool(Arc::new(World {
                event_fd: event_fd.clone(),
                semaphore: Semaphore::new(capacity),
                slots: AtomicUsize::new(0),
                busy: AtomicUsize::new(0),
                capacity,
            }))
        }
        pub fn size(&self) -> usize {
            self.0.capacity
        }
        pub fn is_closing(&self) -> bool {
            self.0.semaphore.is_closing()
        }
        pub fn overloaded(&self) -> Error {
            self.0.semaphore.overloaded()
        }
        pub fn acquire_queued(
            &self,
            listener: &Arc<dyn Listener>,
            claim: Claim,
            choose: impl FnOnce() -> Assignment,
        ) -> Result<Acquire<Assignment>> {
            Ok(match self.0.semaphore.acquire_queued(listener, claim, choose)? {
                semaphore::Acquire::Admitted(lent) => {
                    let (permit, chosen) = self.permit(lent);
                    Acquire::Permit(permit, chosen)
                }
                semaphore::Acquire::Queued(ticket) => Acquire::Pending(
                    PendingAcquire { world: Arc::clone(&self.0), ticket: Some(ticket) },
                    ticket,
                ),
            })
        }
        pub fn claim(
            &self,
            mut pending: PendingAcquire,
            _waited: Duration,
            choose: impl FnOnce() -> Assignment,
        ) -> Result<(OwnedPermit, Assignment)> {
            pending.ticket = None;
            Ok(self.permit(self.0.semaphore.claim(choose)))
        }
        pub fn try_acquire(
            &self,
            choose: impl FnOnce() -> Option<Assignment>,
        ) -> Option<(OwnedPermit, Assignment)> {
            self.0.semaphore.try_acquire(choose).map(|lent| self.permit(lent))
        }
        fn permit(&self, lent: Lent<Slot, Assignment>) -> (OwnedPermit, Assignment) {
            let world = Arc::clone(&self.0);
            let upstream = lent.chosen.upstream();
            let new = || {
                let number = world.slots.fetch_add(1, Ordering::SeqCst) as u32;
                Slot {
                    number,
                    upstream,
                    world: Arc::clone(&world),
                    request: Vec::new(),
                    busy: false,
                    address: None,
                }
            };
            let slot = lent.slot.unwrap_or_else(new);
            assert_eq!(slot.upstream, upstream, "a connection to another server");
            (OwnedPermit { world: Arc::clone(&self.0), slot: Some(slot), attempted: None }, lent.chosen)
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

use config::Config;
use error::Code;
use observe::statistics;
use policy::deadline::Deadline;
use process::sync::{self, Arc, AtomicUsize, Mutex, Ordering, lock};
use remote::call::{Call, Member, ReportTo};
use remote::driver::handle::{Content, DriverHandle, Submission};
use remote::driver::run;
use remote::events::{self, CallSource, EventQueue};
use remote::exchange::{Exchange, Fate};
use remote::inner::Inner;
use remote::merge::Merging;
use remote::store::Store;
use remote::waiter::Waiter;
use shuttle::rand::Rng;
use shuttle::thread;
use transport::{EventFd, Poller, Pool, Worker};
use wire::request::Request;

/// A million orders in all with FEAST_SCHEDULES=62500; a share of them otherwise.
fn in_many_orders(scenario: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("FEAST_SCHEDULES").map_or(4_000, |text| text.parse().unwrap());
    sync::in_many_orders(schedules, scenario);
}

fn exchange(fate: Fate) -> Exchange {
    let deadline = Deadline::NEVER;
    Exchange { fate, attempts: 0, deadline, start: Instant::now(), merged: false }
}

struct House {
    inner: Arc<Inner>,
    handle: Arc<DriverHandle>,
    worker: Option<Worker>,
    numbers: AtomicUsize,
}

impl House {
    fn new(capacity: usize, tokens: bool) -> House {
        House::merging(capacity, tokens, 0, true)
    }

    /// One that merges calls, of so many rows in all.
    fn merging(capacity: usize, tokens: bool, max_rows: usize, check: bool) -> House {
        let config = &Config { merge_max_rows: max_rows, merge_in_flight: 1, merge_check: check };
        let event_fd = EventFd::new();
        let store = Store {
            server: String::new(),
            stats: statistics::Stats::default(),
            pause: Some(Box::new(|_| ())),
        };
        // Every answer that does not come at once is late.
        let mut hedging = policy::hedge::Hedge::new(50.0);
        (0..100).for_each(|_| hedging.record(1, std::time::Duration::ZERO));
        let inner = Arc::new(Inner {
            pool: Pool::new(capacity, &event_fd),
            auth: auth::Auth { needed: tokens },
            store: Arc::new(store),
            servers: servers::Servers(Arc::new(servers::Server(0))),
            merging: Merging::new(config),
            hedging: Some(Mutex::new(hedging)),
        });
        let handle = Arc::new(DriverHandle::new(8, Arc::new(event_fd.clone())));
        let (own_inner, own_handle) = (Arc::clone(&inner), Arc::clone(&handle));
        let mut poller = Poller::new(&event_fd);
        let worker = Worker::start("driver", move || run(&own_inner, &own_handle, &mut poller));
        House { inner, handle, worker, numbers: AtomicUsize::new(0) }
    }

    /// A call of so many requests; `None` if it is refused.
    fn submit(&self, queue: &Arc<EventQueue>, tag: usize, fates: &[Fate], answer: bool) -> Option<Arc<Call>> {
        let mut sources = lock(&queue.sources);
        if sources.is_empty() {
            sources.push(Arc::clone(&self.handle) as Arc<dyn CallSource>);
        }
        drop(sources);
        self.handle.reserve(fates.len()).ok()?;
        let first = self.numbers.fetch_add(fates.len(), Ordering::SeqCst) as u64;
        let numbers = first..first + fates.len() as u64;
        let store = Arc::clone(&self.inner.store);
        let report_to = ReportTo::Queue(Arc::clone(queue), tag);
        let call = Call::new(store, report_to, Request(Vec::new()), Instant::now(), numbers);
        for (member, &fate) in call.members().zip(fates) {
            let request = if answer { b"answer".to_vec() } else { b"perhaps".to_vec() };
            let exchange = exchange(fate);
            self.handle.submit(Box::new(Submission { member, exchange, content: Content::Body(request) }));
        }
        Some(call)
    }

    /// A call for this row that may be merged.
    fn submit_mergeable(&self, report_to: ReportTo, row: u8, fate: Fate) -> Arc<Call> {
        let request = Request(vec![row]);
        let merging = self.inner.merging.as_ref().unwrap();
        let number = || self.numbers.fetch_add(1, Ordering::SeqCst) as u64;
        let question = merging.question(&request, number).unwrap();
        let waiting = question.wait();
        self.handle.reserve_beyond(1).unwrap();
        let number = number();
        let store = Arc::clone(&self.inner.store);
        let call = Call::new(store, report_to, request.question(), Instant::now(), number..number + 1);
        let member = call.members().next().unwrap();
        let (exchange, content) = (exchange(fate), Content::Mergeable(request, waiting));
        let submission = Box::new(Submission { member, exchange, content });
        self.handle.submit_quietly(submission, || question.is_found_by(Deadline::NEVER, Instant::now()));
        call
    }

    /// As dropping a store does it.
    fn close(&mut self) {
        self.inner.pool.0.semaphore.close();
        self.handle.close();
        self.handle.exit();
        self.worker.take().unwrap().join();
        assert_eq!(self.handle.unfinished(), 0, "the count of requests is wrong");
        let occupancy = self.inner.pool.0.semaphore.occupancy();
        assert_eq!((occupancy.waiting, occupancy.in_use), (0, 0), "a permit was lost");
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
    assert!(!queue.event_fd.rings(), "the descriptor is readable and there is nothing");
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
        let handle = Arc::clone(&house.handle);
        let canceller = thread::spawn(move || {
            for call in &calls[..2] {
                call.cancel();
                handle.cancel(call.numbers());
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
        let handle = Arc::clone(&house.handle);
        let canceller = thread::spawn(move || {
            for call in calls {
                call.cancel();
                handle.cancel(call.numbers());
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
        // It gets the only permit although those before it may stall for ever.
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
fn merged_calls_get_their_own_rows_however_they_meet() {
    in_many_orders(|| {
        let house =
            Arc::new(Mutex::new(House::merging(2, false, 8, shuttle::rand::thread_rng().gen_bool(0.3))));
        let callers: Vec<_> = (1..5u8)
            .map(|row| {
                let house = Arc::clone(&house);
                thread::spawn(move || {
                    for _ in 0..2 {
                        let waiter = Arc::new(Waiter::new());
                        let report_to = ReportTo::Waiter(Arc::clone(&waiter));
                        lock(&house).submit_mergeable(report_to, row, Fate::Answered);
                        let outcome = waiter.wait(Deadline::NEVER).unwrap();
                        assert_eq!(outcome.unwrap().bodies, [[row]], "another caller's row");
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        lock(&house).close();
    });
}

#[test]
fn merged_calls_end_once_when_they_are_cancelled_fail_or_the_store_closes() {
    in_many_orders(|| {
        let mut house = House::merging(1, true, 8, false);
        let queue = EventQueue::new();
        let fates = [Fate::Answered, Fate::Failed, Fate::Answered, Fate::SecondTry, Fate::Answered];
        let calls: Vec<_> = fates
            .into_iter()
            .enumerate()
            .map(|(tag, fate)| {
                house.submit_mergeable(ReportTo::Queue(Arc::clone(&queue), tag), tag as u8 + 1, fate)
            })
            .collect();
        let handle = Arc::clone(&house.handle);
        let canceller = thread::spawn(move || {
            for call in &calls[..2] {
                call.cancel();
                handle.cancel(call.numbers());
            }
        });
        if shuttle::rand::thread_rng().gen_bool(0.5) {
            thread::yield_now();
        }
        house.close();
        canceller.join().unwrap();
        take(&queue, 5);
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
