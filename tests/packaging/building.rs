//! Builds from another folder and for another target: they are as good as the project's own, or stop and say what to do.
//!
//! With the machine's OpenSSL, whose own build would take a minute; how libcurl is compiled does not depend on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cc::{compile_with, passed};
use crate::support::installed::ran;
use crate::support::paths::{root, scratch};
use crate::support::server::{Server, answer};

/// Of both tests; not the project's own.
fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("building")
}

/// Cargo without what the project's configuration has put into this process's environment.
fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(folder).args(arguments).arg("--offline");
    command.env_remove("HOST_CFLAGS").env_remove("TARGET_CFLAGS");
    command.env("OPENSSL_NO_VENDOR", "1").env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.env("CARGO_TARGET_DIR", target_folder());
    command
}

/// A workspace of somebody else's, which depends on the project. Not below it, where cargo would find its configuration.
struct Elsewhere(PathBuf);

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn elsewhere(name: &str) -> Elsewhere {
    let folder = std::env::temp_dir().join(format!("feast-remote-{name}-{}", std::process::id()));
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "pub use feast_remote::ffi;\n").unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let dependency = format!("feast-remote = {{ path = {:?} }}", root());
    let manifest = "[workspace]\n[package]\nname = \"elsewhere\"\nedition = \"2024\"\n[dependencies]\n";
    fs::write(folder.join("Cargo.toml"), format!("{manifest}{dependency}\n")).unwrap();
    Elsewhere(folder)
}

/// Cargo's own lines about the project, of a build that must fail.
fn complaint(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    let mut lines = said.lines().filter(|line| line.starts_with("error: feast-remote@"));
    let line = lines.next().unwrap_or_else(|| panic!("{said}")).to_owned();
    assert!(lines.next().is_none(), "{said}");
    line
}

/// What an object or library defines (`-D --defined-only`) or lacks (`-u`).
fn symbols(flags: &[&str], file: &Path) -> Vec<String> {
    let listed = ran(Command::new("nm").args(flags).arg(file)).stdout;
    let listed = String::from_utf8(listed).unwrap();
    listed.lines().filter_map(|line| line.split(' ').next_back()).map(str::to_owned).collect()
}

/// What is said to be given to cargo.
fn config() -> String {
    format!("--config={}/.cargo/config.toml", root().display())
}

#[test]
fn built_elsewhere_it_stops_with_one_line_that_says_what_to_do_and_is_whole_when_that_is_done() {
    let elsewhere = elsewhere("elsewhere");
    let folder = &elsewhere.0;
    let build = ["rustc", "--package", "feast-remote", "--lib", "--crate-type", "staticlib"];
    let said = complaint(&mut cargo(folder, &build));
    let hint = config().replace('=', " ");
    assert!(said.contains(&hint) && said.contains("or add to HOST_CFLAGS: -D"), "{said}");
    let (_, flags) = said.split_once("HOST_CFLAGS: ").unwrap();
    assert!(flags.contains("-DHAVE_POLL"), "{said}");

    ran(&mut cargo(folder, &[build.as_slice(), &[&config()]].concat()));
    let built = target_folder().join("debug/libfeast_remote.a");
    let (archive, library) = (folder.join("libfeast_remote.a"), folder.join("libfeast_remote.so"));
    ran(Command::new(root().join("packaging/merge-static")).arg(built).arg(&archive));
    ran(Command::new(root().join("packaging/link-shared"))
        .arg(&archive)
        .arg(&library)
        .args(["-lssl", "-lcrypto"]));
    let exported = symbols(&["-D", "--defined-only"], &library);
    assert!(exported.contains(&"feast_get_online_features@@FEAST_REMOTE_0".to_owned()), "{exported:?}");
    let dynamic = ran(Command::new("readelf").arg("-dW").arg(&library)).stdout;
    let dynamic = String::from_utf8(dynamic).unwrap();
    for wanted in ["[libfeast_remote.so.0]", "NODELETE", "NOW"] {
        assert!(dynamic.contains(wanted), "{wanted} in\n{dynamic}");
    }
    let beside = folder.join("libfeast_remote.so.0");
    let link = [beside.to_str().unwrap(), &format!("-Wl,-rpath,{}", folder.display())];
    let program = compile_with("tests/programs/c/crowded_and_forked.c", &link);
    let output = Command::new(&program).arg(Server::start(answer).url()).output().unwrap();
    passed("crowded_and_forked", &output);
}

/// Cargo runs the build scripts, which compile libcurl, whether or not Rust's standard library is there for the target.
#[test]
fn built_for_another_target_libcurl_waits_with_poll() {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    // OpenSSL's headers, without those of the machine's C library around them.
    let headers = scratch();
    fs::create_dir(headers.join("openssl")).unwrap();
    let of_the_machine = format!("/usr/include/{}-linux-gnu/openssl", std::env::consts::ARCH);
    for folder in ["/usr/include/openssl", &of_the_machine] {
        for header in fs::read_dir(folder).into_iter().flatten() {
            let path = header.unwrap().path();
            fs::copy(&path, headers.join("openssl").join(path.file_name().unwrap())).unwrap();
        }
    }
    let elsewhere = elsewhere("another-target");
    let check = |config: &[&str]| {
        let arguments = ["check", "--keep-going", "--package", "feast-remote", "--target", &target];
        let mut command = cargo(&elsewhere.0, &[&arguments, config].concat());
        command
            .env("OPENSSL_INCLUDE_DIR", &headers)
            .env("OPENSSL_LIB_DIR", format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH));
        command
    };
    let said = complaint(&mut check(&[]));
    assert!(said.contains("or add to TARGET_CFLAGS: -D"), "{said}");

    let output = check(&[&config()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("error: feast-remote@"), "{said}");
    let built = target_folder().join(&target).join("debug/build");
    let archives: Vec<PathBuf> = fs::read_dir(built)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("out/build/libcurl.a"))
        .filter(|archive| archive.exists())
        .collect();
    assert!(!archives.is_empty(), "{said}");
    for archive in archives {
        let used = symbols(&["-u"], &archive);
        for wanted in ["poll", "eventfd"] {
            assert!(used.iter().any(|name| name == wanted), "{wanted}: {used:?}");
        }
    }
}
