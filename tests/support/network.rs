//! Two network namespaces of a test's own, joined by a cable that can be cut (ip-netns(8), veth(4)).

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// Both are gone when this is dropped.
pub struct Network {
    client: String,
    server: String,
}

/// Of the server, and of the client at first.
pub const SERVER: &str = "10.99.0.1";
const CLIENT: &str = "10.99.0.2";

impl Network {
    /// `None`, with a word why, where that takes more rights than the tests have.
    pub fn new() -> Option<Network> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        // SAFETY: no arguments, and it cannot fail.
        if unsafe { libc::geteuid() } != 0 {
            println!("skipped: network namespaces need root");
            return None;
        }
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let name = |side: &str| format!("feast-test-{process}-{number}-{side}");
        let network = Network { client: name("client"), server: name("server") };
        for side in [&network.client, &network.server] {
            if !Command::new("ip").args(["netns", "add", side]).status().is_ok_and(|status| status.success())
            {
                println!("skipped: `ip netns add` fails here");
                return None;
            }
            network.ip(side, "link set lo up");
        }
        let (client, server) = (&network.client, &network.server);
        network.ip(client, &format!("link add cable type veth peer name cable netns {server}"));
        network.ip(client, &format!("addr add {CLIENT}/24 dev cable"));
        network.ip(server, &format!("addr add {SERVER}/24 dev cable"));
        network.ip(client, "link set cable up");
        network.ip(server, "link set cable up");
        Some(network)
    }

    fn ip(&self, side: &str, arguments: &str) {
        let status = Command::new("ip").args(["-n", side]).args(arguments.split(' ')).status().unwrap();
        assert!(status.success(), "ip -n {side} {arguments}");
    }

    /// Gives the client another address: what its connections send from the old one does not arrive any more.
    pub fn replace_the_clients_address(&self) {
        self.ip(&self.client, &format!("addr del {CLIENT}/24 dev cable"));
        self.ip(&self.client, "addr add 10.99.0.3/24 dev cable");
    }

    /// Cuts the server off.
    pub fn cut_the_server_off(&self) {
        self.ip(&self.server, "link set cable down");
    }

    /// Runs `work` on a thread of the client's namespace, which the threads that it starts are in, too.
    pub fn at_the_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let there = scope.spawn(|| {
                enter(&self.client);
                work()
            });
            there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Keeps what `start` makes on a thread of the server's namespace; with what `tell` says of it.
    pub fn at_the_server<S, T: Send + 'static>(
        &self,
        start: impl FnOnce() -> S + Send + 'static,
        tell: impl FnOnce(&S) -> T + Send + 'static,
    ) -> (Kept, T) {
        let (told, tells) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let side = self.server.clone();
        let thread = thread::spawn(move || {
            enter(&side);
            let server = start();
            told.send(tell(&server)).unwrap();
            let _ = ended.recv(); // an error when the other end is dropped
        });
        let what = tells.recv().unwrap();
        (Kept(Some((end, thread))), what)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for side in [&self.client, &self.server] {
            let _ = Command::new("ip").args(["netns", "del", side]).status();
        }
    }
}

/// Something that lives in the server's namespace until this is dropped.
pub struct Kept(Option<(mpsc::Sender<()>, JoinHandle<()>)>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}

fn enter(side: &str) {
    let namespace = File::open(format!("/run/netns/{side}")).unwrap();
    // SAFETY: an open descriptor; this thread alone moves.
    assert_eq!(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
}
