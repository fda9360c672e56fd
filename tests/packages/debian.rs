//! Debian's packages: what lintian says of them, and a program that is compiled with them in a Debian that has nothing else of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::feast::Feast;
use crate::support::installed::ran;
use crate::support::paths::{root, scratch, target};
use crate::value;

fn packages() -> [PathBuf; 2] {
    ["libfeast-remote0", "libfeast-remote-dev"].map(|name| {
        let folder = target().join("packages");
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let version = env!("CARGO_PKG_VERSION");
        let is_it = |path: &PathBuf| {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            file.starts_with(&format!("{name}_{version}-"))
                && file.ends_with(&format!("_{}.deb", architecture()))
        };
        let found: Vec<PathBuf> = entries.filter(is_it).collect();
        assert_eq!(found.len(), 1, "{found:?}: `make packages` makes it");
        found[0].clone()
    })
}

fn architecture() -> String {
    let output = ran(Command::new("dpkg").arg("--print-architecture"));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "make test-packages runs it"]
fn lintian_finds_nothing_in_the_debian_packages() {
    // It takes bytes of the code for misspelled words, other ones in each build.
    let not_asked = "--suppress-tags=spelling-error-in-binary";
    let output = ran(Command::new("lintian")
        .arg(not_asked)
        .args(["--allow-root", "--display-info", "--pedantic", "--show-overrides", "--fail-on=none"])
        .args(packages()));
    let said = String::from_utf8(output.stdout).unwrap();
    // What is overridden, packaging/debian says why; an override that nothing needs any more would be among the rest.
    let (overridden, found): (Vec<&str>, Vec<&str>) =
        said.lines().filter(|line| !line.starts_with("N: ")).partition(|line| line.starts_with("O: "));
    assert!(found.is_empty(), "{said}");
    assert_eq!(overridden.len(), 2, "{said}");
}

#[test]
#[ignore = "make test-packages runs it"]
fn a_program_is_compiled_and_runs_in_a_fresh_debian_and_nothing_stays() {
    let debian = scratch().join("debian");
    let include = "--include=g++,libc6-dev,pkg-config";
    ran(Command::new("mmdebstrap").args(["--quiet", "--variant=apt", include, "bookworm"]).arg(&debian));
    for file in packages()
        .iter()
        .chain(&[root().join("examples/c/minimal.c"), root().join("examples/cpp/minimal.cpp")])
    {
        fs::copy(file, debian.join("tmp").join(file.file_name().unwrap())).unwrap();
    }
    let before = files(&debian);
    let there = |command: &str| {
        let mut chroot = Command::new("chroot");
        chroot.arg(&debian).args(["/bin/sh", "-euc", &format!("cd /tmp && {command}")]);
        chroot.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        chroot
    };
    ran(&mut there("apt-get -qq install ./libfeast-remote*.deb"));
    ran(&mut there("cc -Wall -Werror -o shared minimal.c $(pkg-config --cflags --libs feast_remote)"));
    ran(&mut there(
        "cc -Wall -Werror -o static minimal.c $(pkg-config --cflags --libs --static feast_remote | \
         sed s/-lfeast_remote/-l:libfeast_remote.a/)",
    ));
    ran(&mut there(
        "c++ -std=c++17 -Wall -Werror -o cpp minimal.cpp $(pkg-config --cflags --libs feast_remote)",
    ));

    let feast = Feast::serve(&[]);
    // There is no /etc/hosts.
    let url = feast.url().replace("localhost", "127.0.0.1");
    let trips = value("1001", "avg_daily_trips");
    let prints_features = |output: &Output| {
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(printed.contains(&trips), "{printed}");
    };
    for program in ["shared", "static", "cpp"] {
        prints_features(&ran(&mut there(&format!("./{program} {url}"))));
    }

    // Without the development files, then without the library.
    ran(&mut there("apt-get -qq purge libfeast-remote-dev"));
    prints_features(&ran(&mut there(&format!("./shared {url}"))));
    ran(&mut there("apt-get -qq purge libfeast-remote0"));
    let output = there(&format!("./shared {url}")).output().unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("libfeast_remote.so.0: cannot open shared object")
    );
    prints_features(&ran(&mut there(&format!("./static {url}"))));
    ran(&mut there("rm shared static cpp"));
    assert_eq!(files(&debian), before);
    fs::remove_dir_all(debian).unwrap();
}

/// Where packages put files.
fn files(debian: &Path) -> String {
    let output = ran(Command::new("find").args(["usr", "etc", "opt", "tmp"]).current_dir(debian));
    let mut lines: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}
