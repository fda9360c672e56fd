//! The rooms of `src`, one above the other, and the files of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::paths::root;

/// From the ground up: each knows only those before it.
const ROOMS: [&str; 14] = [
    "timing",
    "server_name",
    "error",
    "policy",
    "process",
    "observe",
    "config",
    "columns",
    "wire",
    "transport",
    "servers",
    "auth",
    "remote",
    "ffi",
];

/// The modules of a folder, with their sources without tests.
fn modules(folder: &Path, path: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let module = match name {
            "mod" => path.to_owned(),
            _ if path.is_empty() => name.to_owned(),
            _ => format!("{path}::{name}"),
        };
        if file.is_dir() {
            modules(&file, &module, found);
        } else if name != "tests" && name != "lib" {
            let source = fs::read_to_string(&file).unwrap();
            let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            found.insert(module, shipped);
        }
    }
}

/// The paths that a module's `use` lines name, one for each name within braces.
fn uses(source: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for statement in source.split(';') {
        let Some(at) = statement.rfind("use ").filter(|at| !statement[*at..].contains("//")) else {
            continue;
        };
        let mut tree = String::new();
        let mut words = statement[at + 4..].split_whitespace();
        while let Some(word) = words.next() {
            match word {
                // The other name does not matter, what comes behind it does.
                "as" => tree.extend(words.next().unwrap().chars().filter(|c| ",}".contains(*c))),
                _ => tree.push_str(word),
            }
        }
        if tree.starts_with("crate::") || tree.starts_with("super::") {
            expand("", &tree, &mut paths);
        }
    }
    paths
}

fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else { return paths.push(format!("{before}{tree}")) };
    let (mut depth, mut start) = (0, 0);
    let inside = rest.strip_suffix('}').unwrap();
    for (at, byte) in inside.bytes().chain([b',']).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                if at > start {
                    expand(&format!("{before}{head}"), &inside[start..at], paths);
                }
                start = at + 1;
            }
            _ => (),
        }
    }
}

/// Which modules each one uses, but for those that it is inside of or that are inside of it.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    modules(&root().join("src"), "", &mut found);
    let used_by = |module: &str, source: &str| {
        let mut used = BTreeSet::new();
        for path in uses(source) {
            let mut names: Vec<&str> = module.split("::").collect();
            let mut rest: Vec<&str> = path.split("::").collect();
            if rest[0] == "crate" {
                names.clear();
                rest.remove(0);
            }
            while rest.first() == Some(&"super") {
                names.pop();
                rest.remove(0);
            }
            names.extend(rest);
            // What is left of it when the names of items are taken off.
            while !names.is_empty() && !found.contains_key(&names.join("::")) {
                names.pop();
            }
            let other = names.join("::");
            let within = |inner: &str, outer: &str| inner.starts_with(&format!("{outer}::"));
            if !other.is_empty() && other != module && !within(module, &other) && !within(&other, module) {
                used.insert(other);
            }
        }
        used
    };
    found.iter().map(|(module, source)| (module.clone(), used_by(module, source))).collect()
}

#[test]
fn a_room_knows_only_the_rooms_below_it() {
    let floor = |module: &str| {
        let room = module.split("::").next().unwrap();
        ROOMS.iter().position(|known| *known == room).unwrap_or_else(|| panic!("no room {room}"))
    };
    let graph = graph();
    assert!(graph.len() > 100, "{}", graph.len());
    for (module, used) in &graph {
        for other in used {
            assert!(floor(other) <= floor(module), "{module} uses {other}, which is above it");
        }
    }
}

#[test]
fn no_two_files_use_each_other() {
    let mut graph = graph();
    // Those that use nothing that is left are taken away, until none is left or they go round in a circle.
    loop {
        let free: Vec<String> =
            graph.iter().filter(|(_, used)| used.is_empty()).map(|(module, _)| module.clone()).collect();
        if free.is_empty() {
            break;
        }
        for module in free {
            graph.remove(&module);
            graph.values_mut().for_each(|used| {
                used.remove(&module);
            });
        }
    }
    assert!(graph.is_empty(), "in a circle, or above one: {graph:#?}");
}
