//! What a host sees of its stores.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::cc::{command, compile, passed, plain_and_memcheck};
use crate::support::server::{Server, answer};

#[test]
fn times_and_prometheus_text_hold_in_c_and_promtool_finds_no_fault() {
    let program = compile("tests/programs/c/observed.c");
    for &memcheck in plain_and_memcheck() {
        let server = Server::start(answer);
        let output = command(&program, memcheck).arg(server.url()).output().unwrap();
        passed("observed", &output);
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool, of Debian's package prometheus (`make test` installs it)");
        promtool.stdin.take().unwrap().write_all(&output.stdout).unwrap();
        let found = promtool.wait_with_output().unwrap();
        let words = [found.stdout, found.stderr].concat();
        assert!(found.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
    }
}
