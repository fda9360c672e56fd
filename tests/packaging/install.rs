//! `make install` into an empty folder, and the ways from there to a program that runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::installed::{Installed, make, ran};
use crate::support::paths::{root, scratch};
use crate::support::server::{Server, say};

/// What examples/c/minimal.c asks for.
fn server() -> Server {
    Server::start(|_| {
        say(
            200,
            r#"{"results":[{"values":[1001,1002]},{"values":[0.5,0.25]},{"values":[17,18]}],
                "metadata":{"feature_names":["driver_id","conv_rate","avg_daily_trips"]}}"#,
        )
    })
}

/// The files below a folder, without it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn prints_features(program: &Path, server: &Server) {
    let output = ran(Command::new(program).arg(server.url()));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.starts_with("17 trips a day, conversion rate 0.500000\n"), "{printed}");
}

#[test]
fn what_is_installed_is_what_is_listed_and_is_uninstalled() {
    let folder = scratch();
    make("install", &folder, "/opt/feast");
    let version = env!("CARGO_PKG_VERSION");
    let library = format!("opt/feast/lib/libfeast_remote.so.{version}");
    assert_eq!(
        files(&folder),
        [
            "opt/feast/include/feast_remote.h",
            "opt/feast/include/feast_remote.hpp",
            "opt/feast/include/feast_remote/arrow.hpp",
            "opt/feast/include/feast_remote/config.hpp",
            "opt/feast/include/feast_remote/coroutine.hpp",
            "opt/feast/include/feast_remote/detail.hpp",
            "opt/feast/include/feast_remote/error.hpp",
            "opt/feast/include/feast_remote/frame.hpp",
            "opt/feast/include/feast_remote/futures.hpp",
            "opt/feast/include/feast_remote/log.hpp",
            "opt/feast/include/feast_remote/queue.hpp",
            "opt/feast/include/feast_remote/remote.hpp",
            "opt/feast/include/feast_remote/request.hpp",
            "opt/feast/include/feast_remote/response.hpp",
            "opt/feast/include/feast_remote/search.hpp",
            "opt/feast/include/feast_remote/statistics.hpp",
            "opt/feast/include/feast_remote/tensor.hpp",
            "opt/feast/include/feast_remote/version.hpp",
            "opt/feast/include/feast_remote/view.hpp",
            "opt/feast/include/feast_remote/write.hpp",
            "opt/feast/lib/cmake/FeastRemote/FeastRemoteConfig.cmake",
            "opt/feast/lib/cmake/FeastRemote/FeastRemoteConfigVersion.cmake",
            "opt/feast/lib/libfeast_remote.a",
            "opt/feast/lib/libfeast_remote.so",
            "opt/feast/lib/libfeast_remote.so.0",
            &library,
            "opt/feast/lib/pkgconfig/feast_remote.pc",
        ]
    );
    make("uninstall", &folder, "/opt/feast");
    assert!(files(&folder).is_empty(), "{:?}", files(&folder));
}

#[test]
fn pkg_config_leads_to_a_shared_and_a_static_program() {
    let server = server();
    let folder = scratch();
    let installed = Installed::new();
    assert_eq!(installed.pkg_config(&["--modversion"]), [env!("CARGO_PKG_VERSION")]);
    let source = root().join("examples/c/minimal.c");
    let lib = installed.prefix.join("lib");
    let shared = folder.join("shared");
    ran(Command::new("cc")
        .arg(&source)
        .args(installed.pkg_config(&["--cflags", "--libs"]))
        .arg(installed.rpath())
        .arg("-o")
        .arg(&shared));
    prints_features(&shared, &server);
    // The archive in place of -lfeast_remote.
    let fixed = folder.join("static");
    let libraries =
        installed.pkg_config(&["--static", "--libs"]).into_iter().map(|flag| match flag.as_str() {
            "-lfeast_remote" => lib.join("libfeast_remote.a").to_str().unwrap().to_owned(),
            _ => flag,
        });
    ran(Command::new("cc")
        .arg(&source)
        .args(installed.pkg_config(&["--cflags"]))
        .args(libraries)
        .arg("-o")
        .arg(&fixed));
    fs::remove_dir_all(&lib).unwrap();
    prints_features(&fixed, &server);
}

#[test]
fn cmake_finds_the_package_wherever_it_was_moved_to() {
    let server = server();
    let folder = scratch();
    let installed = folder.join("installed");
    make("install", Path::new(""), installed.to_str().unwrap());
    let moved = folder.join("moved");
    fs::rename(&installed, &moved).unwrap();
    let version = env!("CARGO_PKG_VERSION").rsplit_once('.').unwrap().0;
    fs::write(
        folder.join("CMakeLists.txt"),
        format!(
            "cmake_minimum_required(VERSION 3.13)\nproject(program C)\n\
             find_package(FeastRemote {version} REQUIRED)\n\
             foreach(kind feast_remote feast_remote_static)\n\
             add_executable(with_${{kind}} {})\n\
             target_link_libraries(with_${{kind}} FeastRemote::${{kind}})\nendforeach()\n\
             foreach(other 0.1 0.99 1.0)\n\
             find_package(FeastRemote ${{other}} QUIET)\n\
             if(FeastRemote_FOUND)\nmessage(FATAL_ERROR \"another minor version fits\")\nendif()\nendforeach()\n",
            root().join("examples/c/minimal.c").display()
        ),
    )
    .unwrap();
    let build = folder.join("build");
    ran(Command::new("cmake")
        .arg("-S")
        .arg(&folder)
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", moved.display())));
    ran(Command::new("cmake").arg("--build").arg(&build));
    prints_features(&build.join("with_feast_remote"), &server);
    prints_features(&build.join("with_feast_remote_static"), &server);
}

#[test]
fn the_tarball_is_whole_and_serves_wherever_it_is_unpacked() {
    let server = server();
    let folder = scratch();
    let packages = folder.join("packages");
    ran(Command::new("make")
        .args(["-s", "dist"])
        .current_dir(root())
        .env("NATIVES", folder.join("natives"))
        .env("PACKAGES", &packages));
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let tarball = packages.join(format!("feast_remote-{}-{host}.tar.gz", env!("CARGO_PKG_VERSION")));
    let sums = ran(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&packages)).stdout;
    let name = tarball.file_name().unwrap().to_str().unwrap();
    assert!(String::from_utf8_lossy(&sums).contains(&format!("{name}: OK\n")));
    let unpacked = folder.join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    ran(Command::new("tar")
        .args(["-xzf", tarball.to_str().unwrap(), "--strip-components=1", "-C"])
        .arg(&unpacked));
    ran(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&unpacked));
    let listed = fs::read_to_string(unpacked.join("SHA256SUMS")).unwrap();
    for file in ["LICENSE", "THIRD_PARTY.md", "include/feast_remote.h", "lib/libfeast_remote.a"] {
        assert!(listed.lines().any(|line| line.ends_with(&format!("  {file}"))), "{listed}");
    }
    let megabytes = |file: &str| fs::metadata(unpacked.join(file)).unwrap().len() as f64 / 1e6;
    println!(
        "libfeast_remote.so {:.2} MB",
        megabytes(&format!("lib/libfeast_remote.so.{}", env!("CARGO_PKG_VERSION")))
    );

    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "feast_remote"])
        .env("PKG_CONFIG_PATH", unpacked.join("lib/pkgconfig"))
        .output()
        .unwrap();
    let flags = String::from_utf8(flags.stdout).unwrap();
    let program = folder.join("program");
    ran(Command::new("cc")
        .arg(root().join("examples/c/minimal.c"))
        .args(flags.split_whitespace())
        .arg(format!("-Wl,-rpath,{}", unpacked.join("lib").display()))
        .arg("-o")
        .arg(&program));
    prints_features(&program, &server);
}
