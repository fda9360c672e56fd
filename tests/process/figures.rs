//! What this process holds, as Linux counts it (proc(5)).

use std::fs;

fn status(field: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
}

/// Memory that is resident now.
pub fn resident_bytes() -> usize {
    status("VmRSS") * 1024
}

/// Open file descriptors.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count() - 1 // the listing's own
}

/// The names of the threads that run now.
pub fn threads() -> Vec<String> {
    let name = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("comm")).ok();
    fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|entry| name(entry.ok()?))
        .map(|name| name.trim_end().to_owned())
        .collect()
}
