//! Java.

use crate::support::cc::passed;
use crate::support::feast::Feast;
use crate::support::installed::Installed;
use crate::three_drivers;

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
