//! The look-ups of a server's name: one at a time, and of use to all.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::time::{Duration, Instant};

use feast_remote::config::Environment;
use feast_remote::error::Code;
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;

use crate::name_server::{NAME, NameServer, in_namespaces};
use crate::stalled::full_backlog;
use crate::support::events::{code, next, outcome, queue, submit};
use crate::support::server::{Server, Welcome, answer};
use crate::support::store::{ask, call, config, fails, figures};
use crate::support::wait::wait_until;

/// A name service that answers when the test says so.
struct NameService {
    addresses: Mutex<Vec<Vec<IpAddr>>>,
    answers: Mutex<bool>,
    goes_on: Condvar,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl NameService {
    /// What it answers, one after another, the last one again and again; nothing is an error.
    fn new(answers: bool, addresses: &[&[IpAddr]]) -> Arc<NameService> {
        Arc::new(NameService {
            addresses: Mutex::new(addresses.iter().rev().map(|found| found.to_vec()).collect()),
            answers: Mutex::new(answers),
            goes_on: Condvar::new(),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        })
    }

    fn answers(&self, answers: bool) {
        *self.answers.lock().unwrap() = answers;
        self.goes_on.notify_all();
    }

    fn look_up(&self) -> std::io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        while !*answers {
            answers = self.goes_on.wait(answers).unwrap();
        }
        drop(answers);
        let mut addresses = self.addresses.lock().unwrap();
        let found = if addresses.len() > 1 { addresses.pop().unwrap() } else { addresses[0].clone() };
        self.answered.fetch_add(1, Ordering::SeqCst);
        if found.is_empty() { Err(Error::new(ErrorKind::NotFound, "no such name")) } else { Ok(found) }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn open(names: &Arc<NameService>, url: &str, keys: &[(&str, &str)]) -> Remote {
    let names = Arc::clone(names);
    let lookup = Arc::new(move |_: &str, _: u16| names.look_up());
    Remote::open_with_lookup(&config(url, keys), &Environment::of_process(), lookup).unwrap()
}

fn at(server: &Server) -> String {
    format!("http://feast.invalid:{}", server.port())
}

fn within(milliseconds: u64, id: i64) -> Request {
    let mut request = ask(id);
    request.set_timeout(Some(Duration::from_millis(milliseconds)));
    request
}

#[test]
fn a_look_up_that_outlasts_its_call_serves_the_next_ones() {
    let server = Server::start(answer);
    let names = NameService::new(false, &[&[LOCAL]]);
    let remote = open(&names, &at(&server), &[]);
    let queue = queue();
    for _ in 0..3 {
        let error = remote.get_online_features(&within(20, 1)).unwrap_err();
        assert_eq!(error.code, Code::Timeout);
        assert!(error.message.contains("looking up the server's name"), "{}", error.message);
        remote.submit(&within(20, 1), &queue, 1).unwrap();
        assert_eq!(code(next(&queue)), Code::Timeout);
    }
    names.answers(true);
    wait_until("the look-up has ended", || figures(&remote)["name_lookups"] == 1);
    call(&remote, 1).unwrap();
    submit(&remote, &queue, 1);
    outcome(next(&queue)).1.unwrap();
    assert_eq!(names.asked(), 1, "late, and of use all the same");
    assert_eq!(server.requests(), 2);
}

#[test]
fn callers_who_wait_for_one_name_wait_for_one_look_up_on_one_thread() {
    let server = Server::start(answer);
    let names = NameService::new(false, &[&[LOCAL]]);
    let remote = open(&names, &at(&server), &[("request_timeout_ms", "60000")]);
    let queue = queue();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..20)
            .map(|id| {
                scope.spawn({
                    let remote = &remote;
                    move || call(remote, id)
                })
            })
            .collect();
        (0..200).for_each(|id| drop(submit(&remote, &queue, id)));
        wait_until("they wait", || {
            let now = figures(&remote);
            now["connections_in_use"].as_u64() == now["connection_pool_size"].as_u64()
        });
        assert_eq!(names.asked(), 1);
        names.answers(true);
        callers.into_iter().for_each(|caller| caller.join().unwrap().unwrap());
    });
    (0..200).for_each(|_| outcome(next(&queue)).1.unwrap());
    assert_eq!(names.asked(), 1);
    assert_eq!(figures(&remote)["calls_failed"], 0);
}

#[test]
fn a_name_that_is_not_known_is_named_and_sought_again_by_the_next_attempt() {
    let server = Server::start(answer);
    let names = NameService::new(true, &[&[], &[], &[LOCAL]]);
    let remote = open(&names, &at(&server), &[("connection_retries", "0")]);
    let error = fails(&remote, 1);
    assert_eq!(error.code, Code::Connect);
    assert!(
        error.message.contains("could not resolve host feast.invalid: no such name"),
        "{}",
        error.message
    );
    let queue = queue();
    submit(&remote, &queue, 1);
    assert_eq!(code(next(&queue)), Code::Connect);
    call(&remote, 1).unwrap();
    let now = figures(&remote);
    assert_eq!((&now["name_lookups"], &now["name_lookups_failed"]), (&3.into(), &2.into()));
}

#[test]
fn a_store_that_closes_waits_for_no_look_up_and_neither_do_its_calls() {
    let names = NameService::new(false, &[&[LOCAL]]);
    let remote = open(&names, "http://feast.invalid:1", &[("request_timeout_ms", "0")]);
    let queue = queue();
    submit(&remote, &queue, 1);
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| fails(&remote, 1));
        wait_until("both wait", || figures(&remote)["connections_in_use"] == 2);
        remote.close();
        assert_eq!(caller.join().unwrap().code, Code::Closed);
    });
    assert_eq!(code(next(&queue)), Code::Closed);
    drop(remote);
    assert_eq!(names.answered.load(Ordering::SeqCst), 0);
    names.answers(true);
}

#[test]
fn a_call_that_is_cancelled_waits_for_no_look_up() {
    let names = NameService::new(false, &[&[LOCAL]]);
    let remote = open(&names, "http://feast.invalid:1", &[("request_timeout_ms", "0")]);
    let queue = queue();
    let handle = submit(&remote, &queue, 1);
    wait_until("it waits", || names.asked() == 1);
    handle.cancel();
    assert_eq!(code(next(&queue)), Code::Cancelled);
    names.answers(true);
}

#[test]
fn a_look_up_has_the_connect_timeout_too() {
    let names = NameService::new(false, &[&[LOCAL]]);
    let keys = [("connect_timeout_ms", "30"), ("connection_retries", "0")];
    let remote = open(&names, "http://feast.invalid:1", &keys);
    let queue = queue();
    submit(&remote, &queue, 1);
    let asynchronous = outcome(next(&queue)).1.unwrap_err();
    for error in [fails(&remote, 1), asynchronous] {
        assert_eq!(error.code, Code::Connect);
        assert!(error.message.contains("connect_timeout_ms"), "{}", error.message);
    }
    names.answers(true);
}

#[test]
fn a_refused_connection_has_the_name_looked_up_anew() {
    let server = Server::start(answer);
    // Nobody listens there.
    let before = IpAddr::V4(Ipv4Addr::new(127, 9, 9, 9));
    let names = NameService::new(true, &[&[before], &[LOCAL]]);
    let remote = open(&names, &at(&server), &[("connection_retries", "0")]);
    wait_until("the new address is found", || call(&remote, 1).is_ok());
    assert!(names.asked() >= 2);
}

#[test]
fn one_address_of_two_that_is_dead_leaves_time_for_the_other_and_is_left_out_from_then_on() {
    let together = Arc::new(AtomicBool::new(false));
    let (all, at_once) = (Barrier::new(4), Arc::clone(&together));
    let server = Server::start(move |seen| {
        if at_once.load(Ordering::SeqCst) {
            all.wait();
        }
        answer(seen)
    });
    let dead = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 7));
    let silent = full_backlog((dead, server.port()));
    let names = NameService::new(true, &[&[dead, LOCAL]]);
    let remote = open(&names, &at(&server), &[("connection_retries", "0")]);
    // libcurl by itself would try the second address after 200 ms.
    wait_until("the other one is tried in time", || remote.get_online_features(&within(180, 1)).is_ok());
    drop(silent);
    // It is well again, and would be asked first.
    let well_again = Server::at(("127.0.0.7", server.port()), None, |_| Welcome::Serve, answer).unwrap();
    together.store(true, Ordering::SeqCst);
    let queue = queue();
    (0..4).for_each(|id| drop(submit(&remote, &queue, id)));
    (0..4).for_each(|_| outcome(next(&queue)).1.unwrap());
    assert!(server.connections() >= 4);
    assert_eq!((well_again.connections(), names.asked()), (0, 1));
}

/// Of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_silent_name_server_costs_two_threads_and_no_time_after_it() {
    in_namespaces("names::a_silent_name_server_costs_two_threads_and_no_time_after_it", |folder| {
        let server = Server::start(answer);
        let names = NameServer::start(folder, &[1]);
        let url = format!("http://{NAME}:{}", server.port());
        let ready = Remote::open(&config(&url, &[])).unwrap();
        wait_until("the name server answers", || call(&ready, 1).is_ok());
        names.signal(libc::SIGSTOP);
        let remote = Remote::open(&config(&url, &[("request_timeout_ms", "100")])).unwrap();
        let queue = queue();
        let before = threads();
        (0..200).for_each(|id| drop(submit(&remote, &queue, id)));
        let most = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..8)
                .map(|id| {
                    scope.spawn({
                        let remote = &remote;
                        move || (0..5).for_each(|_| drop(fails(remote, id)))
                    })
                })
                .collect();
            let mut most = 0;
            while callers.iter().any(|caller| !caller.is_finished()) {
                most = most.max(threads());
                std::thread::yield_now();
            }
            most
        });
        (0..200).for_each(|_| assert!(matches!(code(next(&queue)), Code::Timeout | Code::Overloaded)));
        // The callers, the driver, the look-up; and the pool's own, which has no connection to look after.
        println!("{} threads more at most, 8 of them callers", most - before);
        assert!(most - before <= 8 + 1 + 2 + 1, "{most} threads, {before} before");
        names.signal(libc::SIGCONT);
        let since = Instant::now();
        wait_until("the store recovers", || call(&remote, 1).is_ok());
        println!("and it answers {:.0?} after the name server does", since.elapsed());
        let now = figures(&remote);
        assert!(now["name_lookups"].as_u64().unwrap() <= 3, "{now}");
    });
}
