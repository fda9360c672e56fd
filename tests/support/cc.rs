//! C programs against the header and the release library.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::paths::{library_folder, root, scratch};

/// Links with the shared library; under `make asan` with an archive that has AddressSanitizer in it.
pub fn compile(source: &str) -> PathBuf {
    if let Some(archive) = sanitized() {
        // rustc's runtime, not the C compiler's: it must be the one that the archive was compiled for.
        let runtime = std::env::var("FEAST_SANITIZER_RUNTIME").unwrap();
        let whole =
            [&archive, "-Wl,--whole-archive", &runtime, "-Wl,--no-whole-archive", "-rdynamic", "-ldl", "-lm"];
        return compile_with(source, &whole);
    }
    let folder = library_folder();
    let rpath = format!("-Wl,-rpath,{}", folder.display());
    compile_with(source, &["-L", folder.to_str().unwrap(), "-lfeast_remote", &rpath])
}

/// Compiles one of the project's C or C++ files, every warning an error.
pub fn compile_with(source: &str, link: &[&str]) -> PathBuf {
    let source = root().join(source);
    let program = scratch().join(source.file_stem().unwrap());
    let is_cpp = source.extension().is_some_and(|extension| extension == "cpp");
    let (compiler, standard) = if is_cpp { ("c++", "-std=c++17") } else { ("cc", "-std=c11") };
    let output = Command::new(compiler)
        .args([standard, "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread", "-I"])
        .arg(root().join("include"))
        .arg("-I")
        .arg(root().join("bindings/cpp/include"))
        .arg("-o")
        .arg(&program)
        .arg(&source)
        .args(link)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&output.stderr));
    program
}

const MEMCHECK: [&str; 6] = [
    "valgrind",
    "--quiet",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect,possible",
    "--error-exitcode=99",
    "--track-fds=no",
];

/// The archive that `make asan` has built, if the tests are run by it.
pub fn sanitized() -> Option<String> {
    std::env::var("FEAST_SANITIZED_ARCHIVE").ok()
}

/// A program as it is, or under valgrind's memcheck.
pub fn command(program: &Path, memcheck: bool) -> Command {
    if !memcheck {
        return Command::new(program);
    }
    let mut command = Command::new(MEMCHECK[0]);
    command.args(&MEMCHECK[1..]).arg(program);
    command
}

/// Whether to run under memcheck: without and with. Not with a sanitizer, which does not get along with it.
pub fn plain_and_memcheck() -> &'static [bool] {
    if sanitized().is_some() { &[false] } else { &[false, true] }
}

/// It succeeded and printed no complaint.
pub fn passed(name: &str, output: &Output) {
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{printed}", output.status);
    assert!(printed.is_empty(), "{name} printed: {printed}");
}

/// Runs a program both ways: nothing may fail, be printed, be lost or touched that is not its own.
pub fn passes_plain_and_under_memcheck(program: &Path, arguments: &[&str]) {
    for &memcheck in plain_and_memcheck() {
        let output = command(program, memcheck).args(arguments).output().unwrap();
        passed(&program.to_string_lossy(), &output);
    }
}
