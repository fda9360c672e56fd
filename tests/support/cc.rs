//! C programs against the header and the release library.

use std::path::PathBuf;
use std::process::Command;

use super::paths::{library_folder, root, scratch};

/// Links with the shared library.
pub fn compile(source: &str) -> PathBuf {
    let folder = library_folder();
    let rpath = format!("-Wl,-rpath,{}", folder.display());
    compile_with(source, &["-L", folder.to_str().unwrap(), "-lfeast_remote", &rpath])
}

/// Compiles one of the project's C files, every warning an error.
pub fn compile_with(source: &str, link: &[&str]) -> PathBuf {
    let source = root().join(source);
    let program = scratch().join(source.file_stem().unwrap());
    let output = Command::new("cc")
        .args(["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread", "-I"])
        .arg(root().join("include"))
        .arg("-o")
        .arg(&program)
        .arg(&source)
        .args(link)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&output.stderr));
    program
}
