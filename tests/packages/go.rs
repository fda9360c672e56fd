//! Go.

use std::process::Command;

use crate::support::cc::passed;
use crate::support::feast::Feast;
use crate::support::installed::{Installed, ran};
use crate::support::paths::{root, scratch};
use crate::three_drivers;

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
