//! A panic in every place where one could be, and memory that libcurl does not get: the caller gets an
//! error, nothing is printed, and the store goes on. In a test build only (`--features fault-injection`); one test, since
//! faults are the process's.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::alone;
use crate::figures::threads;
use crate::support::nginx::Nginx;
use crate::support::server::{Server, answer};
use crate::support::tls::Authority;
use crate::support::wait::wait_until;
use feast_remote::ffi::*;
use feast_remote::process::panics::injected;
use feast_remote::transport::allocator;

const FAILED: [i32; 3] = [FEAST_PANIC, FEAST_INTERNAL, FEAST_INVALID_ARGUMENT];

/// Objects of the interface, freed however far it came.
struct Guest {
    config: *mut feast_config_t,
    request: *mut feast_request_t,
    remote: *mut feast_remote_t,
    queue: *mut feast_queue_t,
    /// How often each status was returned.
    statuses: BTreeMap<i32, usize>,
}

impl Guest {
    fn status(&mut self, status: i32, err: *mut feast_error_t) -> bool {
        *self.statuses.entry(status).or_default() += 1;
        // SAFETY: an error of the interface's, or NULL.
        unsafe {
            assert_eq!(err.is_null(), status == FEAST_OK);
            if status == FEAST_PANIC {
                let message = CStr::from_ptr(feast_error_message(err)).to_str().unwrap();
                assert!(message.is_empty() || message.contains("a bug in libfeast_remote"), "{message}");
            }
            feast_error_free(err);
        }
        status == FEAST_OK
    }

    /// Opens a store; what fails is done once more.
    fn open(settings: &[(&str, &str)]) -> Guest {
        let mut guest = Guest {
            config: ptr::null_mut(),
            request: ptr::null_mut(),
            remote: ptr::null_mut(),
            queue: ptr::null_mut(),
            statuses: BTreeMap::new(),
        };
        // SAFETY: the interface, used as its header says.
        unsafe {
            for _ in 0..2 {
                if guest.config.is_null() {
                    guest.config = feast_config_new();
                }
                if guest.request.is_null() {
                    guest.request = feast_request_new();
                }
            }
            for (key, value) in settings {
                let (key, value) = (CString::new(*key).unwrap(), CString::new(*value).unwrap());
                guest.twice(|guest, err| feast_config_set(guest.config, key.as_ptr(), value.as_ptr(), err));
            }
            guest.twice(|guest, err| feast_request_add_feature(guest.request, c"v:a".as_ptr(), err));
            let ids = [7i64, 8];
            guest.twice(|guest, err| {
                feast_request_set_entity_int64(guest.request, c"id".as_ptr(), ids.as_ptr(), 2, err)
            });
            guest.twice(|guest, err| feast_remote_open(guest.config, &mut guest.remote, err));
            guest.twice(|guest, err| feast_queue_open(&mut guest.queue, err));
        }
        guest
    }

    fn twice(&mut self, mut call: impl FnMut(&mut Guest, *mut *mut feast_error_t) -> i32) -> bool {
        (0..2).any(|_| {
            let mut err = ptr::null_mut();
            let status = call(self, &mut err);
            self.status(status, err)
        })
    }

    /// A blocking call; whether there was an answer, which is then the right one.
    fn fetches(&mut self) -> bool {
        // SAFETY: the interface, used as its header says.
        unsafe {
            let (mut response, mut err) = (ptr::null_mut(), ptr::null_mut());
            let status = feast_get_online_features(self.remote, self.request, &mut response, &mut err);
            assert_eq!(response.is_null(), status != FEAST_OK);
            self.status(status, err) && Guest::is_right(response)
        }
    }

    /// An asynchronous call: one event if it was accepted, else none.
    fn fetches_asynchronously(&mut self) -> bool {
        // SAFETY: the interface, used as its header says.
        unsafe {
            let (mut call, mut err) = (ptr::null_mut(), ptr::null_mut());
            let tag = ptr::without_provenance_mut(17);
            let status = feast_get_online_features_async(
                self.remote,
                self.request,
                self.queue,
                tag,
                &mut call,
                &mut err,
            );
            if !self.status(status, err) {
                return false;
            }
            // A panic while the event is taken out returns NULL; the event itself must not be lost.
            let mut event = feast_queue_poll(self.queue, 20_000);
            if event.is_null() {
                event = feast_queue_poll(self.queue, 20_000);
            }
            assert!(!event.is_null(), "no event");
            let status = feast_event_status(event);
            let response = feast_event_take_response(event);
            *self.statuses.entry(status).or_default() += 1;
            feast_event_free(event);
            feast_call_cancel(call);
            feast_call_free(call);
            status == FEAST_OK && Guest::is_right(response)
        }
    }

    /// NULL and neutral values are what a panic leaves.
    unsafe fn is_right(response: *mut feast_response_t) -> bool {
        // SAFETY: a response of the interface's, or NULL.
        unsafe {
            let mut right = feast_response_num_rows(response) == 2;
            let column = feast_response_find_column(response, c"a".as_ptr());
            let values = feast_response_column_int64(response, column);
            if !values.is_null() {
                assert_eq!(std::slice::from_raw_parts(values, 2), [7000, 8000]);
            }
            right &= !values.is_null() && !feast_response_column_statuses(response, column).is_null();
            let mut out = [0f32; 2];
            let err = ptr::null_mut();
            let copied = feast_response_copy_f32(
                response,
                ptr::null(),
                0,
                out.as_mut_ptr(),
                1,
                0.0,
                ptr::null_mut(),
                err,
            );
            assert!(copied != FEAST_OK || out == [7000.0, 8000.0]);
            feast_response_free(response);
            right && copied == FEAST_OK
        }
    }

    fn reports(&mut self) -> bool {
        // SAFETY: the interface, used as its header says.
        unsafe {
            let (mut json, mut err) = (ptr::null_mut(), ptr::null_mut());
            let status = feast_stats_json(self.remote, &mut json, ptr::null_mut(), &mut err);
            feast_string_free(json);
            self.status(status, err)
        }
    }

    /// Everything is freed twice, in case that a panic came instead the first time: what was freed is told by its mark.
    fn leave(self) {
        // SAFETY: the interface, used as its header says but for freeing twice; nothing is allocated in between.
        unsafe {
            for _ in 0..2 {
                feast_queue_free(self.queue);
            }
            for _ in 0..2 {
                feast_close(self.remote);
            }
            for _ in 0..2 {
                feast_request_free(self.request);
            }
            for _ in 0..2 {
                feast_config_free(self.config);
            }
        }
    }
}

fn threads_of_ours() -> usize {
    threads().iter().filter(|name| name.starts_with("feast-")).count()
}

/// Words that reached the hook of the host, which would have printed them.
static PRINTED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn neither_panics_nor_missing_memory_reach_the_host() {
    if alone::has_run(neither_panics_nor_missing_memory_reach_the_host) {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PRINTED.fetch_add(1, Ordering::SeqCst);
        before(info); // one of this test's own failures, let us hope
    }));
    a_panic_anywhere_is_an_error_and_the_store_goes_on();
    memory_may_fail_anywhere_in_libcurl();
    memory_may_fail_anywhere_in_openssl();
    assert_eq!(PRINTED.load(Ordering::SeqCst), 0, "panics that would have been printed");
}

fn a_panic_anywhere_is_an_error_and_the_store_goes_on() {
    let server = Server::start(answer);
    let (mut panics, mut refused) = (0, 0);
    for k in 0.. {
        injected::panic_at(k);
        let mut guest = Guest::open(&[("path", &server.url()), ("connection_retries", "0")]);
        for _ in 0..2 {
            guest.fetches();
            guest.fetches_asynchronously();
            guest.reports();
        }
        let panicked = injected::disarm();
        // Afterwards the store serves both kinds of call.
        assert!(guest.fetches() && guest.fetches_asynchronously() && guest.reports(), "after panic {k}");
        if panicked {
            panics += 1;
            refused += usize::from(FAILED.iter().any(|status| guest.statuses.contains_key(status)));
        } else {
            assert!(guest.statuses.keys().all(|&status| status == FEAST_OK), "{:?}", guest.statuses);
        }
        // The way out has points of its own; they follow those of the way in.
        injected::panic_at(k);
        guest.leave();
        let left_in_panic = injected::disarm();
        wait_until("no thread of ours is left", || threads_of_ours() == 0);
        wait_until("no connection is left", || server.open() == 0);
        if !panicked && !left_in_panic {
            break;
        }
    }
    assert!(panics > 80 && refused > 40, "{refused} of {panics} panics were told to the caller");
}

/// Each allocation of libcurl's fails in turn.
fn memory_may_fail_anywhere_in_libcurl() {
    let server = Server::start(answer);
    let settings = [("path", server.url())];
    let before = live_after_a_call(&server, &settings);
    let (failed, in_spite) = each_allocation_fails(&server, &settings);
    println!("{failed} calls failed and {in_spite} were answered");
    // One more or less from run to run: two threads allocate.
    assert!(failed + in_spite > 100 && failed > 10 * in_spite, "{failed} failed and {in_spite} did not");
    assert_eq!(allocator::live(), before, "allocations that are left");
}

/// Over TLS, OpenSSL's too. The server is a process of its own: OpenSSL's faults are all of this one's.
fn memory_may_fail_anywhere_in_openssl() {
    let server = Server::start(answer);
    let authority = Authority::new("nginx's own");
    let (certificate, key) = authority.issue("localhost", 30);
    let nginx = Nginx::start(&format!(
        "ssl_certificate {}; ssl_certificate_key {}; location / {{ proxy_pass {}; }}",
        certificate.display(),
        key.display(),
        server.url()
    ));
    let url = format!("https://localhost:{}", nginx.port());
    let settings = [("path", url), ("cert", authority.file().display().to_string())];
    // OpenSSL keeps what it has looked up, and the words of a thread's last errors; so what counts is what comes on top
    // when all has happened once.
    each_allocation_fails(&server, &settings);
    let before = live_after_a_call(&server, &settings);
    let (failed, in_spite) = each_allocation_fails(&server, &settings);
    let left = allocator::live() - before;
    println!("over TLS {failed} calls failed and {in_spite} were answered; {left} allocations are left");
    assert!(failed > 500, "{failed} failed");
    // Four of them are what OpenSSL forgets of a thread that does not get the memory for its first error.
    assert!(left <= 8, "{left} allocations are left");
}

/// What has been set up once, and stays.
fn live_after_a_call(server: &Server, settings: &[(&str, String)]) -> i64 {
    assert!((0..2).all(|_| is_answered(server, settings)));
    allocator::live()
}

/// A life of a store, over when its connections are closed.
fn is_answered(server: &Server, settings: &[(&str, String)]) -> bool {
    let mut settings: Vec<(&str, &str)> =
        settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    settings.push(("retry_backoff_factor", "0"));
    let mut guest = Guest::open(&settings);
    let answered = !guest.remote.is_null() && guest.fetches() && guest.fetches_asynchronously();
    guest.leave();
    wait_until("no connection is left", || server.open() == 0);
    answered
}

/// How many calls failed, and how many were answered all the same.
fn each_allocation_fails(server: &Server, settings: &[(&str, String)]) -> (usize, usize) {
    let (mut failed, mut in_spite) = (0, 0);
    for k in 0.. {
        allocator::fail_at(k);
        let answered = is_answered(server, settings);
        if !allocator::disarm() {
            break; // there are no more than k
        }
        failed += usize::from(!answered);
        in_spite += usize::from(answered);
    }
    assert!(is_answered(server, settings), "with memory again");
    (failed, in_spite)
}
