//! What packs the same sources and libraries twice leaves the same bytes. (`make reproducible` builds twice, too.)

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::installed::ran;
use crate::support::paths::{root, scratch};

#[test]
fn packed_twice_the_same_libraries_are_the_same_bytes() {
    let natives = scratch();
    let pack = |mask: &str, timezone: &str| {
        let packages = scratch();
        ran(Command::new("/bin/sh")
            .args(["-c", &format!("umask {mask} && scripts/packages.sh c cpp sbom source")])
            .current_dir(root())
            .env("NATIVES", &natives)
            .env("PACKAGES", &packages)
            .env("TZ", timezone));
        packages
    };
    let sums = |packages: &Path| fs::read_to_string(packages.join("SHA256SUMS")).unwrap();
    let (first, second) = (pack("022", "UTC"), pack("077", "Asia/Tokyo"));
    let listed = sums(&first);
    assert_eq!(listed, sums(&second));
    let version = env!("CARGO_PKG_VERSION");
    for file in [
        format!("feast_remote-{version}-source.tar.gz"),
        format!("feast_remote-{version}-{}-unknown-linux-gnu.tar.gz", std::env::consts::ARCH),
        format!("feast_remote-cpp-{version}.tar.gz"),
        format!("libfeast_remote-{version}.cdx.json"),
        format!("vcpkg/feast-remote/feast_remote-{version}-source.tar.gz"),
    ] {
        assert!(listed.lines().any(|line| line.ends_with(&format!("  {file}"))), "{file} is not in {listed}");
    }
    ran(Command::new("sha256sum").args(["--quiet", "-c", "SHA256SUMS"]).current_dir(&second));
}
