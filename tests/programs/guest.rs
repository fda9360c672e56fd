//! A guest in somebody's process: programs that look at what is theirs before and after.

use std::process::{Command, Stdio};

use crate::support::cc::{compile, compile_with, passed};
use crate::support::paths::library;
use crate::support::server::{Server, Step, answer, say};
use crate::support::tls::Authority;

#[test]
fn stale_and_foreign_pointers_are_told_where_they_can_be() {
    let server = Server::start(answer);
    passed(
        "stale_handles",
        &Command::new(compile("tests/programs/c/stale_handles.c")).arg(server.url()).output().unwrap(),
    );
}

#[test]
fn what_belongs_to_the_process_is_as_it_was_and_its_signals_cause_no_error() {
    let body = r#"{"results":[{"values":[1,2]},{"values":[0.3,1e23]},{"values":[1,2]}],
                   "metadata":{"feature_names":["id","a","b"]}}"#;
    // Connections that the server closes are written to, which must not raise SIGPIPE.
    let server = Server::start(move |seen| {
        let mut steps = say(200, body);
        steps.extend((seen.number % 20 == 19).then_some(Step::Close));
        steps
    });
    server.forget_requests();
    let output = Command::new(compile_with_math("tests/programs/c/undisturbed_host.c"))
        .args([server.url().as_str(), "10000"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    passed("undisturbed_host", &output);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "in the host's buffer; and nothing else\n");
}

fn compile_with_math(source: &str) -> std::path::PathBuf {
    let folder = library().parent().unwrap().to_owned();
    let rpath = format!("-Wl,-rpath,{}", folder.display());
    compile_with(source, &["-L", folder.to_str().unwrap(), "-lfeast_remote", &rpath, "-lm"])
}

#[test]
fn the_systems_libcurl_and_openssl_may_be_loaded_before_or_after() {
    let authority = Authority::new("beside's CA");
    let server = authority.serve("localhost", 1);
    let program = compile_with("tests/programs/c/beside_libcurl.c", &["-ldl"]);
    let url = format!("https://localhost:{}", server.port());
    for order in ["before", "after"] {
        let output = Command::new(&program)
            .args([order, library().to_str().unwrap(), &url, authority.file().to_str().unwrap()])
            .output()
            .unwrap();
        passed(order, &output);
    }
}
