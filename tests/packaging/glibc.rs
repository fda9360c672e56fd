//! The C library that the shared library needs, as built here and as linked on an older system.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::installed::ran;
use crate::support::paths::{library, library_folder, root, target};
use crate::support::server::{Server, Step, answer};
use crate::support::tls::Authority;

/// README.md names these: the C library of Debian 11; the newest of whose symbols any is used there, and here.
const OLDER_GLIBC: &str = "2.31";
const NEWEST_SYMBOLS_THERE: (u32, u32) = (2, 30);
const NEWEST_SYMBOLS_HERE: (u32, u32) = (2, 34);

fn newest_symbols(library: &Path) -> (u32, u32) {
    let symbols = ran(Command::new("nm").args(["-D", "--undefined-only"]).arg(library)).stdout;
    let symbols = String::from_utf8(symbols).unwrap();
    symbols
        .lines()
        .filter_map(|line| line.split_once("@GLIBC_").map(|(_, version)| version))
        .map(|version| {
            let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap());
            (parts.next().unwrap(), parts.next().unwrap())
        })
        .max()
        .unwrap()
}

#[test]
fn no_newer_glibc_is_needed_than_the_documents_say() {
    let newest = newest_symbols(&library());
    assert!(newest <= NEWEST_SYMBOLS_HERE, "glibc {}.{} is needed", newest.0, newest.1);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        format!("glibc {}.{} or newer", NEWEST_SYMBOLS_HERE.0, NEWEST_SYMBOLS_HERE.1),
        format!("glibc {OLDER_GLIBC}"),
        format!("By its symbols {}.{} would do", NEWEST_SYMBOLS_THERE.0, NEWEST_SYMBOLS_THERE.1),
    ] {
        assert!(readme.contains(&words), "{words}");
    }
}

/// Blocking and asynchronous calls, cancel, a fork; and a call over TLS.
#[test]
fn linked_on_debian_11_it_works_with_an_older_glibc() {
    let debian = target().join("debian11");
    assert!(debian.join("made").exists(), "run `make env` as root first (`make test` does)");
    let inside = format!("/tmp/{}", std::process::id());
    let folder = debian.join(&inside[1..]);
    fs::create_dir(&folder).unwrap();
    let archive = library_folder().join("libfeast_remote.a");
    let of_the_project = [
        "packaging/link-shared",
        "packaging/feast_remote.map",
        "include/feast_remote.h",
        "tests/programs/c/check.h",
        "tests/programs/c/async.c",
        "examples/c/feast_get.c",
    ];
    for file in of_the_project.map(|file| root().join(file)).iter().chain([&archive]) {
        fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
    let there = |command: &str| {
        let mut chroot = Command::new("chroot");
        let command = format!("cd {inside} && {command}");
        chroot.arg(&debian).args(["/bin/sh", "-euc", &command]).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        chroot
    };
    ran(&mut there("./link-shared libfeast_remote.a libfeast_remote.so"));
    let newest = newest_symbols(&folder.join("libfeast_remote.so"));
    assert!(newest <= NEWEST_SYMBOLS_THERE, "glibc {}.{} is needed", newest.0, newest.1);
    for program in ["async", "feast_get"] {
        ran(&mut there(&format!("cc -std=c11 -pthread -I. -o {program} {program}.c -L. -lfeast_remote")));
    }

    // Run outside, where /proc is, by Debian 11's loader with its libraries.
    let libraries = debian.join(format!("lib/{}-linux-gnu", std::env::consts::ARCH));
    let run = |program: &str| {
        let mut loader = Command::new(libraries.join(format!("ld-{OLDER_GLIBC}.so")));
        let folders = format!("{}:{}", libraries.display(), folder.display());
        loader.args(["--inhibit-cache", "--library-path", &folders]).arg(folder.join(program));
        loader
    };
    let (healthy, stalling) = (Server::start(answer), Server::start(|_| vec![Step::Stall]));
    ran(run("async").args([healthy.url(), stalling.url()]));
    let authority = Authority::new("our CA");
    let server = authority.serve("localhost", 30);
    let output = ran(run("feast_get")
        .args(["--path", &format!("https://localhost:{}", server.port())])
        .args(["--set", &format!("cert={}", authority.file().display())])
        .args(["--feature", "v:a", "--entity", "id=7", "--format", "json"]));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"id\":7,\"a\":7000}\n");
    fs::remove_dir_all(&folder).unwrap();
}
