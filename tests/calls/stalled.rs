//! Servers that let a call come so far and no further, and one that is not there.

use std::io::Read;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use feast_remote::wire::request::Request;

use crate::support::server::{Server, Step};
use crate::support::store::ask;

/// Keeps one call in a phase.
pub struct Stalled {
    /// The phase in the words of a TIMEOUT.
    pub phase: &'static str,
    pub url: String,
    /// A call needs more than the sockets' buffers hold.
    is_large: bool,
    reached: Box<dyn Fn() -> bool>,
}

impl Stalled {
    /// A call has come to the phase.
    pub fn is_reached(&self) -> bool {
        (self.reached)()
    }

    /// A question that brings a call there.
    pub fn request(&self) -> Request {
        let mut request = ask(0);
        if self.is_large {
            let note = "x".repeat(16 << 20);
            request.set_entity_string("note", [Ok(note.as_str())].into_iter()).unwrap();
        }
        request
    }

    /// One for each phase that is on the wire, but for the name lookup.
    pub fn everywhere() -> Vec<Stalled> {
        let mut all = vec![connecting(), in_the_handshake(), sending()];
        for (phase, start) in [
            ("waiting for the first byte of the answer", &b""[..]),
            ("receiving the answer", b"HTTP/1.1 200 OK\r\nContent-Le"),
            ("receiving the answer", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        ] {
            let sent = Arc::new(AtomicBool::new(false));
            let told = Arc::clone(&sent);
            let server = Server::start(move |_| {
                vec![Step::Send(start.to_vec()), Step::Tell(Arc::clone(&told)), Step::Stall]
            });
            let url = server.url();
            // The server is kept by what is asked.
            let reached = Box::new(move || server.requests() > 0 && sent.load(Ordering::SeqCst));
            all.push(Stalled { phase, url, is_large: false, reached });
        }
        all
    }
}

/// A listener that neither takes nor refuses connections, and those that wait for it.
pub fn full_backlog(address: impl ToSocketAddrs) -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind(address).unwrap();
    // SAFETY: a listening socket of ours; listen(2) may be called again with another backlog.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(stream);
    }
    (listener, waiting)
}

fn connecting() -> Stalled {
    let (listener, waiting) = full_backlog("127.0.0.1:0");
    let address = listener.local_addr().unwrap();
    let reached = move || {
        let _kept = (&listener, &waiting);
        // "rem_address" and "st" of /proc/net/tcp; 02 is SYN_SENT.
        let asked = format!(":{:04X} 02 ", address.port());
        std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&asked)
    };
    let url = format!("http://{address}");
    Stalled { phase: "connecting", url, is_large: false, reached: Box::new(reached) }
}

/// Takes connections, and reads what comes first.
fn accepting(phase: &'static str, scheme: &str, reads: usize) -> Stalled {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    let has_read = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&has_read);
    // Ends with the test's process.
    thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            let read = stream.read_exact(&mut vec![0; reads]).is_ok();
            told.fetch_or(read, Ordering::SeqCst);
            kept.push(stream);
        }
    });
    Stalled { phase, url, is_large: false, reached: Box::new(move || has_read.load(Ordering::SeqCst)) }
}

/// Does not answer the first message.
fn in_the_handshake() -> Stalled {
    accepting("in the TLS handshake", "https", 100)
}

/// Reads so little that a large request does not fit into the sockets' buffers.
fn sending() -> Stalled {
    Stalled { is_large: true, ..accepting("sending the request", "http", 1000) }
}

/// A socket that is bound and does not listen: connections to it are refused, and nobody else gets its port.
pub fn socket_that_refuses() -> TcpListener {
    // SAFETY: no pointers; the descriptor is checked and owned from here on.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert!(fd >= 0);
        TcpListener::from_raw_fd(fd)
    };
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    };
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: an address of the length given.
    assert_eq!(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) }, 0);
    socket
}
