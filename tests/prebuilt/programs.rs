//! C programs with the libraries of each platform, over TLS against a real `feast serve`: another processor's under qemu, musl's by its
//! own loader.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::native;
use crate::support::feast::{Feast, expected};
use crate::support::installed::ran;
use crate::support::paths::{root, scratch, target};
use crate::support::tls::Authority;

/// What the server has of the driver that the programs ask for.
pub fn trips() -> String {
    expected()["driver_hourly_stats"]["1001"]["avg_daily_trips"].as_str().unwrap().to_owned()
}

/// Runs a program for aarch64, linked with `glibc` or `musl`.
pub fn aarch64(libc: &str, program: &Path) -> Command {
    let mut command = Command::new("qemu-aarch64-static");
    let root = if libc == "musl" { target().join("musl-aarch64") } else { "/usr/aarch64-linux-gnu".into() };
    command.arg("-L").arg(root).arg(program);
    command
}

/// A real Feast over TLS, and whom to trust.
pub struct Server {
    feast: Feast,
    pub authority: PathBuf,
}

impl Server {
    pub fn start() -> Server {
        let authority = Authority::new("our CA");
        let (certificate, key) = authority.issue("localhost", 30);
        let feast = Feast::serve(&["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()]);
        Server { feast, authority: authority.file() }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.feast.port())
    }

    /// An answer that is compared, and panics that are contained; `run` begins a program by its name.
    fn serves(&self, kind: &str, run: impl Fn(&str) -> Command) {
        let (feature, entity) = ("driver_hourly_stats:avg_daily_trips", "driver_id");
        let output = ran(run("feast_get")
            .args(["--path", &self.url(), "--set", &format!("cert={}", self.authority.display())])
            .args(["--feature", feature, "--entity", "driver_id=1001", "--format", "json"]));
        let printed = format!("{{\"driver_id\":1001,\"avg_daily_trips\":{}}}\n", trips());
        assert_eq!(String::from_utf8_lossy(&output.stdout), printed, "{kind}");
        assert!(output.stderr.is_empty(), "{kind}");
        ran(run("contained_panic").arg(self.url()).arg(&self.authority).args([feature, entity]));
    }
}

const SOURCES: [&str; 2] = ["examples/c/feast_get.c", "tests/programs/c/contained_panic.c"];
const FLAGS: [&str; 7] =
    ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wl,--gc-sections"];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with both libraries, the shared one also by its SONAME.
fn libraries(rust_target: &str, folder: PathBuf) -> PathBuf {
    for (file, name) in [("so", "so"), ("so", "so.0"), ("a", "a")] {
        let file = native(rust_target, &format!("libfeast_remote.{file}"));
        fs::copy(file, folder.join(format!("libfeast_remote.{name}"))).unwrap();
    }
    folder
}

/// Compiles the programs, every warning an error.
fn compile(compiler: &[&str], link: &[&str]) -> PathBuf {
    let folder = scratch();
    for source in SOURCES.map(|source| root().join(source)) {
        ran(Command::new(compiler[0])
            .args(&compiler[1..])
            .args(FLAGS)
            .arg("-I")
            .arg(root().join("include"))
            .arg("-o")
            .arg(folder.join(source.file_stem().unwrap()))
            .arg(&source)
            .args(link)
            .args(["-lpthread", "-ldl", "-lm"]));
    }
    folder
}

/// Both libraries of a platform. `compiler` links them, the shared one with the first flags, the static one with the second.
fn tried(rust_target: &str, compiler: &[&str], flags: [&[&str]; 2]) {
    let server = Server::start();
    let folder = libraries(rust_target, scratch());
    let archive = folder.join("libfeast_remote.a");
    for (kind, libraries, flags) in [
        ("shared", ["-L", text(&folder), "-lfeast_remote"].as_slice(), flags[0]),
        ("static", &[text(&archive)], flags[1]),
    ] {
        let programs = compile(compiler, &[libraries, flags].concat());
        server.serves(&format!("{rust_target}, {kind}"), |name| {
            let program = programs.join(name);
            let libc = if rust_target.ends_with("musl") { "musl" } else { "glibc" };
            let mut command = match rust_target.split('-').next() {
                Some("aarch64") => aarch64(libc, &program),
                _ => Command::new(program),
            };
            command.env("LD_LIBRARY_PATH", &folder);
            command
        });
    }
}

#[test]
fn on_x86_64_with_this_machines_glibc() {
    tried("x86_64-unknown-linux-gnu", &["cc"], [&[], &[]]);
}

#[test]
fn on_aarch64_with_glibc() {
    tried("aarch64-unknown-linux-gnu", &["aarch64-linux-gnu-gcc"], [&[], &[]]);
}

/// zig's compiler, since Debian has none for musl on another processor, and the one for this needs glibc's functions to unwind.
/// The shared library by musl's own loader, the static one in a program that needs nothing.
fn tried_on_musl(machine: &str) {
    let zig = target().join("zig/bin/zig");
    let zig_target = format!("{machine}-linux-musl");
    let compiler = [text(&zig), "cc", "-target", &zig_target];
    let rust_target = format!("{machine}-unknown-linux-musl");
    tried(&rust_target, &compiler, [&["-dynamic"], &["-static", "-lunwind"]]);
}

#[test]
fn on_x86_64_with_musl() {
    tried_on_musl("x86_64");
}

#[test]
fn on_aarch64_with_musl() {
    tried_on_musl("aarch64");
}

/// Compiled and run inside, by Debian 11's own compiler, linker and C library.
#[test]
fn on_x86_64_inside_debian_11() {
    let debian = target().join("debian11");
    assert!(debian.join("made").exists(), "run `make env` as root first (`make test-prebuilt` does)");
    let inside = format!("/tmp/prebuilt-{}", std::process::id());
    let folder = debian.join(&inside[1..]);
    fs::create_dir(&folder).unwrap();
    libraries("x86_64-unknown-linux-gnu", folder.clone());
    let server = Server::start();
    fs::copy(&server.authority, folder.join("ca.pem")).unwrap();
    let server = Server { authority: PathBuf::from("ca.pem"), ..server };
    for file in SOURCES.iter().chain(&["include/feast_remote.h", "tests/programs/c/check.h"]) {
        fs::copy(root().join(file), folder.join(Path::new(file).file_name().unwrap())).unwrap();
    }
    let there = |command: &str| {
        let command = format!("cd {inside} && exec {command} \"$@\"");
        let mut chroot = Command::new("chroot");
        chroot.arg(&debian).args(["/bin/sh", "-euc", &command, "sh"]);
        chroot.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LD_LIBRARY_PATH", ".");
        chroot
    };
    for (kind, library) in [("shared", "-lfeast_remote"), ("static", "-l:libfeast_remote.a")] {
        for name in ["feast_get", "contained_panic"] {
            let source = format!("{name}.c");
            ran(there("cc").args(FLAGS).args(["-I.", "-o", name, &source]).args([
                "-L.",
                library,
                "-lpthread",
                "-ldl",
                "-lm",
            ]));
        }
        server.serves(&format!("Debian 11, {kind}"), |name| there(&format!("./{name}")));
    }
    fs::remove_dir_all(&folder).unwrap();
}
