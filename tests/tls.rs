//! TLS: whom a store trusts, what it costs, and what happens when the process ends in the middle of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod support;

use std::process::Command;

use feast_remote::config::Config;
use feast_remote::error::{Code, Error};
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;
use support::cc::compile;
use support::paths::scratch;
use support::server::{Server, answer};
use support::tls::{Authority, TlsServer};

fn open(url: &str, cert: Option<&str>) -> Result<Remote, Error> {
    let mut config = Config::new().unwrap();
    config.set("path", url).unwrap();
    config.set("retry_backoff_factor", "0").unwrap();
    if let Some(cert) = cert {
        config.set("cert", cert).unwrap();
    }
    Remote::open(&config)
}

fn call(remote: &Remote, id: i64) -> Result<(), Error> {
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[id]).unwrap();
    let response = remote.get_online_features(&request)?;
    assert_eq!(response.int64(1).unwrap(), [1000 * id]);
    Ok(())
}

#[test]
fn the_cert_file_is_trusted_and_connections_stay_warm() {
    let authority = Authority::new("our CA");
    let server = authority.serve("127.0.0.1", 30);
    let url = format!("https://127.0.0.1:{}", server.port());
    let remote = open(&url, authority.file().to_str()).unwrap();
    (0..50).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(server.handshakes(), 1);
}

#[test]
fn sessions_are_resumed_on_new_connections() {
    let authority = Authority::new("our CA");
    let server = authority.serve("localhost", 30);
    server.close_each();
    let remote = open(&format!("https://localhost:{}", server.port()), authority.file().to_str()).unwrap();
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(server.handshakes(), 20);
    assert!(server.resumed() >= 15, "{} of 20", server.resumed());
}

#[test]
fn a_certificate_that_does_not_verify_is_refused_once() {
    let ours = Authority::new("our CA");
    let theirs = Authority::new("their CA");
    let ca = ours.file();
    for (server, host, words) in [
        (theirs.serve("localhost", 30), "localhost", "unable to get local issuer certificate"),
        (ours.serve("feast.example", 30), "localhost", "no alternative certificate subject name matches"),
        (ours.serve("localhost", -1), "localhost", "certificate has expired"),
    ] {
        let remote = open(&format!("https://{host}:{}", server.port()), ca.to_str()).unwrap();
        let error = call(&remote, 1).unwrap_err();
        assert_eq!((error.code, error.attempts, error.retriable), (Code::Tls, 1, false), "{error}");
        assert!(error.message.contains(words), "{words}: {error}");
        assert!(error.message.contains("`cert`"), "{error}");
    }
    // Without `cert` the system's authorities are asked, and they do not know ours.
    let server = ours.serve("localhost", 30);
    let remote = open(&format!("https://localhost:{}", server.port()), None).unwrap();
    assert_eq!(call(&remote, 1).unwrap_err().code, Code::Tls);
}

#[test]
fn a_cert_file_without_a_certificate_is_refused_at_open() {
    let path = scratch().join("empty.pem");
    std::fs::write(&path, "nothing\n").unwrap();
    let error = open("https://localhost:1", path.to_str()).err().unwrap();
    assert_eq!(error.code, Code::Config);
    assert!(error.message.contains("empty.pem: holds no PEM certificate"), "{error}");
}

#[test]
fn a_server_that_speaks_plain_http_is_a_tls_error() {
    let server = Server::start(answer);
    let remote = open(&server.url().replace("http:", "https:"), None).unwrap();
    let error = call(&remote, 1).unwrap_err();
    assert_eq!(error.code, Code::Tls, "{error}");
}

#[test]
fn a_process_may_end_while_threads_are_in_handshakes() {
    let authority = Authority::new("our CA");
    let server = authority.serve("127.0.0.1", 30);
    server.close_each();
    let program = compile("tests/c/exit_in_handshake.c");
    for _ in 0..15 {
        let status = Command::new(&program)
            .arg(format!("https://127.0.0.1:{}", server.port()))
            .arg(authority.file())
            .status()
            .unwrap();
        assert!(status.success(), "{status}");
    }
}

#[test]
fn fifty_connections_take_less_than_ten_megabytes_more_than_one() {
    let authority = Authority::new("our CA");
    let (one, fifty) = (authority.serve("127.0.0.1", 30), authority.serve("127.0.0.1", 30));
    fifty.wait_for_handshakes(50);
    // The system's authorities, where there are some, make a file of a usual size.
    let file = scratch().join("many.pem");
    let system = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    std::fs::write(&file, [std::fs::read(authority.file()).unwrap(), system].concat()).unwrap();
    let program = compile("tests/c/tls_memory.c");
    let resident = |server: &TlsServer, pool_size: &str| -> i64 {
        let url = format!("https://127.0.0.1:{}", server.port());
        let output = Command::new(&program).arg(url).arg(&file).arg(pool_size).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    let more = resident(&fifty, "50") - resident(&one, "1");
    assert_eq!((one.handshakes(), fifty.handshakes()), (1, 50));
    println!("50 connections: {:.1} MB more than one", more as f64 / 1e6);
    assert!(more < 10_000_000, "{more} bytes");
}
