//! The same with a real name server and the system's own look-ups.

use std::path::Path;
use std::time::Duration;

use feast_remote::remote::Remote;

use super::{addresses, on_one_port, questions, threads_call};
use crate::name_server::{NAME, NameServer, in_namespaces};
use crate::support::store::{call, config, figures};
use crate::support::wait::wait_until;

#[test]
fn a_name_server_that_changes_its_mind_or_is_stopped_is_followed() {
    in_namespaces(
        "servers::addresses::real_names::a_name_server_that_changes_its_mind_or_is_stopped_is_followed",
        inside,
    );
}

fn inside(folder: &Path) {
    let servers = on_one_port(4);
    let names = NameServer::start(folder, &[1, 2, 3]);
    let url = format!("http://{NAME}:{}", servers[0].port());
    let keys = [("resolve", "each_address"), ("resolve_interval", "1")];
    let remote = Remote::open(&config(&url, &keys)).unwrap();
    wait_until("the name server answers", || {
        let _ = remote.warm_up(3, Duration::from_secs(5));
        addresses(&remote) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    });
    let before: Vec<usize> = servers.iter().map(questions).collect();
    threads_call(&remote, 100);
    let each: Vec<usize> =
        servers.iter().zip(before).map(|(server, before)| questions(server) - before).collect();
    assert!(
        each[..3].iter().all(|count| (160..=240).contains(count)),
        "a third of 600, give or take a fifth: {each:?}"
    );
    assert_eq!(each[3], 0);

    names.answer_with(&[2, 3, 4]);
    wait_until("the list is the new one", || addresses(&remote) == ["127.0.0.2", "127.0.0.3", "127.0.0.4"]);
    wait_until("its connections are closed", || servers[0].open() == 0);
    let gone = questions(&servers[0]);
    threads_call(&remote, 50);
    assert_eq!(questions(&servers[0]), gone);
    assert!(questions(&servers[3]) > 0);

    // A look-up under way: until it is answered, or has failed, nobody waits for it.
    let looked_up = || figures(&remote)["name_lookups"].as_u64().unwrap();
    names.signal(libc::SIGSTOP);
    let stopped = looked_up();
    threads_call(&remote, 50);
    assert_eq!(addresses(&remote).len(), 3);
    names.signal(libc::SIGCONT);
    wait_until("it goes on", || looked_up() > stopped + 1);
    drop(names);
    let failed = || figures(&remote)["name_lookups_failed"].as_u64().unwrap();
    let before = failed();
    wait_until("a look-up fails", || failed() > before);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(addresses(&remote), ["127.0.0.2", "127.0.0.3", "127.0.0.4"]);
    assert_eq!(figures(&remote)["calls_failed"], 0);
}
