//! The library as `make install` installs it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use super::paths::{library, root, scratch, target};

/// Runs a command that must succeed.
pub fn ran(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let text = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{command:?}: {text}");
    output
}

/// `make install` or `make uninstall`.
pub fn make(target: &str, destination: &Path, prefix: &str) {
    ran(Command::new("make")
        .current_dir(root())
        .args(["-s", target, &format!("DESTDIR={}", destination.display()), &format!("PREFIX={prefix}")])
        .arg(format!("SO={}", library().display())));
}

/// Compiled classes, and what runs them.
pub struct Java {
    runtime: PathBuf,
    class_path: OsString,
    library: PathBuf,
}

impl Java {
    /// To run this class.
    pub fn command(&self, class: &str) -> Command {
        let mut command = Command::new(&self.runtime);
        command
            .args(["--enable-native-access=ALL-UNNAMED", "-Xcheck:jni", "-ea", "-cp"])
            .arg(&self.class_path)
            .arg(format!("-Dfeast.remote.library={}", self.library.display()))
            .arg(class);
        command
    }
}

/// The prefix that Go's programs are linked from.
static GO_PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
    let prefix = target().join("tmp/go-installed");
    make("install", Path::new(""), prefix.to_str().unwrap());
    prefix
});

/// A prefix with the library in it.
pub struct Installed {
    pub prefix: PathBuf,
}

impl Installed {
    pub fn new() -> Installed {
        let prefix = scratch().join("usr");
        make("install", Path::new(""), prefix.to_str().unwrap());
        Installed { prefix }
    }

    /// What pkg-config says.
    pub fn pkg_config(&self, arguments: &[&str]) -> Vec<String> {
        let mut command = Command::new("pkg-config");
        command.args(arguments).arg("feast_remote").env("PKG_CONFIG_PATH", self.prefix.join("lib/pkgconfig"));
        let text = String::from_utf8(ran(&mut command).stdout).unwrap();
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// Compiles one of the project's C++ examples as its users would, every warning an error.
    pub fn cpp(&self, source: &str) -> PathBuf {
        let source = root().join(source);
        let program = scratch().join(source.file_stem().unwrap());
        ran(Command::new("c++")
            .args(["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread", "-o"])
            .arg(&program)
            .arg(source)
            .args(self.pkg_config(&["--cflags", "--libs"]))
            .arg(self.rpath()));
        program
    }

    /// Runs `go` in one of the project's folders, where the module is without its libraries. What pkg-config says stays in Go's cache,
    /// so it names a folder that is the same each time.
    pub fn go(&self, folder: &str, arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_first().unwrap();
        ran(Command::new("go")
            .args([command, "-tags=feast_remote_system"])
            .args(rest)
            .current_dir(root().join(folder))
            .env("PKG_CONFIG_PATH", GO_PREFIX.join("lib/pkgconfig"))
            .env("LD_LIBRARY_PATH", self.library_path()))
    }

    /// For programs that do not know where the library is.
    pub fn library_path(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    /// Compiles Java sources and folders of the project, every warning an error.
    pub fn java(&self, sources: &[&str]) -> Java {
        let java = target().join("java");
        assert!(java.join("jars").exists(), "run `make env` (`make test` does)");
        let runtime = java.join("home/bin/java");
        let jars: Vec<_> = fs::read_dir(java.join("jars")).unwrap().map(|jar| jar.unwrap().path()).collect();
        let is_compiler = |jar: &&PathBuf| jar.file_name().unwrap().to_str().unwrap().starts_with("ecj");
        let compiler = jars.iter().find(is_compiler).unwrap().clone();
        let classes = scratch();
        let class_path = std::env::join_paths(jars.iter().chain([&classes])).unwrap();
        ran(Command::new(&runtime)
            .args(["-jar", compiler.to_str().unwrap(), "-source", "22", "-target", "22"])
            .args(["-warn:-resource", "-failOnWarning"])
            .args(["-cp", class_path.to_str().unwrap(), "-d", classes.to_str().unwrap()])
            .args(sources.iter().map(|source| root().join(source))));
        Java { runtime, class_path, library: self.prefix.join("lib/libfeast_remote.so") }
    }

    /// For programs that are linked with it and run where they were built.
    pub fn rpath(&self) -> String {
        format!("-Wl,-rpath,{}", self.prefix.join("lib").display())
    }
}
