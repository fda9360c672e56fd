//! The library as `make install` installs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::paths::{library, root, scratch};

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

    /// For programs that are linked with it and run where they were built.
    pub fn rpath(&self) -> String {
        format!("-Wl,-rpath,{}", self.prefix.join("lib").display())
    }
}
