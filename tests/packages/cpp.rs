//! C++.

use std::process::Command;

use crate::support::cc::passed;
use crate::support::feast::Feast;
use crate::support::installed::Installed;
use crate::value;

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
