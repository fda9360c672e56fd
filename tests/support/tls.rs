//! A feature server over TLS, with certificates made for the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{NameType, SslAcceptor, SslMethod, SslVersion};
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use super::paths::scratch;
use super::server::{features_of, reply};
use super::wait::wait_until;

/// A certificate authority of this test alone.
pub struct Authority {
    key: PKey<Private>,
    certificate: X509,
}

fn builder(name: &str, days_from: i64, days_to: i64, key: &PKey<Private>) -> X509Builder {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    let day = |days: i64| Asn1Time::from_unix(now + days * 86_400).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(64, MsbOption::MAYBE_ZERO, false).unwrap();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject.build()).unwrap();
    builder.set_not_before(&day(days_from)).unwrap();
    builder.set_not_after(&day(days_to)).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}

fn key() -> PKey<Private> {
    let group = openssl::ec::EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap()
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let key = key();
        let mut builder = builder(name, -30, 30, &key);
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        let certificate = {
            let mut subject = X509NameBuilder::new().unwrap();
            subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
            builder.set_issuer_name(&subject.build()).unwrap();
            builder.sign(&key, MessageDigest::sha256()).unwrap();
            builder.build()
        };
        Authority { key, certificate }
    }

    /// The file that a client's `cert` names.
    pub fn file(&self) -> PathBuf {
        let path = scratch().join("ca.pem");
        std::fs::write(&path, self.certificate.to_pem().unwrap()).unwrap();
        path
    }

    /// A certificate of this authority for `host`, and its key, as PEM files.
    pub fn issue(&self, host: &str, valid_days: i64) -> (PathBuf, PathBuf) {
        let folder = scratch();
        let (certificate, key) = self.certify(host, valid_days);
        let (certificate_file, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&certificate_file, certificate.to_pem().unwrap()).unwrap();
        std::fs::write(&key_file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        (certificate_file, key_file)
    }

    /// A server for `host` with a certificate of this authority that is valid until so many days from now.
    pub fn serve(&self, host: &str, valid_days: i64) -> TlsServer {
        TlsServer::start(self.acceptor(host, valid_days))
    }

    /// What such a server accepts connections with.
    pub fn acceptor(&self, host: &str, valid_days: i64) -> SslAcceptor {
        let (certificate, key) = self.certify(host, valid_days);
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        acceptor.set_private_key(&key).unwrap();
        acceptor.set_session_id_context(b"test").unwrap();
        acceptor.build()
    }

    /// The same, with nothing newer than TLS 1.1.
    pub fn serve_outdated(&self, host: &str) -> TlsServer {
        let (certificate, key) = self.certify(host, 30);
        let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).unwrap();
        acceptor.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
        acceptor.set_min_proto_version(None).unwrap();
        acceptor.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        acceptor.set_private_key(&key).unwrap();
        TlsServer::start(acceptor.build())
    }

    fn certify(&self, host: &str, valid_days: i64) -> (X509, PKey<Private>) {
        let key = key();
        let mut builder = builder(host, -30, valid_days, &key);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let mut names = SubjectAlternativeName::new();
        let names = if host.parse::<std::net::IpAddr>().is_ok() { names.ip(host) } else { names.dns(host) };
        let names = names.build(&context).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        (builder.build(), key)
    }
}

/// Answers every request as a server in good health, and closes each connection after `close_after` of them.
pub struct TlsServer {
    port: u16,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    handshakes: AtomicUsize,
    resumed: AtomicUsize,
    close_each: AtomicUsize,
    /// No request is answered before there have been so many handshakes.
    crowd: AtomicUsize,
    /// The host named in the last handshake (SNI).
    asked_for: Mutex<Option<String>>,
}

impl TlsServer {
    fn start(acceptor: SslAcceptor) -> TlsServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        // The thread ends with the test's process; it holds nothing that must be put in order.
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (acceptor, counts) = (acceptor.clone(), Arc::clone(&shared));
                thread::spawn(move || serve(&acceptor, socket, &counts));
            }
        });
        TlsServer { port, counts }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn handshakes(&self) -> usize {
        self.counts.handshakes.load(Ordering::SeqCst)
    }

    pub fn resumed(&self) -> usize {
        self.counts.resumed.load(Ordering::SeqCst)
    }

    /// The host that the last client named in its handshake.
    pub fn asked_for(&self) -> Option<String> {
        self.counts.asked_for.lock().unwrap().clone()
    }

    /// From now on requests are answered when there have been so many handshakes.
    pub fn wait_for_handshakes(&self, count: usize) {
        self.counts.crowd.store(count, Ordering::SeqCst);
    }

    /// From now on each connection serves one request.
    pub fn close_each(&self) {
        self.counts.close_each.store(1, Ordering::SeqCst);
    }
}

fn serve(acceptor: &SslAcceptor, socket: TcpStream, counts: &Counts) {
    // Else the answer would wait for the other side to acknowledge the session tickets, which it may put off for 40 ms.
    socket.set_nodelay(true).unwrap();
    let Ok(mut stream) = acceptor.accept(socket) else { return };
    *counts.asked_for.lock().unwrap() = stream.ssl().servername(NameType::HOST_NAME).map(str::to_owned);
    counts.handshakes.fetch_add(1, Ordering::SeqCst);
    if stream.ssl().session_reused() {
        counts.resumed.fetch_add(1, Ordering::SeqCst);
    }
    let mut read = Vec::new();
    loop {
        let body_at = loop {
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let mut part = [0; 4096];
            match stream.read(&mut part) {
                Ok(count) if count > 0 => read.extend_from_slice(&part[..count]),
                _ => return,
            }
        };
        let head = String::from_utf8_lossy(&read[..body_at]).to_ascii_lowercase();
        let length: usize =
            head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        while read.len() < body_at + length {
            let mut part = [0; 4096];
            let Ok(count) = stream.read(&mut part) else { return };
            read.extend_from_slice(&part[..count]);
        }
        wait_until("enough handshakes", || {
            counts.handshakes.load(Ordering::SeqCst) >= counts.crowd.load(Ordering::SeqCst)
        });
        let answer = reply(200, &[], features_of(&read[body_at..body_at + length]));
        read.drain(..body_at + length);
        if stream.write_all(&answer).is_err() {
            return;
        }
        if counts.close_each.load(Ordering::SeqCst) > 0 {
            let _ = stream.shutdown();
            return;
        }
    }
}

/// The same key, encrypted.
pub fn encrypted(key: &Path) -> PathBuf {
    let plain = PKey::private_key_from_pem(&std::fs::read(key).unwrap()).unwrap();
    let pem = plain.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"abc").unwrap();
    let path = scratch().join("encrypted.pem");
    std::fs::write(&path, pem).unwrap();
    path
}
