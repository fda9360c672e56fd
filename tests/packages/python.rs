//! Python.

use std::process::Command;
use std::time::Duration;

use crate::support::cc::passed;
use crate::support::feast::{Feast, program};
use crate::support::installed::Installed;
use crate::support::paths::root;
use crate::support::server::{Server, Step, answer};
use crate::value;

#[test]
fn python_gets_record_batches_and_matrices_and_awaits_calls() {
    let installed = Installed::new();
    let feast = Feast::serve(&["-w", "2"]);
    let output = Command::new(program("python"))
        .args([root().join("examples/python/feast_remote.py").to_str().unwrap(), &feast.url()])
        .env("FEAST_REMOTE_LIBRARY", installed.prefix.join("lib/libfeast_remote.so"))
        .output()
        .unwrap();
    passed("feast_remote.py", &output);
    let both = |name: &str| format!("[{}, {}]", value("1001", name), value("1002", name));
    let columns = format!(
        "{{'driver_id': [1001, 1002], 'avg_daily_trips': {}, 'conv_rate': {}}}",
        both("avg_daily_trips"),
        both("conv_rate")
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{columns}\n(2, 2)\n20 rows from 20 calls at once\nNOT_FOUND True\n")
    );
}

#[test]
fn python_tells_which_calls_were_merged() {
    let installed = Installed::new();
    let server = Server::start(|seen| [vec![Step::Wait(Duration::from_millis(1))], answer(seen)].concat());
    let output = Command::new(program("python"))
        .arg(root().join("tests/programs/python/merged_calls.py"))
        .arg(root().join("examples/python"))
        .arg(server.url())
        .env("FEAST_REMOTE_LIBRARY", installed.prefix.join("lib/libfeast_remote.so"))
        .output()
        .unwrap();
    passed("merged_calls.py", &output);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "as expected\n");
}

#[test]
fn python_writes_rows_of_whatever_pyarrow_knows() {
    let installed = Installed::new();
    let feast = Feast::serve(&[]);
    let output = Command::new(program("python"))
        .arg(root().join("tests/programs/python/module_writes.py"))
        .arg(root().join("examples/python"))
        .arg(feast.url())
        .env("FEAST_REMOTE_LIBRARY", installed.prefix.join("lib/libfeast_remote.so"))
        .output()
        .unwrap();
    passed("module_writes.py", &output);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "as expected\n");
}
