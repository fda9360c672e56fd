//! What the files say of themselves.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::installed::ran;
use crate::support::paths::{header, root};
use crate::{RUST_TARGETS, native};

fn readelf(flags: &str, library: &Path) -> String {
    String::from_utf8(ran(Command::new("readelf").args(["-W", flags]).arg(library)).stdout).unwrap()
}

/// The functions that the header declares.
fn of_the_header() -> BTreeSet<String> {
    let text = fs::read_to_string(header()).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    let words = lines.filter_map(|line| line.split_once('(').map(|(before, _)| before));
    let names = words.filter_map(|before| before.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("feast_")).map(str::to_owned).collect()
}

#[test]
fn shared_libraries_have_their_soname_version_node_and_hardening() {
    let declared = of_the_header();
    assert!(declared.len() > 100, "{declared:?}");
    for rust_target in RUST_TARGETS {
        let library = native(rust_target, "libfeast_remote.so");
        let dynamic = readelf("-d", &library);
        for wanted in ["Library soname: [libfeast_remote.so.0]", "Flags: NOW NODELETE", "BIND_NOW"] {
            assert!(dynamic.contains(wanted), "{rust_target}: {wanted}\n{dynamic}");
        }
        assert!(!dynamic.contains("TEXTREL") && !dynamic.contains("RUNPATH"), "{rust_target}: {dynamic}");
        let segments = readelf("-l", &library);
        assert!(segments.contains("GNU_RELRO"), "{rust_target}: {segments}");
        let stack = segments.lines().find(|line| line.contains("GNU_STACK")).unwrap();
        assert!(stack.contains(" RW "), "{rust_target}: {stack}");

        let symbols = readelf("--dyn-syms", &library);
        let symbols = symbols.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let seen: BTreeSet<String> = symbols
            .filter(|line| line.len() == 8 && line[6] != "UND" && line[6] != "Ndx" && line[3] != "SECTION")
            .map(|line| line[7].to_owned())
            .collect();
        let mut expected: BTreeSet<String> =
            declared.iter().map(|name| format!("{name}@@FEAST_REMOTE_0")).collect();
        expected.extend(seen.iter().filter(|name| name.starts_with("FEAST_REMOTE_0")).cloned());
        assert_eq!(seen, expected, "{rust_target}");
        assert!(readelf("-V", &library).contains("Name: FEAST_REMOTE_0"), "{rust_target}");
    }
}

/// What a shared library needs of the machine.
#[test]
fn glibc_2_17_is_enough_or_musl_alone() {
    for rust_target in RUST_TARGETS {
        let library = native(rust_target, "libfeast_remote.so");
        let dynamic = readelf("-d", &library);
        let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
        let needed: Vec<&str> = needed.map(|line| line.split(['[', ']']).nth(1).unwrap()).collect();
        if rust_target.ends_with("musl") {
            assert_eq!(needed, ["libc.so"], "{rust_target}");
            continue;
        }
        for name in &needed {
            let of_glibc = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"];
            assert!(of_glibc.contains(name) || name.starts_with("ld-linux"), "{rust_target}: {needed:?}");
        }
        let symbols = readelf("--dyn-syms", &library);
        let versions = symbols.split("@GLIBC_").skip(1).map(|rest| rest.split_whitespace().next().unwrap());
        let newest = versions
            .map(|version| version.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>());
        let newest = newest.max().unwrap();
        assert!(newest <= vec![2, 17], "{rust_target}: {newest:?}");
    }
}

#[test]
fn of_the_static_libraries_only_the_headers_functions_are_seen_and_all_are_small() {
    let declared = of_the_header();
    for rust_target in RUST_TARGETS {
        let archive = native(rust_target, "libfeast_remote.a");
        let listed = ran(Command::new("nm").args(["-g", "--defined-only"]).arg(&archive)).stdout;
        let listed = String::from_utf8(listed).unwrap();
        let symbols: BTreeSet<String> = listed
            .lines()
            .filter_map(|line| line.split_once(" T ").map(|(_, name)| name.to_owned()))
            .collect();
        assert_eq!(symbols, declared, "{rust_target}");
        assert_eq!(listed.lines().filter(|line| line.matches(' ').count() == 2).count(), declared.len());
        assert!(!readelf("-S", &archive).contains(".debug_"), "{rust_target}: debug information");
        let size = |file| native(rust_target, file).metadata().unwrap().len();
        assert!(size("libfeast_remote.a") < 25_000_000 && size("libfeast_remote.so") < 6_300_000);
        println!("{rust_target}: {} {}", size("libfeast_remote.so"), size("libfeast_remote.a"));
    }
}

#[test]
fn no_folder_of_the_machine_that_built_it_stands_in_a_library() {
    // Cargo's, Rust's and zig's folders are all below it.
    let home = std::env::var("HOME").unwrap() + "/";
    let project = root().to_str().unwrap().to_owned();
    for rust_target in RUST_TARGETS {
        for file in ["libfeast_remote.so", "libfeast_remote.a"] {
            let bytes = fs::read(native(rust_target, file)).unwrap();
            let holds = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
            for path in [&project, &home, "/usr/local/ssl", "openssl-build", "ziglang"] {
                assert!(!holds(path), "{rust_target}/{file} names {path}");
            }
            assert!(
                holds("built on: Thu Jan  1 00:00:00 1970"),
                "{rust_target}/{file}: when OpenSSL was built"
            );
        }
    }
}
