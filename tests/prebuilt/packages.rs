//! The packages carry the libraries of all platforms, unchanged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::ran;
use crate::support::paths::{scratch, target};
use crate::{RUST_TARGETS, native, package};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is in a zip or a tarball.
fn unpacked(archive: &Path) -> PathBuf {
    let folder = scratch();
    let python = "import shutil, sys; shutil.unpack_archive(sys.argv[1], sys.argv[2], sys.argv[3])";
    let format = if archive.extension().unwrap() == "gz" { "gztar" } else { "zip" };
    ran(Command::new("python3").args(["-c", python]).arg(archive).arg(&folder).arg(format));
    folder
}

fn is_native(rust_target: &str, file: &str, carried: &Path) {
    let same = fs::read(carried).unwrap() == fs::read(native(rust_target, file)).unwrap();
    assert!(same, "{} is another one", carried.display());
}

#[test]
fn each_wheel_is_tagged_for_its_platform_and_auditwheel_agrees() {
    let wheels: BTreeSet<String> = fs::read_dir(package(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".whl"))
        .collect();
    let tags =
        ["manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64"];
    let name = |tag: &str| format!("feast_remote-{VERSION}-py3-none-{tag}.whl");
    assert_eq!(wheels, tags.map(name).into());
    for (rust_target, tag) in RUST_TARGETS.iter().zip(tags) {
        let wheel = package(&name(tag));
        is_native(
            rust_target,
            "libfeast_remote.so",
            &unpacked(&wheel).join("feast_remote/libfeast_remote.so"),
        );
        // It knows musl's wheels only where musl is.
        if tag.starts_with("manylinux") {
            let audited =
                ran(Command::new(target().join("auditwheel/bin/auditwheel")).arg("show").arg(wheel));
            let said = String::from_utf8(audited.stdout).unwrap();
            let words: Vec<&str> = said.split_whitespace().collect();
            let said = words.join(" ");
            assert!(
                said.contains(&format!("consistent with the following platform tag: \"{tag}\"")),
                "{said}"
            );
        }
    }
}

#[test]
fn the_jar_has_the_shared_library_of_each_platform() {
    let jar = package(&format!("maven/feast/remote/feast-remote/{VERSION}/feast-remote-{VERSION}.jar"));
    let natives = unpacked(&jar).join("feast/remote/natives");
    for rust_target in RUST_TARGETS {
        is_native(rust_target, "libfeast_remote.so", &natives.join(rust_target).join("libfeast_remote.so"));
    }
    ran(Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(&natives));
    assert_eq!(fs::read_to_string(natives.join("SHA256SUMS")).unwrap().lines().count(), 4);
}

#[test]
fn the_package_for_cpp_has_both_libraries_of_each_platform() {
    let package = unpacked(&package(&format!("feast_remote-cpp-{VERSION}.tar.gz")));
    for rust_target in RUST_TARGETS {
        let folder = package.join(format!("feast_remote-cpp-{VERSION}/lib")).join(rust_target);
        is_native(rust_target, "libfeast_remote.so", &folder.join("libfeast_remote.so.0"));
        is_native(rust_target, "libfeast_remote.a", &folder.join("libfeast_remote.a"));
    }
}

#[test]
fn there_is_a_tarball_for_each_platform_with_its_checksum() {
    for rust_target in RUST_TARGETS {
        let name = format!("feast_remote-{VERSION}-{rust_target}");
        let sum = format!("{name}.tar.gz.sha256");
        ran(Command::new("sha256sum").args(["--check", &sum]).current_dir(package("")));
        let folder = unpacked(&package(&format!("{name}.tar.gz"))).join(name);
        ran(Command::new("sha256sum").args(["--quiet", "--check", "SHA256SUMS"]).current_dir(&folder));
        is_native(
            rust_target,
            "libfeast_remote.so",
            &folder.join(format!("lib/libfeast_remote.so.{VERSION}")),
        );
        is_native(rust_target, "libfeast_remote.a", &folder.join("lib/libfeast_remote.a"));
    }
}
