//! A feature server that misbehaves on request, on plain sockets so that it can break HTTP's framing.
//!
//! A test gives two functions: what to do with a new connection, and the steps that answer a request. The
//! server counts what went over the wire.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::SslAcceptor;
use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Number of the connection, from 0.
    pub connection: usize,
    /// Number of the request in all, from 0.
    pub number: usize,
    /// Method and target, such as "POST /get-online-features?status=true".
    pub target: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
    pub at: Instant,
}

/// What to do with a new connection.
#[derive(Clone, Debug)]
pub enum Welcome {
    Serve,
    /// Reset it before anything is read.
    Reset,
    /// Let it wait, and then serve it.
    Late(Duration),
    /// Serve it, and close it when it has been idle this long.
    IdleLimit(Duration),
}

/// One step of an answer.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Wait until the test sets it.
    Until(Arc<AtomicBool>),
    /// Set it, for the test.
    Tell(Arc<AtomicBool>),
    /// The bytes, `count` at a time, `every` so often.
    Drip {
        bytes: Vec<u8>,
        count: usize,
        every: Duration,
    },
    /// The same bytes over and over, until so many have been sent.
    Flood {
        bytes: Vec<u8>,
        total: usize,
    },
    /// A TCP reset.
    Reset,
    /// No more from us, but the other side may go on sending.
    HalfClose,
    /// Close the connection in good order.
    Close,
    /// Nothing more until the other side, or the server, goes away.
    Stall,
}

/// An HTTP answer with a right Content-Length.
pub fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut text = format!("HTTP/1.1 {status} Because\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// One step that is a whole answer.
pub fn say(status: u16, body: impl AsRef<[u8]>) -> Vec<Step> {
    vec![Step::Send(reply(status, &[("Content-Type", "application/json")], body))]
}

/// A body in chunks of so many bytes.
pub fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
    [body.chunks(size).flat_map(chunk).collect(), chunk(b"")].concat()
}

/// A gzip file with one stored block.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    });
    let length = u16::try_from(bytes.len()).unwrap();
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(bytes);
    file.extend(crc.to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}

/// What a feature server answers: each entity repeated, and each feature as the number
/// `1000 * (first entity's value) + (the feature's place)`, so that an answer shows its question.
pub fn features_of(body: &[u8]) -> String {
    let question: Value = serde_json::from_slice(body).unwrap();
    let entities = question["entities"].as_object().unwrap();
    let ids = entities.values().next().unwrap().as_array().unwrap();
    let column = |values: Vec<Value>| {
        let n = values.len();
        json!({"values": values, "statuses": vec!["PRESENT"; n],
               "event_timestamps": vec!["2026-11-23T01:00:00Z"; n]})
    };
    let mut names: Vec<String> = entities.keys().cloned().collect();
    let mut results: Vec<Value> = entities.values().map(|v| column(v.as_array().unwrap().clone())).collect();
    for (place, feature) in question["features"].as_array().unwrap().iter().enumerate() {
        names.push(feature.as_str().unwrap().split(':').next_back().unwrap().to_owned());
        results.push(column(
            ids.iter()
                .map(|id| json!(id.as_i64().unwrap_or(0).wrapping_mul(1000).wrapping_add(place as i64)))
                .collect(),
        ));
    }
    json!({"results": results, "metadata": {"feature_names": names}}).to_string()
}

/// The steps of a server in good health.
pub fn answer(seen: &Seen) -> Vec<Step> {
    say(200, features_of(&seen.body))
}

type Greeter = dyn Fn(usize) -> Welcome + Send + Sync;
type Answerer = dyn Fn(&Seen) -> Vec<Step> + Send + Sync;

/// A connection, with TLS or without.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

type Reader = BufReader<Box<dyn Stream>>;

struct State {
    acceptor: Option<SslAcceptor>,
    welcome: Box<Greeter>,
    answer: Box<Answerer>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
    keep_bodies: AtomicBool,
    requests: AtomicUsize,
    bytes_received: AtomicUsize,
    bytes_sent: AtomicUsize,
    stopping: AtomicBool,
    sockets: Mutex<HashMap<usize, TcpStream>>,
}

/// The running server; stopped when dropped.
pub struct Server {
    ip: std::net::IpAddr,
    port: u16,
    state: Arc<State>,
}

impl Server {
    /// Serves every connection, each request by `answer`.
    pub fn start(answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Server {
        Server::start_with(|_| Welcome::Serve, answer)
    }

    pub fn start_with(
        welcome: impl Fn(usize) -> Welcome + Send + Sync + 'static,
        answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Server {
        Server::over("127.0.0.1", None, welcome, answer)
    }

    /// The same over TLS. Steps that close or reset a connection say nothing in TLS first.
    pub fn start_tls(
        acceptor: SslAcceptor,
        answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Server {
        Server::over("127.0.0.1", Some(acceptor), |_| Welcome::Serve, answer)
    }

    /// Listens at this address.
    pub fn over(
        address: &str,
        acceptor: Option<SslAcceptor>,
        welcome: impl Fn(usize) -> Welcome + Send + Sync + 'static,
        answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Server {
        Server::at((address, 0), acceptor, welcome, answer).unwrap()
    }

    /// Listens at this address and port, if it is free.
    pub fn at(
        address: (&str, u16),
        acceptor: Option<SslAcceptor>,
        welcome: impl Fn(usize) -> Welcome + Send + Sync + 'static,
        answer: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> std::io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        let (mut ip, port) = (listener.local_addr()?.ip(), listener.local_addr()?.port());
        if ip.is_unspecified() {
            ip = std::net::Ipv4Addr::LOCALHOST.into();
        }
        let state = Arc::new(State {
            acceptor,
            welcome: Box::new(welcome),
            answer: Box::new(answer),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            seen: Mutex::new(Vec::new()),
            keep_bodies: AtomicBool::new(true),
            requests: AtomicUsize::new(0),
            bytes_received: AtomicUsize::new(0),
            bytes_sent: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            sockets: Mutex::new(HashMap::new()),
        });
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for socket in listener.incoming() {
                if accepting.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(socket) = socket else { continue };
                let state = Arc::clone(&accepting);
                let number = state.connections.fetch_add(1, Ordering::SeqCst);
                let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
                state.most_open.fetch_max(open, Ordering::SeqCst);
                thread::spawn(move || {
                    state.sockets.lock().unwrap().insert(number, socket.try_clone().unwrap());
                    let _ = serve(&state, socket, number);
                    state.sockets.lock().unwrap().remove(&number);
                    state.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Server { ip, port, state })
    }

    pub fn url(&self) -> String {
        let scheme = if self.state.acceptor.is_some() { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.ip, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn ip(&self) -> std::net::IpAddr {
        self.ip
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// The most connections that were open at the same time.
    pub fn most_open(&self) -> usize {
        self.state.most_open.load(Ordering::SeqCst)
    }

    /// Requests read so far.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Bytes of requests read so far, and of answers written or being written.
    pub fn bytes(&self) -> (usize, usize) {
        (self.state.bytes_received.load(Ordering::SeqCst), self.state.bytes_sent.load(Ordering::SeqCst))
    }

    /// The requests read so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// For tests with very many requests.
    pub fn forget_requests(&self) {
        self.state.keep_bodies.store(false, Ordering::SeqCst);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((self.ip, self.port));
        for socket in self.state.sockets.lock().unwrap().values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn reset(socket: &TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    // SAFETY: a live socket and a struct of the size given.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of_val(&linger) as libc::socklen_t,
        );
    }
}

fn serve(state: &State, socket: TcpStream, connection: usize) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    match (state.welcome)(connection) {
        Welcome::Serve => (),
        Welcome::Reset => {
            reset(&socket);
            // The clone that `stop` uses would keep the connection open.
            state.sockets.lock().unwrap().remove(&connection);
            return Ok(());
        }
        Welcome::Late(wait) => thread::sleep(wait),
        Welcome::IdleLimit(limit) => socket.set_read_timeout(Some(limit))?,
    }
    let stream: Box<dyn Stream> = match &state.acceptor {
        Some(acceptor) => Box::new(acceptor.accept(socket.try_clone()?).map_err(std::io::Error::other)?),
        None => Box::new(socket.try_clone()?),
    };
    let mut reader = BufReader::new(stream);
    while let Some(seen) = read_request(state, &mut reader, connection)? {
        let steps = (state.answer)(&seen);
        if state.keep_bodies.load(Ordering::SeqCst) {
            state.seen.lock().unwrap().push(seen);
        }
        let send = |reader: &mut Reader, bytes: &[u8]| {
            // Before somebody can have read them.
            state.bytes_sent.fetch_add(bytes.len(), Ordering::SeqCst);
            reader.get_mut().write_all(bytes)
        };
        for step in steps {
            match step {
                Step::Send(bytes) => send(&mut reader, &bytes)?,
                Step::Wait(time) => thread::sleep(time),
                Step::Until(set) => {
                    super::wait::wait_until("the test lets it go on", || set.load(Ordering::SeqCst))
                }
                Step::Tell(told) => told.store(true, Ordering::SeqCst),
                Step::Drip { bytes, count, every } => {
                    for part in bytes.chunks(count) {
                        send(&mut reader, part)?;
                        thread::sleep(every);
                    }
                }
                Step::Flood { bytes, total } => {
                    let mut sent = 0;
                    while sent < total {
                        let part = &bytes[..bytes.len().min(total - sent)];
                        send(&mut reader, part)?;
                        sent += part.len();
                    }
                }
                Step::Reset => {
                    reset(&socket);
                    state.sockets.lock().unwrap().remove(&connection);
                    return Ok(());
                }
                Step::HalfClose => socket.shutdown(Shutdown::Write)?,
                Step::Close => {
                    socket.shutdown(Shutdown::Both)?;
                    return Ok(());
                }
                Step::Stall => {
                    let mut byte = [0];
                    while reader.read(&mut byte)? > 0 {}
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn read_request(state: &State, reader: &mut Reader, connection: usize) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    let mut bytes = reader.read_line(&mut line)?;
    if bytes == 0 {
        return Ok(None);
    }
    let target = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        bytes += reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    state.bytes_received.fetch_add(bytes + length, Ordering::SeqCst);
    let number = state.requests.fetch_add(1, Ordering::SeqCst);
    Ok(Some(Seen { connection, number, target, headers, body, at: Instant::now() }))
}
