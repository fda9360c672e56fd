//! TLS: whom a store trusts, what it costs, and what happens when the process ends in the middle of it.

use std::process::Command;

use crate::support::cc::compile;
use crate::support::feast::Feast;
use crate::support::nginx::Nginx;
use crate::support::paths::scratch;
use crate::support::server::{Server, Step, answer, say};
use crate::support::tls::{Authority, TlsServer, encrypted};
use feast_remote::config::{Config, Environment};
use feast_remote::error::{Code, Error};
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;

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
fn the_variable_of_feasts_sdk_names_the_authorities_where_no_cert_is_set() {
    let authority = Authority::new("our CA");
    let server = authority.serve("127.0.0.1", 30);
    let open_with = |file: Option<String>, cert: Option<&str>| {
        let variable = move |name: &str| (name == "FEAST_CA_CERT_FILE_PATH").then(|| file.clone()).flatten();
        let environment =
            Environment { variable: Box::new(variable), service_account_file: "/nowhere".into() };
        let mut config = Config::new().unwrap();
        config.set("path", &format!("https://127.0.0.1:{}", server.port())).unwrap();
        if let Some(cert) = cert {
            config.set("cert", cert).unwrap();
        }
        Remote::open_in(&config, &environment)
    };
    let file = authority.file();
    let file = file.to_str().unwrap();
    call(&open_with(Some(file.to_owned()), None).unwrap(), 1).unwrap();
    assert_eq!(call(&open_with(None, None).unwrap(), 1).unwrap_err().code, Code::Tls);
    call(&open_with(Some("/nonexistent".to_owned()), Some(file)).unwrap(), 1).unwrap();
    let missing = open_with(Some("/nonexistent".to_owned()), None).err().unwrap();
    assert!(missing.message.contains("FEAST_CA_CERT_FILE_PATH: /nonexistent"), "{missing}");
}

#[test]
fn the_cert_file_is_read_at_open_and_not_again() {
    let authority = Authority::new("our CA");
    let server = authority.serve("127.0.0.1", 30);
    server.close_each();
    let file = scratch().join("gone.pem");
    std::fs::copy(authority.file(), &file).unwrap();
    let remote = open(&format!("https://127.0.0.1:{}", server.port()), file.to_str()).unwrap();
    std::fs::remove_file(&file).unwrap();
    (0..5).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(server.handshakes(), 5);
}

#[test]
fn what_breaks_over_tls_is_tried_again_and_never_passes_for_a_whole_answer() {
    type Script = (&'static str, fn() -> Vec<Step>);
    let scripts: [Script; 6] = [
        ("reset before the header", || vec![Step::Reset]),
        ("closed within the header", || vec![Step::Send(b"HTTP/1.1 20".to_vec()), Step::Close]),
        ("reset within the body", || {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), Step::Reset]
        }),
        ("half-closed within the body", || {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), Step::HalfClose]
        }),
        // Whoever stands in between could do it.
        ("cut off, without a length", || {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\n\r\n{}".to_vec()), Step::Close]
        }),
        ("an error status", || say(503, "\"busy\"")),
    ];
    let authority = Authority::new("our CA");
    for (name, script) in scripts {
        let server = Server::start_tls(authority.acceptor("127.0.0.1", 30), move |seen| match seen.number {
            1 | 2 => script(),
            _ => answer(seen),
        });
        let remote = open(&server.url(), authority.file().to_str()).unwrap();
        call(&remote, 1).unwrap();
        call(&remote, 2).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(server.requests() >= 3, "{name}: {}", server.requests());
    }
    let cut = Server::start_tls(authority.acceptor("127.0.0.1", 30), |_| {
        vec![Step::Send(b"HTTP/1.1 200 OK\r\n\r\n{}".to_vec()), Step::Close]
    });
    let json = open(&cut.url(), authority.file().to_str()).unwrap().get_online_features_json(b"{}", None);
    let error = json.unwrap_err();
    assert_eq!((error.code, error.attempts), (Code::Io, 4), "{error}");
}

#[test]
fn sessions_are_resumed_on_new_connections() {
    let authority = Authority::new("our CA");
    let server = authority.serve("localhost", 30);
    server.close_each();
    let remote = open(&format!("https://localhost:{}", server.port()), authority.file().to_str()).unwrap();
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(server.handshakes(), 20);
    assert_eq!(server.asked_for().as_deref(), Some("localhost"), "the server is named in the handshake");
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
    let program = compile("tests/programs/c/exit_in_handshake.c");
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
    let program = compile("tests/programs/c/tls_memory.c");
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

#[test]
fn a_real_feature_server_speaks_tls() {
    let authority = Authority::new("our CA");
    let (certificate, key) = authority.issue("localhost", 30);
    let feast = Feast::serve(&["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()]);
    let url = |host: &str| format!("https://{host}:{}", feast.port());
    let ask = |remote: &Remote| {
        let mut request = Request::default();
        request.add_feature("driver_hourly_stats:conv_rate").unwrap();
        request.set_entity_int64("driver_id", &[1001]).unwrap();
        request.set_timeout(std::time::Duration::from_secs(30));
        remote.get_online_features(&request).map(|response| response.num_rows())
    };
    let ca = authority.file();
    assert_eq!(ask(&open(&url("localhost"), ca.to_str()).unwrap()).unwrap(), 1);
    assert_eq!(
        ask(&open(&url("127.0.0.1"), ca.to_str()).unwrap()).unwrap_err().code,
        Code::Tls,
        "another name"
    );
    assert_eq!(
        ask(&open(&url("localhost"), None).unwrap()).unwrap_err().code,
        Code::Tls,
        "an unknown authority"
    );
    let mut config = Config::new().unwrap();
    config.set("path", &url("127.0.0.1")).unwrap();
    config.set("verify_ssl", "false").unwrap();
    assert_eq!(ask(&Remote::open(&config).unwrap()).unwrap(), 1, "verification switched off");
}

#[test]
fn a_client_certificate_is_shown_and_read_again_for_each_connection() {
    let (servers, clients, strangers) =
        (Authority::new("servers' CA"), Authority::new("clients' CA"), Authority::new("strangers' CA"));
    let (certificate, key) = servers.issue("localhost", 30);
    let backend = Server::start(answer);
    let nginx = Nginx::start(&format!(
        "ssl_certificate {}; ssl_certificate_key {}; ssl_client_certificate {}; ssl_verify_client on; \
         keepalive_timeout 0; location / {{ proxy_pass {}; }}",
        certificate.display(),
        key.display(),
        clients.file().display(),
        backend.url(),
    ));
    let url = format!("https://localhost:{}", nginx.port());
    let ca = servers.file();
    let error = call(&open(&url, ca.to_str()).unwrap(), 1).unwrap_err();
    assert_eq!((error.code, error.http_status), (Code::InvalidRequest, 400), "{error}");
    assert!(error.message.contains("No required SSL certificate was sent"), "{error}");

    let (certificate, key) = clients.issue("some client", 30);
    let mut config = Config::new().unwrap();
    config.set("path", &url).unwrap();
    config.set("cert", ca.to_str().unwrap()).unwrap();
    config.set("client_cert", certificate.to_str().unwrap()).unwrap();
    config.set("client_key", key.to_str().unwrap()).unwrap();
    let remote = Remote::open(&config).unwrap();
    (1..4).for_each(|id| call(&remote, id).unwrap());

    let (strange_certificate, strange_key) = strangers.issue("some client", 30);
    let (kept_certificate, kept_key) = (std::fs::read(&certificate).unwrap(), std::fs::read(&key).unwrap());
    std::fs::copy(strange_certificate, &certificate).unwrap();
    std::fs::copy(strange_key, &key).unwrap();
    let error = call(&remote, 4).unwrap_err();
    assert!(error.message.contains("The SSL certificate error"), "{error}");
    std::fs::write(&certificate, [kept_certificate, kept_key].concat()).unwrap();
    // Certificate and key in one file.
    let mut config = config.clone();
    config.set("client_key", "").unwrap();
    call(&Remote::open(&config).unwrap(), 5).unwrap();
    std::fs::write(&certificate, "nothing").unwrap();
    let error = call(&Remote::open(&config).unwrap(), 6).unwrap_err();
    assert_eq!((error.code, error.retriable), (Code::Tls, false), "{error}");
}

#[test]
fn a_client_key_that_cannot_be_used_is_not_retried() {
    let authority = Authority::new("clients' CA");
    let server = authority.serve("127.0.0.1", 30);
    let url = format!("https://127.0.0.1:{}", server.port());
    let (certificate, key) = authority.issue("some client", 30);
    let (_, other) = authority.issue("another client", 30);
    let empty = scratch().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let encrypted = encrypted(&key);
    for key in [&other, &empty, &encrypted] {
        let mut config = Config::new().unwrap();
        config.set("path", &url).unwrap();
        config.set("client_cert", certificate.to_str().unwrap()).unwrap();
        config.set("client_key", key.to_str().unwrap()).unwrap();
        let error = call(&Remote::open(&config).unwrap(), 1).unwrap_err();
        assert_eq!((error.code, error.attempts), (Code::Tls, 1), "{key:?}: {error}");
        assert!(error.message.contains("client_key"), "{error}");
    }
}

#[test]
fn a_connection_that_ends_with_its_answer_is_not_counted_as_kept() {
    let authority = Authority::new("our CA");
    let (certificate, key) = authority.issue("localhost", 30);
    let backend = Server::start(answer);
    let nginx = |keepalive: u32| {
        Nginx::start(&format!(
            "ssl_certificate {}; ssl_certificate_key {}; keepalive_timeout {keepalive}; location / {{ proxy_pass {}; }}",
            certificate.display(),
            key.display(),
            backend.url(),
        ))
    };
    for (keepalive, idle) in [(60, "\"connections_idle\":1"), (0, "\"connections_idle\":0")] {
        let nginx = nginx(keepalive);
        let url = format!("https://localhost:{}", nginx.port());
        let remote = open(&url, authority.file().to_str()).unwrap();
        call(&remote, 1).unwrap();
        assert!(remote.stats_json().contains(idle), "{keepalive}: {}", remote.stats_json());
    }
}

#[test]
fn an_https_proxy_is_verified_by_the_same_authorities() {
    let authority = Authority::new("our CA");
    let proxy = authority.serve("127.0.0.1", 30);
    let through = |cert: Option<&str>, verify_ssl: &str| {
        let mut config = Config::new().unwrap();
        config.set("path", "http://feast.invalid:6566").unwrap();
        config.set("proxy", &format!("https://127.0.0.1:{}", proxy.port())).unwrap();
        config.set("connection_retries", "0").unwrap();
        config.set("verify_ssl", verify_ssl).unwrap();
        cert.iter().for_each(|cert| config.set("cert", cert).unwrap());
        call(&Remote::open(&config).unwrap(), 1)
    };
    let file = authority.file();
    for verify_ssl in ["true", "false"] {
        through(file.to_str(), verify_ssl).unwrap();
        assert_eq!(through(None, verify_ssl).unwrap_err().code, Code::Tls, "verify_ssl {verify_ssl}");
    }
}

#[test]
fn nothing_older_than_tls_1_2_is_spoken() {
    let authority = Authority::new("our CA");
    let server = authority.serve_outdated("localhost");
    let url = format!("https://localhost:{}", server.port());
    let error = call(&open(&url, authority.file().to_str()).unwrap(), 1).unwrap_err();
    assert_eq!((error.code, server.handshakes()), (Code::Tls, 0), "{error}");
    assert!(error.message.contains("protocol version"), "{error}");
}

#[test]
fn without_cert_the_systems_authorities_are_found_and_trusted() {
    let authority = Authority::new("our CA");
    let server = authority.serve("localhost", 30);
    let fetch = |system: Option<&std::path::Path>| {
        let mut command = Command::new(compile("examples/c/feast_get.c"));
        command.args(["--path", &format!("https://localhost:{}", server.port())]);
        command
            .args(["--feature", "v:a", "--entity", "id=7", "--format", "json"])
            .env_remove("SSL_CERT_FILE");
        // Where a distribution keeps them is looked up; the variable names another place.
        system.map(|file| command.env("SSL_CERT_FILE", file));
        command.output().unwrap()
    };
    let output = fetch(Some(&authority.file()));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"id\":7,\"a\":7000}\n");
    assert_eq!(fetch(None).status.code(), Some(1));
}

/// Its OpenSSL is ours alone: what the host's configuration asks of the host's does not concern it, unless the host says so.
#[test]
fn the_hosts_openssl_configuration_is_heeded_only_where_openssl_config_names_it() {
    let authority = Authority::new("our CA");
    let server = authority.serve("localhost", 30);
    let folder = scratch();
    let policy = folder.join("openssl.cnf");
    let text = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = defaults\n[defaults]\nCipherString = DEFAULT:@SECLEVEL=5\n";
    std::fs::write(&policy, text).unwrap();
    let broken = folder.join("broken.cnf");
    std::fs::write(&broken, "openssl_conf = all\n[all]\nproviders = nowhere\n").unwrap();
    let program = compile("tests/programs/c/openssl_config.c");
    let run = |variable: &str, file: Option<&std::path::Path>| {
        let mut command = Command::new(&program);
        command.arg(format!("https://localhost:{}", server.port())).arg(authority.file()).args(file);
        let output = command.env("OPENSSL_CONF", variable).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let policy_path = policy.to_str().unwrap();
    assert_eq!(run(policy_path, None), "answered\n");
    let failed = run("", Some(&policy));
    assert!(failed.starts_with("call: TLS: "), "{failed}");
    let failed = run("", Some(&broken));
    assert!(
        failed.starts_with(&format!(
            "open: CONFIG: openssl_config: {}: OpenSSL does not take it",
            broken.display()
        )),
        "{failed}"
    );
    let failed = run("", Some(&folder.join("missing.cnf")));
    assert!(failed.contains("openssl_config: ") && failed.contains("No such file"), "{failed}");
}
