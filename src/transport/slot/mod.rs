//! One libcurl multi handle, one easy handle, at most one connection; driven by one thread at a time: by a caller's,
//! which waits for this slot alone, or by the driver, which waits for many.

mod addresses;
mod between;
mod drive;
mod outcome;

use std::ffi::{c_char, c_int, c_long};
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use crate::config::Token;
use crate::error::{Code, Error, Result};
use crate::policy::deadline::Deadline;
use crate::process::fork::{ForkGuard, prevent_fork};
use crate::process::panics::fault_point;
use crate::process::sync::{Arc, Ordering};
use crate::transport::error::{TransferError, TransferErrorKind};
use crate::transport::http::{Host, Http};
use crate::transport::names::{NameListener, Names};
use crate::transport::path::Watch;
use crate::transport::poller::{Poller, Ready};
use crate::transport::receiver::Receiver;
use crate::transport::share::Share;
use crate::transport::sockets::Sockets;
use crate::transport::sys::*;
use crate::transport::text_list::TextList;
use crate::transport::url::Url;
use crate::wire::endpoint::Endpoint;
use crate::wire::request::RequestHeaders;

use addresses::Sought;

/// What came of one attempt.
#[derive(Debug)]
pub struct Transfer {
    /// The HTTP status, or why there is none.
    pub result: std::result::Result<u16, TransferError>,
    /// The body as far as it came.
    pub body: Vec<u8>,
    /// What was sent, for another attempt.
    pub request: Vec<u8>,
    /// Its size.
    pub request_bytes: usize,
    /// The answer's Retry-After header.
    pub retry_after: Option<String>,
    /// The Location header of the last response.
    pub location: Option<String>,
    /// Its body ended with the connection, so nothing tells whether it was whole.
    pub ended_by_close: bool,
    /// Requests begun on a connection; libcurl sends again by itself when a kept connection turns out dead.
    pub wire_requests: u32,
    /// Connections made.
    pub connections_opened: u32,
    /// The connection kept from the last attempt was closed from the other side.
    pub closed_by_server: bool,
    /// From the start to the first byte of the answer, if one came.
    pub first_byte: Option<Duration>,
    /// Of a new connection: until TCP was connected, and until TLS was, if it was used.
    pub connected: Option<(Duration, Option<Duration>)>,
}

/// See the module.
pub struct Slot {
    multi: *mut CURLM,
    easy: *mut CURL,
    /// How its server is spoken to.
    http: Arc<Http>,
    /// libcurl reads it for each request.
    url: Option<Url>,
    /// It reads that, too, for each connection.
    connect_to: Option<TextList>,
    /// The name whose addresses its connections need.
    host: Option<Host>,
    names: Arc<Names>,
    /// The addresses, as libcurl was told them last.
    addresses: Option<TextList>,
    /// The look-up that the attempt waits for, and how long it has waited for one.
    sought: Option<Sought>,
    waited: Duration,
    /// libcurl has got the attempt.
    on_wire: bool,
    /// That of the URL.
    endpoint: Endpoint,
    /// Of the request being sent.
    headers: Option<TextList>,
    /// The token in `headers`.
    token: Option<Token>,
    /// The request's own ones in `headers`.
    own_headers: Option<Arc<RequestHeaders>>,
    /// Boxed: libcurl holds its address while the slot moves.
    receiver: *mut Receiver,
    sockets: *mut Sockets,
    /// libcurl writes to `sockets`.
    reports: bool,
    /// What is being sent; libcurl reads it from here.
    request: Vec<u8>,
    /// Its connections use OpenSSL.
    tls: bool,
    /// They may go to a proxy first.
    proxied: bool,
    /// An attempt has begun and not ended.
    busy: bool,
    /// A connection was made and, as far as we know, is kept.
    connected: bool,
    /// libcurl has kept a connection.
    kept: bool,
    /// The look at the network path while an answer is waited for.
    watch: Watch,
    /// When the last answer had come.
    heard: Instant,
    /// When the connection was made.
    made: Instant,
    /// Different from that of every other slot there is.
    number: u32,
}

static NUMBERS: AtomicU32 = AtomicU32::new(0);

// SAFETY: the handles may be used by any thread, one at a time, and `&mut self` sees to that.
unsafe impl Send for Slot {}

/// Ends a slot's poll from another thread. Valid while the slot lives: the pool keeps it under its lock, and
/// takes it out before the slot can be dropped.
#[derive(Clone, Copy, PartialEq)]
pub struct Waker(*mut CURLM);

// SAFETY: curl_multi_wakeup is the one function of a multi handle that any thread may call at any time.
unsafe impl Send for Waker {}

impl Waker {
    /// Wakes the slot's driver.
    pub fn wake(self) {
        // SAFETY: see the type; the handle is live.
        unsafe { curl_multi_wakeup(self.0) };
    }
}

impl Slot {
    /// A slot without a connection yet.
    pub fn new(http: &Arc<Http>, share: &Share, names: &Arc<Names>) -> Result<Slot> {
        // SAFETY: plain constructors; `Slot::drop` copes with what they could not make.
        let (multi, easy) = unsafe { (curl_multi_init(), curl_easy_init()) };
        let receiver = Box::into_raw(Box::new(Receiver::new(easy, http.max_bytes)));
        let slot = Slot {
            multi,
            easy,
            http: Arc::clone(http),
            url: None,
            connect_to: None,
            host: http.host(),
            names: Arc::clone(names),
            addresses: None,
            sought: None,
            waited: Duration::ZERO,
            on_wire: false,
            endpoint: Endpoint::GetOnlineFeatures,
            headers: None,
            token: None,
            own_headers: None,
            receiver,
            sockets: Box::into_raw(Box::new(Sockets::new(easy))),
            reports: false,
            request: Vec::new(),
            tls: http.uses_tls(),
            proxied: http.uses_proxy(),
            busy: false,
            connected: false,
            kept: false,
            watch: Watch::new(),
            heard: Instant::now(),
            made: Instant::now(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        };
        if slot.multi.is_null() || slot.easy.is_null() {
            let mut error = Error::new(
                Code::Internal,
                "libcurl refused a new handle: this process is out of file descriptors or memory",
            );
            error.retriable = true;
            return Err(error);
        }
        slot.configure(share)
    }

    fn configure(mut self, share: &Share) -> Result<Slot> {
        // SAFETY: every option gets the type that its manual page names; the receiver, the sockets and the URL live until
        // `drop` has freed the easy handle; the share handle is kept by the pool until all slots are gone,
        // and what `http` owns by the slot.
        let code = unsafe {
            let lent = self.http.configure(self.easy, share)?;
            (self.url, self.connect_to) = (Some(lent.url), Some(lent.connect_to));
            match Receiver::install(self.receiver, self.easy) {
                CURLE_OK => Sockets::install(self.sockets),
                code => code,
            }
        };
        if code != CURLE_OK {
            return Err(Error::new(Code::Internal, format!("libcurl refused an option: {}", describe(code))));
        }
        // SAFETY: as above. QUICK_EXIT is unknown to libcurl before 8.14 and may be refused; without it,
        // closing waits for a name lookup that is under way.
        let code = unsafe {
            curl_multi_setopt(self.multi, CURLMOPT_QUICK_EXIT, 1 as c_long);
            curl_multi_setopt(self.multi, CURLMOPT_MAXCONNECTS, 1 as c_long)
        };
        if code != CURLM_OK {
            return Err(Error::new(Code::Internal, "libcurl refused an option of a multi handle"));
        }
        Ok(self)
    }

    /// Lets another thread end this slot's poll.
    pub fn waker(&self) -> Waker {
        Waker(self.multi)
    }

    /// Begins an attempt: POSTs `request`, or GETs without one, and receives into `body` (cleared first). Whatever it
    /// returns, [`end`](Slot::end) must follow. The listener is told when an address has come that it waits for.
    pub fn begin(
        &mut self,
        request: Option<Vec<u8>>,
        body: Vec<u8>,
        deadline: Deadline,
        listener: Option<&Arc<dyn NameListener>>,
    ) -> std::result::Result<(), TransferError> {
        let is_post = request.is_some();
        self.request = request.unwrap_or_default();
        self.busy = true;
        let now = Instant::now();
        self.watch.begin(self.http.upstream().path(), now);
        // SAFETY: no transfer is running, so the callbacks do not touch the receiver; the request stays where it is
        // until `end` has removed the handle, and is read only up to its length.
        unsafe {
            (*self.receiver).begin(body);
            if is_post {
                let length = curl_off_t::try_from(self.request.len()).unwrap_or(curl_off_t::MAX);
                curl_easy_setopt(self.easy, CURLOPT_POSTFIELDSIZE_LARGE, length);
                // Makes it a POST, too.
                curl_easy_setopt(self.easy, CURLOPT_POSTFIELDS, self.request.as_ptr().cast::<c_char>());
            } else {
                curl_easy_setopt(self.easy, CURLOPT_HTTPGET, 1 as c_long);
            }
        }
        fault_point();
        self.begin_connection(now, deadline, listener)
    }

    /// Ends the attempt, with the result that [`step`](Slot::step) gave or another one: then its connection is closed.
    pub fn end(&mut self, result: std::result::Result<u16, TransferError>) -> Transfer {
        fault_point();
        let had_connection = self.connected;
        let (connections_opened, connected) = self.new_connection();
        let first_byte = self.reached(CURLINFO_STARTTRANSFER_TIME_T).map(|time| self.waited + time);
        self.note_addresses(&result);
        // Whatever else went wrong, a connection that has not carried a whole answer is not kept.
        self.connected = result.is_ok();
        // SAFETY: this thread drives the live handle.
        self.set_kept(result.is_ok() && unsafe { has_connection(self.easy) });
        if self.kept {
            self.heard = Instant::now();
            if connections_opened > 0 {
                self.made = self.heard;
            }
        }
        // SAFETY: libcurl is not at work on this slot.
        self.watch.end(unsafe { &*self.sockets }.connections());
        let _no_fork = self.prevent_fork();
        // SAFETY: removing the handle ends the transfer, so the receiver is ours again; should it never have been added,
        // libcurl says so and does nothing.
        let receiver = unsafe {
            curl_multi_remove_handle(self.multi, self.easy);
            &mut *self.receiver
        };
        (self.busy, self.on_wire, self.sought) = (false, false, None);
        Transfer {
            result,
            body: std::mem::take(&mut receiver.body),
            request_bytes: self.request.len(),
            request: std::mem::take(&mut self.request),
            retry_after: receiver.retry_after.take(),
            location: receiver.location.take(),
            ended_by_close: !receiver.has_length,
            wire_requests: receiver.wire_requests,
            connections_opened,
            closed_by_server: had_connection && connections_opened > 0,
            first_byte,
            connected,
        }
    }

    fn set_kept(&mut self, kept: bool) {
        match (self.kept, kept) {
            (false, true) => self.http.upstream().connected(),
            (true, false) => self.http.upstream().disconnected(),
            _ => (),
        }
        self.kept = kept;
    }

    /// For what may take OpenSSL's locks.
    fn prevent_fork(&self) -> Option<ForkGuard> {
        self.tls.then(prevent_fork)
    }

    /// What is being sent.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// An attempt has begun and not ended.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Different from that of every other slot there is.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Has libcurl say what it waits for, from now on; without it [`step`](Slot::step) and [`watch`](Slot::watch) are of
    /// no use. Blocking calls do without, since it costs them something.
    pub fn report_sockets(&mut self) -> Result<()> {
        if self.reports {
            return Ok(());
        }
        // SAFETY: both are live; the sockets are freed after the multi handle.
        let code = unsafe { Sockets::report_to(self.sockets, self.multi) };
        self.reports = code == CURLM_OK;
        if self.reports {
            Ok(())
        } else {
            Err(Error::new(Code::Internal, "libcurl refused an option of a multi handle"))
        }
    }

    /// Goes on with an attempt as far as it goes without waiting: with the socket that is ready, or without one at the
    /// beginning and when the [timer](Slot::timer) says so. Returns the HTTP status or the fault that ended it.
    pub fn step(&mut self, ready: Option<Ready>) -> Option<std::result::Result<u16, TransferError>> {
        fault_point();
        if self.awaits_address() {
            match self.look_for_addresses(Instant::now()) {
                Ok(true) => (),
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let (fd, events) = match ready {
            None => {
                let now = Instant::now();
                if self.watch.next().is_some_and(|next| next <= now) {
                    if let Some(error) = self.path_death(now) {
                        return Some(Err(error));
                    }
                    if self.libcurls_timer().is_none_or(|timer| timer > now) {
                        return None;
                    }
                }
                // SAFETY: libcurl is not at work on this slot.
                unsafe { &mut *self.sockets }.timer_fired();
                (CURL_SOCKET_TIMEOUT, 0)
            }
            Some(ready) => {
                // SAFETY: libcurl is not at work on this slot.
                unsafe { &mut *self.sockets }.fired(ready.fd);
                let readable = if ready.readable { CURL_CSELECT_IN } else { 0 };
                (ready.fd, readable | if ready.writable { CURL_CSELECT_OUT } else { 0 })
            }
        };
        let mut running: c_int = 0;
        let _no_fork = self.prevent_fork();
        // SAFETY: the multi handle is live and driven by this thread only.
        let code = unsafe { curl_multi_socket_action(self.multi, fd, events, &mut running) };
        if code != CURLM_OK {
            return Some(Err(refused(format!("libcurl's multi error {code}"))));
        }
        (running == 0).then(|| self.outcome())
    }

    /// When [`step`](Slot::step) is due although no socket is ready.
    pub fn timer(&self) -> Option<Instant> {
        let watch = self.watch.next().filter(|_| !self.awaits_address());
        self.libcurls_timer().into_iter().chain(watch).chain(self.address_timer()).min()
    }

    fn libcurls_timer(&self) -> Option<Instant> {
        // SAFETY: libcurl is not at work on this slot.
        unsafe { &*self.sockets }.timer()
    }

    /// Has the poller watch what the attempt waits for.
    pub fn watch(&mut self, poller: &Poller) -> std::result::Result<(), TransferError> {
        // SAFETY: libcurl is not at work on this slot.
        let watched = unsafe { &mut *self.sockets }.watch(poller.epoll(), self.number);
        if watched { Ok(()) } else { Err(refused("the kernel refuses to watch a socket")) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.set_kept(false);
        let _no_fork = self.prevent_fork();
        // SAFETY: created by `new`, used by nobody else, freed once; libcurl takes an easy handle out of its multi handle
        // when it is freed, and ignores NULL in each of these. The easy handle goes first, so that the
        // multi handle closes the connection without it.
        unsafe {
            curl_easy_cleanup(self.easy);
            curl_multi_cleanup(self.multi);
            drop(Box::from_raw(self.receiver));
            drop(Box::from_raw(self.sockets));
        }
    }
}

fn refused(why: impl Into<String>) -> TransferError {
    TransferError { kind: TransferErrorKind::Refused, message: why.into() }
}
