//! The binary interface: its description in `abi/` is that of today's header, and a program built against the first header
//! runs with today's library. (That the library exports the header's functions is shown in `header.rs`.)

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cc::{compile_with, passed};
use crate::support::installed::ran;
use crate::support::paths::{header, library_folder, root, scratch};
use crate::support::server::{Server, Step, answer};

/// A library of C with the header's functions and nothing in them: what libabigail reads of its types is exactly what the
/// header promises, while the Rust library's would show how opaque objects look inside.
fn library_of_the_header(folder: &Path) -> PathBuf {
    let text = fs::read_to_string(header()).unwrap();
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
    let (file, library) = (folder.join("header.c"), folder.join("libheader.so"));
    fs::write(&file, source).unwrap();
    // From within the folder, whose name then stands nowhere.
    ran(Command::new("cc")
        .args([
            "-g",
            "-shared",
            "-fPIC",
            "-Wall",
            "-Werror",
            "-Wno-unused-parameter",
            "-o",
            "libheader.so",
            "header.c",
            "-I",
        ])
        .arg(root().join("include"))
        .current_dir(folder));
    library
}

#[test]
fn the_description_of_the_interface_is_the_committed_one() {
    let folder = scratch();
    let library = library_of_the_header(&folder);
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

/// libabigail does not see macros.
#[test]
fn no_number_of_the_first_header_has_changed() {
    let numbers = |path: PathBuf| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        let is_number = |line: &&str| {
            line.starts_with("#define FEAST_") && !line.contains("VERSION") && line.contains(' ')
        };
        text.lines()
            .filter(is_number)
            .filter(|line| line.split(' ').count() == 3)
            .map(str::to_owned)
            .collect()
    };
    let (first, today) = (numbers(root().join("abi/0.1.0/feast_remote.h")), numbers(header()));
    assert!(first.len() > 45);
    for number in first {
        assert!(today.contains(&number), "{number}");
    }
}

#[test]
fn an_incompatible_change_would_be_found() {
    let folder = scratch();
    let library = library_of_the_header(&folder);
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
