//! The static library in a program that links another libcurl and OpenSSL.

use std::path::PathBuf;
use std::process::Command;

use crate::support::cc::{compile, compile_with, passed};
use crate::support::installed::ran;
use crate::support::paths::{library_folder, root, target};
use crate::support::tls::Authority;

fn archive() -> PathBuf {
    library_folder().join("libfeast_remote.a")
}

/// The machine's libcurl and OpenSSL, and of what that libcurl needs what is there without its header files.
fn others(kind: &str) -> Vec<&'static str> {
    if kind == "shared" {
        return vec!["-lcurl", "-lssl", "-lcrypto"];
    }
    let mut link = vec!["-l:libcurl.a", "-l:libssl.a", "-l:libcrypto.a"];
    link.extend([
        "-l:libnghttp2.so.14",
        "-l:libidn2.so.0",
        "-l:librtmp.so.1",
        "-l:libssh2.so.1",
        "-l:libpsl.so.5",
    ]);
    link.extend(["-l:libgssapi_krb5.so.2", "-l:libldap-2.5.so.0", "-l:liblber-2.5.so.0", "-l:libzstd.so.1"]);
    link.extend(["-l:libbrotlidec.so.1", "-l:libz.so.1"]);
    link
}

#[test]
fn the_static_library_and_another_libcurl_and_openssl_keep_their_own_in_one_program() {
    let authority = Authority::new("our CA");
    let server = authority.serve("localhost", 30);
    let url = format!("https://localhost:{}", server.port());
    let archive = archive();
    for kind in ["shared", "static"] {
        for ours_first in [true, false] {
            let (mut link, others) = (vec![archive.to_str().unwrap()], others(kind));
            link.splice(if ours_first { 1..1 } else { 0..0 }, others);
            link.extend(["-Wl,--gc-sections", "-lpthread", "-ldl", "-lm"]);
            let program = compile_with("tests/programs/c/linked_beside_libcurl.c", &link);
            let output = Command::new(program).arg(&url).arg(authority.file()).output().unwrap();
            passed(&format!("{kind}, ours first: {ours_first}"), &output);
            let printed = String::from_utf8(output.stdout).unwrap();
            let mut lines = printed.lines();
            let mut line = || lines.next().unwrap().to_owned();
            let (theirs, their_openssl, ours) = (line(), line(), line());
            let libcurl = |text: &str| {
                let (_, rest) = text.split_once("libcurl/").unwrap();
                rest.split([' ', ')']).next().unwrap().to_owned()
            };
            let (_, openssl) = ours.split_once("OpenSSL/").unwrap();
            let openssl = openssl.split([' ', ')', ',']).next().unwrap();
            assert_ne!(libcurl(&theirs), libcurl(&ours), "{printed}");
            assert!(!their_openssl.contains(openssl) && !theirs.contains(openssl), "{printed}");
        }
    }
}

/// Unwinding, threads and their variables work in what `ld -r` has merged and `--gc-sections` thinned out.
#[test]
fn a_panic_inside_the_static_library_becomes_an_error_and_so_it_does_in_the_shared_one() {
    let authority = Authority::new("our CA");
    let server = authority.serve("localhost", 30);
    let url = format!("https://localhost:{}", server.port());
    let source = "tests/programs/c/contained_panic.c";
    let archive = archive();
    let link = [archive.to_str().unwrap(), "-Wl,--gc-sections", "-lpthread", "-ldl", "-lm"];
    for (kind, program) in [("static", compile_with(source, &link)), ("shared", compile(source))] {
        let output =
            Command::new(program).arg(&url).arg(authority.file()).args(["v:a", "id"]).output().unwrap();
        passed(kind, &output);
    }
}

#[test]
fn of_the_static_library_only_the_headers_functions_are_seen_and_it_is_small() {
    let archive = archive();
    let listed = ran(Command::new("nm").args(["-g", "--defined-only"]).arg(&archive)).stdout;
    let listed = String::from_utf8(listed).unwrap();
    let symbols: Vec<&str> = listed.lines().filter(|line| line.matches(' ').count() == 2).collect();
    assert!(symbols.len() > 100, "{listed}");
    for symbol in symbols {
        assert!(symbol.contains(" T feast_"), "{symbol}");
    }
    let sections = ran(Command::new("readelf").args(["-SW"]).arg(&archive)).stdout;
    assert!(!String::from_utf8(sections).unwrap().contains(".debug_"), "debug information");
    assert!(archive.metadata().unwrap().len() < 25_000_000);
}

#[test]
fn no_library_names_a_folder_of_the_machine_that_built_it_or_the_day() {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME")).unwrap();
    for name in ["libfeast_remote.so", "libfeast_remote.a", "libfeast_remote.so.debug"] {
        let bytes = std::fs::read(library_folder().join(name)).unwrap();
        let holds = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
        let [project, built] = [root(), target()].map(|folder| folder.to_str().unwrap().to_owned());
        for path in
            [project, built, home.clone() + "/", "/usr/local/ssl".to_owned(), "openssl-build".to_owned()]
        {
            assert!(!holds(&path), "{name} names {path}");
        }
        if !name.ends_with(".debug") {
            assert!(holds("built on: Thu Jan  1 00:00:00 1970"), "{name}: when OpenSSL was built");
        }
    }
}
