//! Where things are.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The committed header.
pub fn header() -> PathBuf {
    root().join("include/feast_remote.h")
}

/// The folder of the release library that `make build` has built.
pub fn library_folder() -> PathBuf {
    let folder = target().join("release");
    assert!(folder.join("libfeast_remote.so.0").exists(), "run `make build` first (`make test` does)");
    folder
}

/// The shared library.
pub fn library() -> PathBuf {
    library_folder().join("libfeast_remote.so")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// A new empty folder for one test.
pub fn scratch() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
