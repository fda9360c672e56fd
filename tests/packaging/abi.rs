//! The binary interface: its description in `abi/` is that of today's header, and what was built against an earlier header,
//! which `abi/` keeps, runs with today's library. (That the library exports the header's functions is shown in `header.rs`.)

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::header::program_of_the_manual;
use crate::support::cc::{compile_with, passed};
use crate::support::installed::ran;
use crate::support::paths::{header, library_folder, root, scratch};
use crate::support::server::{Server, Step, answer, say};

/// The folders in `abi/` of versions before today's.
fn earlier_versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("abi")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir() && !path.ends_with(env!("CARGO_PKG_VERSION"))).collect()
}

/// A library of C with the functions of the header in a folder and nothing in them: what libabigail reads of its types is exactly
/// what the header promises, while the Rust library's would show how opaque objects look inside.
fn library_of_the_header(header: &Path, folder: &Path, flags: &[&str]) -> PathBuf {
    let text = fs::read_to_string(header.join("feast_remote.h")).unwrap();
    let mut source = "#include <feast_remote.h>\n#include <stdlib.h>\n".to_owned();
    for block in text.split("*/") {
        let declaration = block.split("/**").next().unwrap().trim();
        let is_function = declaration.contains(" feast_") || declaration.contains("*feast_");
        if let Some((function, _)) = declaration.split_once(");")
            && is_function
            && !["typedef", "/*", "#"].iter().any(|other| declaration.starts_with(other))
        {
            source.push_str(&format!("{function}) {{ abort(); }}\n"));
        }
    }
    assert!(source.matches("abort").count() > 60, "the functions are found");
    fs::write(folder.join("header.c"), source).unwrap();
    // From within the folder, whose name then stands nowhere.
    ran(Command::new("cc")
        .args(["-g", "-shared", "-fPIC", "-Wall", "-Werror", "-Wno-unused-parameter"])
        .args(["-o", "libheader.so", "header.c", "-I"])
        .arg(header)
        .args(flags)
        .current_dir(folder));
    folder.join("libheader.so")
}

#[test]
fn the_description_of_the_interface_is_the_committed_one() {
    let folder = scratch();
    let library = library_of_the_header(&root().join("include"), &folder, &[]);
    let (committed, today) = (root().join("abi/libfeast_remote.abi"), folder.join("today.abi"));
    // Nothing of this machine, such as paths, in the file.
    ran(Command::new("abidw")
        .args([
            "--no-corpus-path",
            "--no-comp-dir-path",
            "--no-show-locs",
            "--no-parameter-names",
            "--out-file",
        ])
        .arg(&today)
        .arg(&library));
    if std::env::var_os("FEAST_GENERATE").is_some() {
        fs::copy(&today, &committed).unwrap();
    }
    let output = Command::new("abidiff").arg(&committed).arg(&today).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}\nif that is meant: `make generate`, and say so in CHANGELOG.md"
    );
}

#[test]
fn nothing_of_an_earlier_header_has_changed() {
    let today = library_of_the_header(&root().join("include"), &scratch(), &[]);
    let todays_numbers = numbers(&header());
    assert!(!earlier_versions().is_empty());
    for earlier in earlier_versions() {
        let library = library_of_the_header(&earlier, &scratch(), &[]);
        let output =
            Command::new("abidiff").arg("--no-added-syms").args([&library, &today]).output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {report}", earlier.display());
        // libabigail does not see macros.
        let earlier = numbers(&earlier.join("feast_remote.h"));
        assert!(earlier.len() > 45);
        for number in earlier {
            assert!(todays_numbers.contains(&number), "{number}");
        }
    }
}

/// The macros of a header that are numbers, without its version.
fn numbers(header: &Path) -> Vec<String> {
    let text = fs::read_to_string(header).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("#define FEAST_") && !line.contains("VERSION"));
    lines.filter(|line| line.split(' ').count() == 3).map(str::to_owned).collect()
}

#[test]
fn an_incompatible_change_would_be_found() {
    let folder = scratch();
    let library = library_of_the_header(&root().join("include"), &folder, &[]);
    let source = fs::read_to_string(folder.join("header.c")).unwrap();
    let changed = source.replace(
        "feast_response_num_rows(const feast_response_t *response)",
        "feast_response_num_rows(int response)",
    );
    assert_ne!(source, changed);
    // Its prototype would be in the way.
    let changed = changed.replace(
        "#include <feast_remote.h>",
        "#define feast_response_num_rows other\n#include <feast_remote.h>\n#undef feast_response_num_rows",
    );
    let (file, other) = (folder.join("changed.c"), folder.join("libchanged.so"));
    fs::write(&file, changed).unwrap();
    ran(Command::new("cc")
        .args(["-g", "-shared", "-fPIC", "-I"])
        .arg(root().join("include"))
        .arg("-o")
        .arg(&other)
        .arg(&file));
    let output = Command::new("abidiff").arg(&library).arg(&other).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && report.contains("feast_response_num_rows"), "{report}");
}

#[test]
fn programs_built_against_the_first_header_run_with_todays_library() {
    let folder = library_folder();
    let rpath = format!("-Wl,-rpath,{}", folder.display());
    // Included first, it keeps today's header out by its guard.
    let first = root().join("abi/0.1.0/feast_remote.h");
    let link =
        ["-include", first.to_str().unwrap(), "-L", folder.to_str().unwrap(), "-lfeast_remote", &rpath];
    let (healthy, stalling) = (Server::start(answer), Server::start(|_| vec![Step::Stall]));
    for source in ["tests/programs/c/bad_input.c", "tests/programs/c/async.c"] {
        let output =
            Command::new(compile_with(source, &link)).args([healthy.url(), stalling.url()]).output().unwrap();
        passed(source, &output);
    }
}

/// Linked with a library that has the functions which that header has, and no more.
#[test]
fn programs_linked_with_an_earlier_version_run_with_todays_library() {
    let server = Server::start(|_| {
        say(
            200,
            r#"{"results":[{"values":[1001,1002]},{"values":[17,18]}],
                "metadata":{"feature_names":["driver_id","avg_daily_trips"]}}"#,
        )
    });
    for earlier in earlier_versions() {
        let folder = scratch();
        let library = library_of_the_header(&earlier, &folder, &["-Wl,-soname,libfeast_remote.so.0"]);
        let text = fs::read_to_string(earlier.join("feast_remote.h")).unwrap();
        let program = program_of_the_manual(&text);
        assert!(program.contains("http://localhost:6566"));
        // It tells which versions have met.
        let program = program.replace("http://localhost:6566", &server.url()).replace(
            "return 0;",
            r#"printf("%u %u\n", FEAST_VERSION_NUMBER, feast_version_number()); return 0;"#,
        );
        fs::write(folder.join("program.c"), program).unwrap();
        ran(Command::new("cc")
            .args(["-Wall", "-Wextra", "-Werror", "-o", "program", "program.c", "-I"])
            .args([&earlier, &library])
            .current_dir(&folder));
        let run = |library_path: &Path| {
            Command::new(folder.join("program")).env("LD_LIBRARY_PATH", library_path).output().unwrap()
        };
        let output = run(&library_folder());
        passed("the manual's program", &output);
        let versions: Vec<u32> = earlier
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect();
        let theirs = versions[0] * 1_000_000 + versions[1] * 1000 + versions[2];
        let ours = feast_remote::ffi::FEAST_VERSION_NUMBER;
        assert!(theirs < ours);
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("17 18\n{theirs} {ours}\n"));
    }
}
