//! Each address of a name as a server of its own.

mod real_names;

use std::io::{Error, ErrorKind};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use feast_remote::config::Environment;
use feast_remote::error::Code;
use feast_remote::remote::Remote;

use super::{questions, served};
use crate::support::server::{Server, Welcome};
use crate::support::store::{ask, call, config, figures};
use crate::support::tls::Authority;
use crate::support::wait::wait_until;

/// What a name stands for, as the test says.
#[derive(Default)]
struct Name {
    addresses: Mutex<Vec<IpAddr>>,
    fails: AtomicBool,
    hangs: Mutex<bool>,
    hung: AtomicBool,
    goes_on: Condvar,
    asked: AtomicUsize,
}

impl Name {
    fn of(servers: &[&Server]) -> Arc<Name> {
        let name = Name::default();
        name.set(servers);
        Arc::new(name)
    }

    fn set(&self, servers: &[&Server]) {
        *self.addresses.lock().unwrap() = servers.iter().map(|server| server.ip()).collect();
    }

    fn hang(&self, hangs: bool) {
        *self.hangs.lock().unwrap() = hangs;
        self.goes_on.notify_all();
    }

    fn look_up(&self) -> std::io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut hangs = self.hangs.lock().unwrap();
        while *hangs {
            self.hung.store(true, Ordering::SeqCst);
            hangs = self.goes_on.wait(hangs).unwrap();
        }
        drop(hangs);
        match self.fails.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::TimedOut, "no answer")),
            false => Ok(self.addresses.lock().unwrap().clone()),
        }
    }

    /// Waits for two look-ups that have begun from now on: the first of them has been acted upon.
    fn was_asked_again(&self) {
        let before = self.asked.load(Ordering::SeqCst);
        wait_until("two more look-ups", || self.asked.load(Ordering::SeqCst) >= before + 2);
    }
}

/// So many servers on addresses of their own and one port.
fn on_one_port(count: u8) -> Vec<Server> {
    loop {
        let first = Server::at(("127.0.0.1", 0), None, |_| Welcome::Serve, served).unwrap();
        let port = first.port();
        let others = (2..=count)
            .map(|n| Server::at((&format!("127.0.0.{n}"), port), None, |_| Welcome::Serve, served))
            .collect::<std::io::Result<Vec<Server>>>();
        if let Ok(others) = others {
            return [first].into_iter().chain(others).collect();
        }
    }
}

fn open(name: &Arc<Name>, url: &str, keys: &[(&str, &str)]) -> Remote {
    let mut config = config(url, &[("resolve", "each_address"), ("resolve_interval", "1")]);
    keys.iter().for_each(|(key, value)| config.set(key, value).unwrap());
    let name = Arc::clone(name);
    let lookup = Arc::new(move |_: &str, _: u16| name.look_up());
    Remote::open_with_lookup(&config, &Environment::of_process(), lookup).unwrap()
}

/// The addresses in the statistics.
fn addresses(remote: &Remote) -> Vec<String> {
    let now = figures(remote);
    let servers = now["servers"].as_array().unwrap();
    servers.iter().map(|server| server["address"].as_str().unwrap().to_owned()).collect()
}

fn threads_call(remote: &Remote, each: i64) {
    std::thread::scope(|scope| {
        for thread in 0..6 {
            scope.spawn(move || (0..each).for_each(|id| call(remote, thread * 1000 + id).unwrap()));
        }
    });
}

#[test]
fn each_address_gets_its_share() {
    let servers = on_one_port(3);
    let name = Name::of(&servers.iter().collect::<Vec<_>>());
    let remote = open(&name, &format!("http://feast.invalid:{}", servers[0].port()), &[]);
    remote.warm_up(3, Duration::from_secs(10)).unwrap();
    threads_call(&remote, 100);
    for server in &servers {
        assert!(
            (160..=240).contains(&questions(server)),
            "{:?}",
            servers.iter().map(questions).collect::<Vec<_>>()
        );
    }
    let host = servers[0].seen()[0].headers["host"].clone();
    assert!(host.starts_with("feast.invalid:"), "{host}");
    let response = remote.get_online_features(&ask(1)).unwrap();
    let server = response.server().unwrap().to_string();
    assert!(server.starts_with("http://feast.invalid:") && server.contains(" (127.0.0."), "{server}");
}

#[test]
fn an_address_taken_out_gets_no_new_call_and_its_connections_end_and_one_put_in_is_used() {
    let servers = on_one_port(3);
    let [a, b, c] = &servers[..] else { panic!() };
    let name = Name::of(&[a, b]);
    let remote = open(&name, &format!("http://feast.invalid:{}", a.port()), &[]);
    remote.warm_up(2, Duration::from_secs(10)).unwrap();
    threads_call(&remote, 20);
    assert!(a.open() > 0 && questions(b) > 0);
    name.set(&[b, c]);
    wait_until("the list is the new one", || addresses(&remote) == ["127.0.0.2", "127.0.0.3"]);
    wait_until("its connections are closed", || a.open() == 0);
    let before = questions(a);
    threads_call(&remote, 20);
    assert_eq!(questions(a), before);
    assert!(questions(c) > 0);
    let now = figures(&remote);
    assert_eq!((&now["calls_failed"], &now["attempts"]), (&0.into(), &(2 + 240).into()), "{now}");
}

#[test]
fn a_call_under_way_at_an_address_taken_out_is_answered() {
    use crate::support::server::Step;
    let may_answer = Arc::new(AtomicBool::new(false));
    let waits = Arc::clone(&may_answer);
    let slow = Server::start(move |seen| {
        let mut steps = vec![Step::Until(Arc::clone(&waits))];
        steps.extend(served(seen));
        steps
    });
    let name = Name::of(&[&slow]);
    let remote = open(&name, &format!("http://feast.invalid:{}", slow.port()), &[]);
    std::thread::scope(|scope| {
        wait_until("it was looked up", || {
            if name.asked.load(Ordering::SeqCst) == 0 {
                // Starts the look-ups; the name itself stands for nobody.
                let mut request = ask(0);
                request.set_timeout(Some(Duration::ZERO));
                let _ = remote.get_online_features(&request);
                let _ = remote.warm_up(1, Duration::from_millis(50));
            }
            addresses(&remote) == ["127.0.0.1"]
        });
        let call = scope.spawn(|| call(&remote, 1));
        wait_until("it is asked", || questions_begun(&slow));
        *name.addresses.lock().unwrap() = vec!["127.0.0.9".parse().unwrap()];
        wait_until("it is gone", || addresses(&remote) == ["127.0.0.9"]);
        may_answer.store(true, Ordering::SeqCst);
        call.join().unwrap().unwrap();
    });
    wait_until("its connection is closed", || slow.open() == 0);
}

fn questions_begun(server: &Server) -> bool {
    server.requests() > 0
}

#[test]
fn a_look_up_that_fails_or_brings_nothing_changes_nothing() {
    let servers = on_one_port(2);
    let name = Name::of(&servers.iter().collect::<Vec<_>>());
    let remote = open(&name, &format!("http://feast.invalid:{}", servers[0].port()), &[]);
    remote.warm_up(2, Duration::from_secs(10)).unwrap();
    name.fails.store(true, Ordering::SeqCst);
    name.was_asked_again();
    assert_eq!(addresses(&remote), ["127.0.0.1", "127.0.0.2"]);
    call(&remote, 1).unwrap();
    name.fails.store(false, Ordering::SeqCst);
    name.set(&[]);
    name.was_asked_again();
    assert_eq!(addresses(&remote), ["127.0.0.1", "127.0.0.2"]);
    call(&remote, 2).unwrap();
    let now = figures(&remote);
    assert!(now["name_lookups_failed"].as_u64().unwrap() >= 2, "{now}");
    assert_eq!(now["calls_failed"], 0);
}

#[test]
fn a_look_up_that_hangs_holds_up_neither_calls_nor_closing() {
    let servers = on_one_port(2);
    let name = Name::of(&servers.iter().collect::<Vec<_>>());
    let remote = open(&name, &format!("http://feast.invalid:{}", servers[0].port()), &[]);
    remote.warm_up(2, Duration::from_secs(10)).unwrap();
    name.hang(true);
    wait_until("it hangs", || name.hung.load(Ordering::SeqCst));
    threads_call(&remote, 20);
    drop(remote);
    for server in &servers {
        wait_until("the connections are closed", || server.open() == 0);
    }
    name.hang(false);
}

#[test]
fn until_the_first_look_up_a_name_stands_for_itself() {
    let server = Server::start(served);
    let name = Name::of(&[&server]);
    name.hang(true);
    let remote = open(&name, &server.url(), &[]);
    call(&remote, 1).unwrap();
    wait_until("it hangs", || name.hung.load(Ordering::SeqCst));
    call(&remote, 2).unwrap();
    assert_eq!(addresses(&remote), [""]);
    name.hang(false);
    wait_until("the address is known", || addresses(&remote) == ["127.0.0.1"]);
    call(&remote, 3).unwrap();
}

#[test]
fn a_call_before_the_first_look_up_has_ended_waits_for_the_same_one() {
    let server = Server::start(served);
    let name = Name::of(&[&server]);
    name.hang(true);
    let remote = open(&name, &format!("http://feast.invalid:{}", server.port()), &[]);
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| call(&remote, 1));
        wait_until("it waits", || {
            figures(&remote)["connections_in_use"] == 1 && name.hung.load(Ordering::SeqCst)
        });
        assert_eq!(name.asked.load(Ordering::SeqCst), 1);
        name.hang(false);
        caller.join().unwrap().unwrap();
    });
}

#[test]
fn a_certificate_is_checked_for_the_name_at_each_address() {
    let authority = Authority::new("each address");
    let good = Server::start_tls(authority.acceptor("feast.test", 1), served);
    let name = Name::of(&[&good]);
    let cert = authority.file();
    let keys = [("cert", cert.to_str().unwrap()), ("connection_retries", "0")];
    let remote = open(&name, &format!("https://feast.test:{}", good.port()), &keys);
    remote.warm_up(1, Duration::from_secs(10)).unwrap();
    assert!(good.seen()[0].headers["host"].starts_with("feast.test"), "{:?}", good.seen());
    let other = open(&name, &format!("https://other.test:{}", good.port()), &keys);
    let error = other.warm_up(1, Duration::from_secs(10)).unwrap_err();
    assert_eq!(error.code, Code::Tls, "{}", error.message);
}

#[test]
fn the_systems_own_look_up_finds_localhost() {
    let server = Server::start(served);
    let keys = [("resolve", "each_address"), ("resolve_interval", "1")];
    let remote = Remote::open(&config(&format!("http://localhost:{}", server.port()), &keys)).unwrap();
    remote.warm_up(1, Duration::from_secs(10)).unwrap();
    assert!(addresses(&remote).contains(&"127.0.0.1".to_owned()), "{:?}", addresses(&remote));
    (0..10).for_each(|id| call(&remote, id).unwrap());
}
