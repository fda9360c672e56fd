//! Writes through the C interface.

use std::process::Command;

use crate::support::cc::{command, compile, passed, passes_plain_and_under_memcheck, plain_and_memcheck};
use crate::support::feast::{Feast, program};
use crate::support::paths::{library, root, scratch};
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

#[test]
fn the_rows_of_a_csv_file_are_written() {
    let program = compile("examples/c/feast_put.c");
    let folder = scratch();
    let file = folder.join("rows.csv");
    std::fs::write(
        &file,
        "id,trips,rate,active,\"home, city\",event_timestamp\r\n\
         1,9007199254740993,0.5,true,\"a \"\"b\"\"\",2026-01-01T00:00:00Z\r\n\
         2,,1,false,,2026-01-01T01:00:00+01:00\r\n\
         3,3,,,\"\",2026-01-01T00:00:00.5Z",
    )
    .unwrap();
    let server = Server::start(takes_some);
    for &memcheck in plain_and_memcheck() {
        let output = command(&program, memcheck)
            .args(["--path", &server.url(), "--view", "v", file.to_str().unwrap()])
            .output()
            .unwrap();
        passed("feast_put", &output);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "3 rows in 3 requests\n");
        // What may be a row of nulls alone carries the first row along, which follows by itself.
        let frames: Vec<Value> = server
            .seen()
            .iter()
            .rev()
            .take(3)
            .rev()
            .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap()["df"].clone())
            .collect();
        let column =
            |name: &str| frames.iter().map(|frame| frame[name].to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(column("trips"), "[9007199254740993,3] [9007199254740993] [null]");
        assert_eq!(column("rate"), "[0.5,null] [0.5] [1.0]");
        assert_eq!(column("active"), "[true,null] [true] [false]");
        assert_eq!(column("home, city"), r#"["a \"b\"",""] ["a \"b\""] [null]"#);
        assert_eq!(
            column("event_timestamp"),
            r#"["2026-01-01T00:00:00Z","2026-01-01T00:00:00.500000Z"] ["2026-01-01T00:00:00Z"] ["2026-01-01T00:00:00Z"]"#
        );
    }
    let run = |arguments: &[&str]| {
        Command::new(&program).args(["--path", &server.url()]).args(arguments).output().unwrap()
    };
    std::fs::write(&file, "id,event_timestamp\n1,2026-01-01T00:00:00Z\n1000,2026-01-01T00:00:00Z\n").unwrap();
    let refused = run(&["--push", "p", "--set", "max_rows_per_write=1", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("1 rows were written, 1 not (0 in doubt), the first of them on line 3"), "{said}");
    std::fs::write(&file, "id,x\n1\n").unwrap();
    let odd = run(&["--view", "v", file.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&odd.stderr).contains("line 2: another number of fields"));
    assert_eq!(run(&["--view", "v"]).status.code(), Some(2));
}
