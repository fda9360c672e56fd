//! The open store. One call is admission, attempts under one deadline, and decoding.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::auth::Auth;
use crate::columns::{Dense, Matrix, Response};
use crate::config::{AuthKind, Config, Environment, Mask};
use crate::deadline::Deadline;
use crate::error::{Code, Error, Result};
use crate::log::{self, Level};
use crate::retry::{self, Decision, RetryBudget, RetryPolicy};
use crate::stats::{self, Stats};
use crate::transport::{FaultKind, Pool, Transfer, process};
use crate::wire::answer::Layout;
use crate::wire::request::Request;
use crate::wire::{decode, server_error};

/// A connection pool to one feature server. Used by any number of threads at once.
pub struct Remote {
    pool: Pool,
    auth: Auth,
    /// Of the secrets that others may repeat.
    mask: Mask,
    stats: Arc<Stats>,
    server: String,
    request_timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    retry: RetryPolicy,
    budget: RetryBudget,
    dice: AtomicU64,
    pause: Option<Box<Pause>>,
    generation: u32,
    /// Of finished calls, for their buffers.
    layouts: Mutex<Vec<Layout>>,
}

/// As many threads as decode at the same time, on a large machine.
const LAYOUTS_KEPT: usize = 64;

/// Told each wait before a retry, in place of waiting.
type Pause = dyn Fn(Duration) + Send + Sync;

/// A failed attempt, and what its kind says about trying again.
struct Failure {
    error: Error,
    retried: bool,
    timeout: bool,
    retry_after: Option<Duration>,
}

impl Remote {
    /// Opens a store. Nothing goes over the network before the first call.
    pub fn open(config: &Config) -> Result<Remote> {
        Remote::open_in(config, &Environment::of_process())
    }

    /// As [`open`](Remote::open), with variables and files looked up elsewhere.
    pub fn open_in(config: &Config, environment: &Environment) -> Result<Remote> {
        config.validate()?;
        warn_of(config);
        process::watch_forks()?;
        let stats = Arc::new(Stats::default());
        Ok(Remote {
            pool: Pool::new(config, environment, Arc::clone(&stats))?,
            auth: Auth::new(config, environment)?,
            mask: config.mask(),
            stats,
            server: config.shown_path(),
            request_timeout: config.request_timeout,
            attempt_timeout: config.attempt_timeout,
            retry: RetryPolicy {
                retries: config.connection_retries,
                backoff_factor: config.retry_backoff_factor,
                backoff_max: config.retry_backoff_max,
                jitter: config.retry_jitter,
            },
            budget: RetryBudget::new(config.retry_budget),
            dice: AtomicU64::new(seed()),
            pause: None,
            generation: process::generation(),
            layouts: Mutex::new(Vec::new()),
        })
    }

    /// Replaces the waiting before retries, for tests that must not take its time.
    pub fn with_pause(mut self, pause: impl Fn(Duration) + Send + Sync + 'static) -> Remote {
        self.pause = Some(Box::new(pause));
        self
    }

    /// Fetches the features that `request` asks for, and waits for them.
    pub fn get_online_features(&self, request: &Request) -> Result<Response> {
        self.fetch(request, |answer, layout| decode::decode(answer, request, layout))
    }

    /// Fetches the features that `request` asks for straight into a row-major matrix, in the order asked.
    pub fn get_online_features_into(
        &self,
        request: &Request,
        dense: &mut Dense<'_, f32, impl Matrix<f32>>,
    ) -> Result<()> {
        dense.check_stride(request.features().map_or(1, <[_]>::len))?;
        self.fetch(request, |answer, layout| decode::decode_into(answer, request, layout, dense))
    }

    fn fetch<T>(&self, request: &Request, decode: impl FnOnce(&[u8], &mut Layout) -> Result<T>) -> Result<T> {
        request.check()?;
        self.check_process()?;
        let start = Instant::now();
        let mut body = self.pool.buffer();
        let answer = request.encode(&mut body).and_then(|()| self.exchange(&body, request.timeout(), start));
        self.pool.keep_buffer(body);
        let (answer, attempts) = answer?;
        let answered = Instant::now();
        let mut layout = self.layouts.try_lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default();
        let decoded = decode(&answer, &mut layout);
        if let Ok(mut kept) = self.layouts.try_lock()
            && kept.len() < LAYOUTS_KEPT
        {
            kept.push(layout);
        }
        self.pool.keep_buffer(answer);
        let end = Instant::now();
        self.stats.decode.record(end - answered);
        match &decoded {
            Ok(_) => self.stats.total.record(end - start),
            Err(_) => Stats::count(&self.stats.calls_failed),
        }
        decoded.map_err(|error| Error {
            message: format!("{}: {}", self.server, error.message),
            http_status: 200,
            attempts,
            ..error
        })
    }

    /// Sends a JSON body as it is and returns the server's JSON as it is.
    pub fn get_online_features_json(&self, body: &[u8], timeout: Option<Duration>) -> Result<Vec<u8>> {
        self.check_process()?;
        let start = Instant::now();
        let (answer, _) = self.exchange(body, timeout, start)?;
        self.stats.total.record(start.elapsed());
        Ok(answer)
    }

    /// Makes every call return `CLOSED`: those under way soon, later ones at once. Dropping the store then
    /// closes its connections.
    pub fn close(&self) {
        self.pool.close();
    }

    /// Calls that wait for a free connection now.
    pub fn waiting(&self) -> usize {
        self.pool.occupancy().waiting
    }

    /// The store's figures as JSON; see STATISTICS.md.
    pub fn stats_json(&self) -> String {
        let pool = self.pool.occupancy();
        let values = [pool.waiting as u64, pool.idle as u64, pool.in_use as u64, self.budget.tokens()];
        let now: Vec<(&str, u64)> = stats::NOW.iter().map(|(name, _)| *name).zip(values).collect();
        self.stats.to_json(&now)
    }

    /// Whether the store was opened by this process, and not by one that this process was forked from: its
    /// connections belong to the other one.
    pub fn is_of_this_process(&self) -> bool {
        self.generation == process::generation()
    }

    fn check_process(&self) -> Result<()> {
        if self.is_of_this_process() {
            return Ok(());
        }
        Err(Error::argument(
            "this store was opened before a fork and belongs to the parent process; open another one here",
        ))
    }

    /// The body of the HTTP 200 that `body` was answered with, and the attempts it took.
    fn exchange(&self, body: &[u8], timeout: Option<Duration>, start: Instant) -> Result<(Vec<u8>, u32)> {
        Stats::count(&self.stats.calls);
        self.attempt_until_answered(body, timeout, start)
            .inspect_err(|_| Stats::count(&self.stats.calls_failed))
    }

    fn attempt_until_answered(
        &self,
        body: &[u8],
        timeout: Option<Duration>,
        start: Instant,
    ) -> Result<(Vec<u8>, u32)> {
        let deadline = Deadline::after(start, timeout.or(self.request_timeout));
        let mut answer = self.pool.buffer();
        let mut attempts = 0;
        let mut last: Option<Failure> = None;
        let mut http_status = 0;
        let mut token_renewed = false;
        loop {
            let token = match self.auth.token(&self.pool, deadline) {
                Ok(token) => token,
                Err(error) => {
                    let error = Error { http_status: http_status.max(error.http_status), ..error };
                    return Err(self.complete(error, attempts, start));
                }
            };
            let mut place = match self.pool.enter(deadline) {
                Ok(place) => place,
                Err(error) => {
                    if error.code == Code::Overloaded {
                        Stats::count(&self.stats.calls_overloaded);
                    }
                    return Err(self.give_up(last, attempts, start, error));
                }
            };
            let now = Instant::now();
            let attempt_deadline = deadline.min(Deadline::after(now, self.attempt_timeout));
            let mut transfer = place.perform(body, token.as_ref(), answer, attempt_deadline)?;
            drop(place);
            attempts += 1;
            self.record(&transfer);
            let mut failure = match self.judge(&mut transfer) {
                None => {
                    self.budget.refill();
                    return Ok((transfer.body, attempts));
                }
                Some(failure) => failure,
            };
            let said = std::mem::take(&mut failure.error.message);
            failure.error.message = self.mask.clean(said, token.as_deref());
            // The last answer stays known when a later attempt brings none.
            if failure.error.http_status != 0 {
                http_status = failure.error.http_status;
            }
            failure.error.http_status = http_status;
            answer = transfer.body;
            if failure.error.code == Code::Unauthenticated
                && !token_renewed
                && token.as_ref().is_some_and(|token| self.auth.refused(token))
            {
                Stats::count(&self.stats.tokens_refused);
                token_renewed = true;
                continue;
            }
            let why = match self.next_step(&failure, attempts, deadline) {
                Ok(wait) => {
                    Stats::count(self.retries_after(&failure.error));
                    log::write(Level::Info, || {
                        format!(
                            "{}: attempt {attempts}: {}; trying again in {wait:.1?}",
                            self.server, failure.error
                        )
                    });
                    if !self.wait(wait) {
                        return Err(self.give_up(None, attempts, start, Error::closed()));
                    }
                    last = Some(failure);
                    continue;
                }
                Err(why) => why,
            };
            self.pool.keep_buffer(answer);
            failure.error.message.push_str(&why);
            return Err(self.complete(failure.error, attempts, start));
        }
    }

    fn record(&self, transfer: &Transfer) {
        let stats = &self.stats;
        Stats::count(&stats.attempts);
        stats.wire_requests.fetch_add(transfer.wire_requests.into(), Ordering::Relaxed);
        if let Some(first_byte) = transfer.first_byte {
            stats.first_byte.record(first_byte);
        }
        if transfer.connections_opened > 0 {
            stats.connections_opened.fetch_add(transfer.connections_opened.into(), Ordering::Relaxed);
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

    fn retries_after(&self, error: &Error) -> &AtomicU64 {
        match error.code {
            Code::Connect => &self.stats.retries_connect,
            Code::Tls => &self.stats.retries_tls,
            Code::Io => &self.stats.retries_io,
            Code::Timeout => &self.stats.retries_timeout,
            _ => &self.stats.retries_status,
        }
    }

    /// `false` if the store closes meanwhile.
    fn wait(&self, wait: Duration) -> bool {
        match &self.pause {
            Some(pause) => {
                pause(wait);
                true
            }
            None => self.pool.sleep(wait),
        }
    }

    /// How long to wait before the next attempt, or why there is none.
    fn next_step(
        &self,
        failure: &Failure,
        failures: u32,
        deadline: Deadline,
    ) -> std::result::Result<Duration, String> {
        if !failure.retried {
            return Err(String::new());
        }
        let remaining = deadline.remaining(Instant::now());
        match self.retry.decide(failures, failure.retry_after, self.roll(), remaining) {
            Decision::Exhausted => Err(String::new()),
            Decision::PastDeadline(wait) if wait.is_zero() => Err(String::new()),
            Decision::PastDeadline(wait) => {
                Err(format!("; the next attempt would have come after {wait:.1?}, past the call's deadline"))
            }
            Decision::Retry(_) if !self.budget.pay_for_retry(failure.timeout) => {
                Stats::count(&self.stats.retries_refused);
                Err("; not retried, the store's retry budget is used up (retry_budget)".to_owned())
            }
            Decision::Retry(wait) => Ok(wait),
        }
    }

    /// The error of a call that could not get back on the wire: the last answer says more than the queue.
    fn give_up(&self, last: Option<Failure>, attempts: u32, start: Instant, queue: Error) -> Error {
        match last {
            Some(failure) if queue.code == Code::Overloaded => {
                let mut error = failure.error;
                error.message.push_str("; ");
                error.message.push_str(&queue.message);
                self.complete(error, attempts, start)
            }
            _ => Error { attempts, ..queue },
        }
    }

    fn complete(&self, error: Error, attempts: u32, start: Instant) -> Error {
        if error.code == Code::Closed {
            return Error { attempts, ..error };
        }
        let seconds = start.elapsed().as_secs_f64();
        let times = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
        let message = format!("{}: {} ({times} in {seconds:.3} s)", self.server, error.message);
        Error { message, attempts, ..error }
    }

    /// `None` for an HTTP 200.
    fn judge(&self, transfer: &mut Transfer) -> Option<Failure> {
        let fault = match &transfer.result {
            Ok(200) => return None,
            Ok(status) => return Some(refused_by_server(*status, transfer)),
            Err(_) => std::mem::replace(&mut transfer.result, Ok(0)).err()?,
        };
        let (kind, retried) = (fault.kind, fault.is_retried());
        let mut error = fault.into_error();
        match kind {
            FaultKind::Tls { verification: true } => {
                error.message.push_str("; see the configuration keys `cert` and `client_cert`");
            }

            FaultKind::TooLarge => error.http_status = 200, // only an answer is refused for its size
            _ => (),
        }
        Some(Failure { error, retried, timeout: matches!(kind, FaultKind::Timeout(_)), retry_after: None })
    }

    /// The next pseudo-random number in 0..1 (splitmix64; it spreads retries, nothing hangs on its quality).
    fn roll(&self) -> f64 {
        let mut z = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn refused_by_server(status: u16, transfer: &Transfer) -> Failure {
    let said = server_error::parse(&transfer.body);
    let retry_after = transfer.retry_after.as_deref();
    // A FeastError is the answer to the question asked; asking again brings the same one.
    let retried = said.feast_class.is_none() && retry::status_is_retried(status, retry_after.is_some());
    let class = said.feast_class.as_deref().map(|class| format!("{class}: ")).unwrap_or_default();
    let advice = match status {
        300..=399 => "; redirects are not followed, set `path` to the server itself",
        401 => "; see the configuration keys that begin with `auth.`",
        404 if said.feast_class.is_none() => "; is `path` the URL of a Feast feature server?",
        _ => "",
    };
    let code = Code::of_http_status(status);
    let mut error = Error::new(code, format!("HTTP {status}: {class}{}{advice}", said.message));
    error.http_status = status;
    error.feast_class = said.feast_class;
    error.retriable = retried;
    let retry_after = retry_after.and_then(|value| retry::parse_retry_after(value, SystemTime::now()));
    Failure { error, retried, timeout: false, retry_after }
}

/// What a configuration permits and hardly anybody wants.
fn warn_of(config: &Config) {
    if !config.verify_ssl {
        log::write(Level::Warning, || {
            format!("{}: verify_ssl is false, any server is trusted", config.shown_path())
        });
    }
    if config.auth.kind == AuthKind::Oidc && !config.auth.verify_ssl {
        log::write(Level::Warning, || {
            "auth.verify_ssl is false, any identity provider is trusted".to_owned()
        });
    }
    if config.auth.auth_discovery_url.starts_with("http:") {
        log::write(Level::Warning, || "auth.auth_discovery_url: credentials are sent without TLS".to_owned());
    }
    if config.auth.kind != AuthKind::None && !config.path.starts_with("https:") {
        log::write(Level::Warning, || format!("{}: tokens are sent without TLS", config.shown_path()));
    }
}

/// Different for every store and process.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
