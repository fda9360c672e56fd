//! The ways in from other languages and from a plugin: their examples, run against a real `feast serve`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::cc::passed;
use crate::support::feast::{Feast, expected, program};
use crate::support::installed::{Installed, ran};
use crate::support::paths::{root, scratch};
use crate::support::server::{Server, Step, answer};

/// A value of the online store as its source wrote it.
fn value(driver: &str, feature: &str) -> String {
    expected()["driver_hourly_stats"][driver][feature].to_string().replace('"', "")
}

/// What the examples print of three drivers.
fn three_drivers() -> String {
    let line =
        |driver| format!("{driver} {} {}\n", value(driver, "conv_rate"), value(driver, "avg_daily_trips"));
    [line("1001"), line("1002"), "9999 is not known\n".to_owned()].concat()
}

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

#[test]
fn a_program_in_cpp_gets_views_exceptions_and_futures() {
    let installed = Installed::new();
    let program = installed.cpp("examples/cpp/minimal.cpp");
    let feast = Feast::serve(&["-w", "2"]);
    let output = Command::new(program).arg(feast.url()).output().unwrap();
    passed("minimal.cpp", &output);
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    for (line, driver) in lines.iter().zip(["1001", "1002"]) {
        let words: Vec<&str> = line.split(' ').collect();
        let rate: f64 = value(driver, "conv_rate").parse().unwrap();
        assert_eq!(
            (words[0], words[1].parse(), words[2]),
            (driver, Ok(rate), value(driver, "avg_daily_trips").as_str())
        );
    }
    assert_eq!(
        lines[2..],
        ["9999 is not known", "60 rows from 20 calls at once", "NOT_FOUND FeatureViewNotFoundException"]
    );
}

#[test]
fn a_go_package_gives_typed_slices_and_heeds_contexts() {
    let installed = Installed::new();
    installed.go("examples/go", &["vet", "./..."]);
    installed.go("examples/go", &["test", "-race", "./..."]);
    let unformatted = ran(Command::new("gofmt").arg("-l").arg(root().join("examples/go"))).stdout;
    assert_eq!(String::from_utf8_lossy(&unformatted), "");

    let example = scratch().join("example");
    installed.go("examples/go", &["build", "-o", example.to_str().unwrap(), "."]);
    let feast = Feast::serve(&["-w", "2"]);
    let output = Command::new(example).arg(feast.url()).output().unwrap();
    passed("the example in Go", &output);
    let rest = "60 rows from 20 calls at once\nNOT_FOUND FeatureViewNotFoundException\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), three_drivers() + rest);
}

#[test]
fn a_java_package_gives_segments_and_futures() {
    let installed = Installed::new();
    // The bench, too, though only `make bench-front-doors` runs it.
    let java = installed.java(&[
        "examples/java/Example.java",
        "examples/java/Bench.java",
        "tests/java/Check.java",
        "examples/java/feast/remote",
    ]);
    let feast = Feast::serve(&["-w", "2"]);
    let run = |class: &str| java.command(class).arg(feast.url()).output().unwrap();
    let output = run("Example");
    passed("the example in Java", &output);
    let rest = "[-1.0, -1.0] in the matrix\n3 longs in the buffer\n60 rows from 20 calls at once\n\
                NOT_FOUND FeatureViewNotFoundException\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), three_drivers() + rest);
    passed("the checks in Java", &run("Check"));
}

#[test]
fn a_host_that_knows_nothing_of_feast_scores_through_a_plugin() {
    let installed = Installed::new();
    let folder = scratch();
    let (plugin, host) = (folder.join("feast_scorer.so"), folder.join("host"));
    let sources = root().join("examples/plugin");
    let cc = |source: &str, out: &Path, flags: &[String]| {
        ran(Command::new("cc")
            .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O2"])
            .arg(sources.join(source))
            .arg("-o")
            .arg(out)
            .args(flags))
    };
    let mut flags = installed.pkg_config(&["--cflags", "--libs"]);
    flags.extend(["-shared", "-fPIC", "-fvisibility=hidden"].map(str::to_owned));
    flags.push(installed.rpath());
    cc("feast_scorer.c", &plugin, &flags);
    cc("host.c", &host, &["-pthread".to_owned(), "-ldl".to_owned()]);
    let feast = Feast::serve(&[]);
    let output = Command::new(host).args([plugin.to_str().unwrap(), &feast.url()]).output().unwrap();
    passed("host", &output);
    let rate: f64 = value("1001", "conv_rate").parse().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("1001: {rate:.6}\n9999: no such driver\n"));
}
