//! Writes through the C interface.

use std::process::Command;

use crate::support::cc::{compile, passes_plain_and_under_memcheck};
use crate::support::feast::{Feast, program};
use crate::support::paths::{library, root};
use crate::support::server::{Seen, Server, Step, say};
use serde_json::Value;

/// Takes rows whose ids are below 1000.
fn takes_some(seen: &Seen) -> Vec<Step> {
    if seen.target == "GET /health" {
        return say(200, "");
    }
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let ids = body["df"]["id"].as_array().unwrap();
    match ids.iter().all(|id| id.as_i64().unwrap() < 1000) {
        true => say(200, "null"),
        false => say(500, r#""a row that the server does not take""#),
    }
}

#[test]
fn writes_hold_in_c() {
    let server = Server::start(takes_some);
    passes_plain_and_under_memcheck(&compile("tests/programs/c/writes.c"), &[&server.url()]);
}

#[test]
fn record_batches_of_pyarrow_are_written_as_they_are() {
    let feast = Feast::serve(&[]);
    let output = Command::new(program("python"))
        .arg(root().join("tests/programs/python/writes.py"))
        .arg(library())
        .arg(feast.url())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "as expected\n", "{printed}");
}
