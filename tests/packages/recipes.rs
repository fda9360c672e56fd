//! Conan's recipe and vcpkg's port, which build the sources as they are packed, and programs that use what came of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::feast::Feast;
use crate::support::installed::ran;
use crate::support::paths::{root, scratch, target};
use crate::value;

fn laid_out(folder: &str) -> PathBuf {
    let folder = target().join("packages").join(folder);
    assert!(folder.exists(), "{} is missing: `make packages` makes it", folder.display());
    folder
}

/// A project that finds the package by CMake.
fn project() -> PathBuf {
    let project = scratch();
    let lines = "cmake_minimum_required(VERSION 3.15)\nproject(program C)\nfind_package(FeastRemote CONFIG REQUIRED)\n\
                 add_executable(program minimal.c)\ntarget_link_libraries(program FeastRemote::feast_remote)\n";
    fs::write(project.join("CMakeLists.txt"), lines).unwrap();
    fs::copy(root().join("examples/c/minimal.c"), project.join("minimal.c")).unwrap();
    project
}

fn fetches(program: &Path, feast: &Feast) {
    let output = ran(Command::new(program).arg(feast.url()));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.starts_with(&format!("{} trips a day", value("1001", "avg_daily_trips"))), "{printed}");
}

fn links_the_shared_library(program: &Path) -> bool {
    let output = ran(Command::new("readelf").arg("-d").arg(program));
    String::from_utf8_lossy(&output.stdout).contains("libfeast_remote.so.0")
}

#[test]
#[ignore = "make test-packages runs it"]
fn conan_builds_the_recipe_and_a_program_uses_it() {
    let home = scratch();
    let conan = |arguments: &[&str], folder: &Path| {
        ran(Command::new(target().join("conan-venv/bin/conan"))
            .args(arguments)
            .current_dir(folder)
            .env("CONAN_HOME", &home)
            .env_remove("CARGO_TARGET_DIR"))
    };
    conan(&["profile", "detect"], &home);
    let feast = Feast::serve(&[]);
    // Conan leaves what it builds of the recipe's test beside it.
    let recipe = scratch().join("recipe");
    ran(Command::new("cp").arg("-r").arg(laid_out("conan")).arg(&recipe));
    for shared in ["True", "False"] {
        let option = format!("feast_remote/*:shared={shared}");
        conan(&["create", ".", "-o", &option], &recipe); // with its test_package
        let project = project();
        let wanted = format!(
            "[requires]\nfeast_remote/{}\n[generators]\nCMakeDeps\nCMakeToolchain\n",
            env!("CARGO_PKG_VERSION")
        );
        fs::write(project.join("conanfile.txt"), wanted).unwrap();
        conan(&["install", ".", "--output-folder=build", "-o", &option], &project);
        ran(Command::new("cmake")
            .args([
                "-S",
                ".",
                "-B",
                "build",
                "-DCMAKE_TOOLCHAIN_FILE=conan_toolchain.cmake",
                "-DCMAKE_BUILD_TYPE=Release",
            ])
            .current_dir(&project));
        ran(Command::new("cmake").args(["--build", "build"]).current_dir(&project));
        let program = project.join("build/program");
        assert_eq!(links_the_shared_library(&program), shared == "True");
        fetches(&program, &feast);
    }
    fs::remove_dir_all(home).unwrap();
}

#[test]
#[ignore = "make test-packages runs it, with VCPKG_ROOT set"]
fn vcpkg_builds_the_port_and_a_program_uses_it() {
    let vcpkg = PathBuf::from(std::env::var_os("VCPKG_ROOT").expect("VCPKG_ROOT names a clone of vcpkg"));
    let feast = Feast::serve(&[]);
    let ports = laid_out("vcpkg");
    // vcpkg's triplets for Linux: static libraries, and shared ones.
    for triplet in ["x64-linux", "x64-linux-dynamic"] {
        let (project, work) = (project(), scratch());
        ran(Command::new(vcpkg.join("vcpkg"))
            .args(["install", "feast-remote", "--classic", "--triplet", triplet, "--host-triplet", triplet])
            .arg(format!("--overlay-ports={}", ports.display()))
            .args(
                ["install", "packages", "buildtrees"]
                    .map(|kind| format!("--x-{kind}-root={}/{kind}", work.display())),
            )
            .args(["--binarysource=clear"])
            .env("VCPKG_FORCE_SYSTEM_BINARIES", "1")
            .env("VCPKG_DISABLE_METRICS", "1")
            .env_remove("CARGO_TARGET_DIR")
            .env("VCPKG_ROOT", &vcpkg));
        ran(Command::new("cmake")
            .args(["-S", ".", "-B", "build"])
            .arg(format!("-DCMAKE_PREFIX_PATH={}/install/{triplet}", work.display()))
            .current_dir(&project));
        ran(Command::new("cmake").args(["--build", "build"]).current_dir(&project));
        let program = project.join("build/program");
        assert_eq!(links_the_shared_library(&program), triplet == "x64-linux-dynamic");
        fetches(&program, &feast);
        fs::remove_dir_all(work).unwrap();
    }
}
