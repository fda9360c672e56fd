//! A plugin that links the library, in a host that knows nothing of Feast.

use std::path::Path;
use std::process::Command;

use crate::support::cc::passed;
use crate::support::feast::{Feast, expected};
use crate::support::installed::{Installed, ran};
use crate::support::paths::{root, scratch};

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
    let rate = expected()["driver_hourly_stats"]["1001"]["conv_rate"].as_f64().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("1001: {rate:.6}\n9999: no such driver\n"));
}
