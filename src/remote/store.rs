//! What the calls of one store have in common: its settings, figures and spare buffers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::origin::Origin;
use super::server_kind::KnownServerKind;
use super::types::KnownTypes;
use crate::columns::Response;
use crate::config::{Config, Mask, Secret};
use crate::error::{Code, Error, Result};
use crate::observe::statistics::Stats;
use crate::policy::deadline::Deadline;
use crate::policy::retry::{ApplicationErrors, RetryBudget, RetryPolicy};
use crate::process::panics::fault_point;
use crate::process::random::Random;
use crate::timing::Timing;
use crate::transport::{Transfer, TransferError, TransferErrorKind};
use crate::wire::answer::frame::Layout;
use crate::wire::request::{Request, RequestHeaders};

/// See the module. Used by any number of threads.
pub struct Store {
    pub stats: Arc<Stats>,
    /// Seconds since 1970.
    pub started_at: u64,
    /// The servers' URLs as they may be shown.
    pub server: String,
    /// Of the secrets that others may repeat.
    pub mask: Mask,
    pub request_timeout: Option<Duration>,
    pub attempt_timeout: Option<Duration>,
    pub retry: RetryPolicy,
    pub budget: RetryBudget,
    pub application_errors: ApplicationErrors,
    /// For asking once more after these, apart from the other: a caller's mistakes must not cost others their retries.
    pub application_budget: RetryBudget,
    /// Replaces the waiting before retries in tests.
    pub pause: Option<Box<Pause>>,
    random: Random,
    /// Of finished calls.
    buffers: Mutex<Vec<Vec<u8>>>,
    buffers_kept: usize,
    pub server_kind: KnownServerKind,
    /// If types are remembered.
    pub known_types: Option<KnownTypes>,
    /// Of finished calls, for their buffers.
    layouts: Mutex<Vec<Layout>>,
}

/// Told each wait before a retry, in place of waiting.
pub type Pause = dyn Fn(Duration) + Send + Sync;

/// Of requests that differ, and for threads that decode at the same time.
const LAYOUTS_KEPT: usize = 32;
/// Of larger answers there is no copy for the sake of an error.
const SEARCHED_ANEW: usize = 1 << 20;
/// Buffers up to this size are kept for the next call, larger ones are given back.
const KEPT_BUFFER: usize = 1 << 20;

impl Store {
    /// Nothing has been called yet.
    pub fn new(config: &Config, mask: Mask, stats: Arc<Stats>) -> Store {
        Store {
            stats,
            started_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            server: config.shown_path(),
            mask,
            request_timeout: config.request_timeout,
            attempt_timeout: config.attempt_timeout,
            retry: RetryPolicy {
                retries: config.connection_retries,
                backoff_factor: config.retry_backoff_factor,
                backoff_max: config.retry_backoff_max,
                jitter: config.retry_jitter,
            },
            budget: RetryBudget::new(config.retry_budget),
            application_errors: config.retry_application_errors,
            application_budget: RetryBudget::new(config.retry_budget),
            pause: None,
            random: Random::default(),
            buffers: Mutex::new(Vec::new()),
            // A call has a request and an answer.
            buffers_kept: 2 * config.connection_pool_size,
            server_kind: KnownServerKind::new(config.server),
            known_types: config.remember_types.then(KnownTypes::default),
            layouts: Mutex::new(Vec::new()),
        }
    }

    /// By when a call of this request that begins now has to end: the earlier of what the request says, or else the store's
    /// timeout.
    pub fn deadline(&self, request: &Request, start: Instant) -> Deadline {
        match request.deadline() {
            None => Deadline::after(start, request.timeout().or(self.request_timeout)),
            Some(at) => Deadline::by(at).min(Deadline::after(start, request.timeout())),
        }
    }

    /// A buffer of an earlier call, or a new one: allocating costs less than waiting for a lock would.
    pub fn buffer(&self) -> Vec<u8> {
        self.buffers.try_lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default()
    }

    /// Keeps a call's buffer for another call, if that takes no waiting.
    pub fn keep_buffer(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() > KEPT_BUFFER {
            return;
        }
        buffer.clear();
        if let Ok(mut kept) = self.buffers.try_lock()
            && kept.len() < self.buffers_kept
        {
            kept.push(buffer);
        }
    }

    /// A layout of an earlier answer to such a request, or if many are kept the oldest one, for its buffers.
    fn layout(&self, request: &Request) -> Layout {
        let Ok(mut kept) = self.layouts.try_lock() else { return Layout::default() };
        match kept.iter().rposition(|layout| layout.is_of(request)) {
            Some(at) => kept.remove(at),
            None if kept.len() == LAYOUTS_KEPT => kept.remove(0),
            None => Layout::default(),
        }
    }

    /// Reads a call's answer, and says how long that took: the bodies of the HTTP 200s that its requests brought.
    pub fn decode<T>(
        &self,
        bodies: impl AsRef<[Vec<u8>]> + IntoIterator<Item = Vec<u8>>,
        timing: &Timing,
        origin: &Origin,
        request: &Request,
        mut decode: impl FnMut(&[Vec<u8>], &mut Layout) -> Result<T>,
    ) -> Result<(T, Duration)> {
        let start = Instant::now();
        let mut layout = self.layout(request);
        fault_point();
        let decoded = decode(bodies.as_ref(), &mut layout).map_err(|error| {
            let decode = |bodies: &[Vec<u8>]| decode(bodies, &mut Layout::default()).err();
            self.of_an_answer(error, timing, origin, request.headers(), bodies.as_ref(), decode)
        });
        if layout.is_of(request)
            && let Ok(mut kept) = self.layouts.try_lock()
            && kept.len() < LAYOUTS_KEPT
        {
            kept.push(layout);
        }
        bodies.into_iter().for_each(|body| self.keep_buffer(body));
        let took = start.elapsed();
        self.stats.decode.record(took);
        if decoded.is_err() {
            Stats::count(&self.stats.calls_failed);
        }
        Ok((decoded?, took))
    }

    /// Gives the columns of an answer without any value the types that they had before, if types are remembered.
    pub fn remember_types(&self, request: &Request, response: &mut Response) {
        if let Some(known) = &self.known_types {
            known.apply(request, response);
        }
    }

    /// The error of a call whose answer, an HTTP 200, cannot be read; `read` tries it with other bodies.
    pub fn of_an_answer(
        &self,
        error: Error,
        timing: &Timing,
        origin: &Origin,
        headers: Option<&Arc<RequestHeaders>>,
        bodies: &[Vec<u8>],
        read: impl FnOnce(&[Vec<u8>]) -> Option<Error>,
    ) -> Error {
        let token = origin.token.as_deref();
        let own = headers.map(|headers| headers.mask()).unwrap_or_default();
        let error = match bodies.iter().any(|body| self.mask.finds(body, token) || own.finds(body, None)) {
            // The error quotes the answer, maybe half a secret of it: so it is found anew in an answer without them.
            true => self.without_secrets(error, token, &own, bodies, read),
            false => error,
        };
        let message = format!("{}: {}", origin.server, error.message);
        let (attempts, timing) = (timing.attempts, Some(Box::new(*timing)));
        let server = Some(origin.server.clone());
        Error { message, http_status: 200, attempts, timing, server, ..error }
    }

    fn without_secrets(
        &self,
        error: Error,
        token: Option<&Secret>,
        own: &Mask,
        bodies: &[Vec<u8>],
        read: impl FnOnce(&[Vec<u8>]) -> Option<Error>,
    ) -> Error {
        let unquoted = Error::new(error.code, "the server's answer cannot be read, and repeats a secret");
        if bodies.iter().map(Vec::len).sum::<usize>() > SEARCHED_ANEW {
            return unquoted;
        }
        let clean = |body: &Vec<u8>| {
            own.clean(self.mask.clean(String::from_utf8_lossy(body).into_owned(), token), None)
        };
        let cleaned: Vec<Vec<u8>> = bodies.iter().map(|body| clean(body).into_bytes()).collect();
        // Without them it may be another answer.
        read(&cleaned).filter(|found| found.code == error.code).unwrap_or(unquoted)
    }

    /// Counts what an attempt did.
    pub fn record(&self, transfer: &Transfer) {
        let stats = &self.stats;
        Stats::count(&stats.attempts);
        stats.count_answer(transfer.result.as_ref().ok().copied());
        stats.wire_requests.fetch_add(transfer.wire_requests.into(), Ordering::Relaxed);
        if let Some(first_byte) = transfer.first_byte {
            stats.first_byte.record(first_byte);
        }
        if transfer.connections_opened > 0 {
            stats.connections_opened.fetch_add(transfer.connections_opened.into(), Ordering::Relaxed);
        } else if transfer.wire_requests > 0 {
            Stats::count(&stats.connections_reused);
        }
        if let Err(TransferError { kind: TransferErrorKind::Unacknowledged, .. }) = transfer.result {
            Stats::count(&stats.connections_closed_unacknowledged);
        }
        if transfer.closed_by_server {
            Stats::count(&stats.connections_closed_by_server);
        }
        if let Some((tcp, tls)) = transfer.connected {
            stats.connect.record(tcp);
            if let Some(tls) = tls {
                stats.tls.record(tls);
            }
        }
    }

    /// The counter of retries after such an error.
    pub fn retries_after(&self, error: &Error) -> &AtomicU64 {
        match error.code {
            Code::Connect => &self.stats.retries_connect,
            Code::Tls => &self.stats.retries_tls,
            Code::Io => &self.stats.retries_io,
            Code::Timeout => &self.stats.retries_timeout,
            _ => &self.stats.retries_status,
        }
    }

    /// Uniform in 0..1.
    pub fn random(&self) -> f64 {
        self.random.next()
    }
}
