//! THIRD_PARTY.md: what is linked into the library, and under which licences.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::ran;
use crate::support::paths::root;
use serde_json::Value;

const HEAD: &str = "# What is linked into libfeast_remote

Generated from the crates that are built in (`make generate`). What is offered under Apache-2.0 is used under that licence,
the library's own, whose text is in [LICENSE](LICENSE). The texts of the other licences follow. The shared libraries of `make packages PLATFORMS=all` also
have LLVM's libunwind inside, under Apache-2.0 WITH LLVM-exception, which asks for no notice.

| component | version | licence |
|---|---|---|
";

fn cargo(arguments: &[&str]) -> String {
    let output =
        ran(Command::new(env!("CARGO")).args(arguments).args(["--locked", "--offline"]).current_dir(root()));
    String::from_utf8(output.stdout).unwrap()
}

fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Name, version and licence of each crate whose code is in the library.
fn linked_in() -> Vec<(String, String, String)> {
    let host = host();
    let edges = [
        "tree",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p} {l}",
        "--target",
        &host,
    ];
    let mut crates: Vec<(String, String, String)> = cargo(&edges)
        .lines()
        .map(|line| {
            let mut words = line.trim_end_matches(" (*)").splitn(3, ' ');
            let mut next = || words.next().unwrap().to_owned();
            (next(), next().trim_start_matches('v').to_owned(), next())
        })
        .filter(|(name, ..)| name != env!("CARGO_PKG_NAME"))
        .collect();
    crates.sort();
    crates.dedup();
    assert!(crates.len() > 15, "{crates:?}");
    crates
}

/// Where the sources of all crates are, by name and version.
fn sources() -> BTreeMap<(String, String), PathBuf> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--filter-platform", &host()]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned();
            ((text(&package["name"]), text(&package["version"])), folder)
        })
        .collect()
}

fn generated() -> String {
    let (sources, mut table, mut texts) = (sources(), HEAD.to_owned(), String::new());
    let mut add = |name: &str, version: &str, licence: &str, file: Option<PathBuf>| {
        table.push_str(&format!("| {name} | {version} | {licence} |\n"));
        if let Some(file) = file {
            let text =
                fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            texts.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", text.replace("\r\n", "\n").trim()));
        }
    };
    for (name, version, licence) in linked_in() {
        let folder = &sources[&(name.clone(), version.clone())];
        let own =
            ["LICENSE-MIT", "LICENSE"].map(|file| folder.join(file)).into_iter().find(|file| file.exists());
        match name.as_str() {
            "encoding_rs" => add(&name, &version, &licence, Some(folder.join("LICENSE-WHATWG"))),
            _ if licence.contains("Apache-2.0") => add(&name, &version, &licence, None),
            _ => add(
                &name,
                &version,
                &licence,
                Some(own.unwrap_or_else(|| panic!("{name}: where is its licence?"))),
            ),
        }
        let bundled = version.split_once('+').map_or("", |(_, bundled)| bundled);
        match name.as_str() {
            "curl-sys" => {
                add(
                    "libcurl",
                    bundled.trim_start_matches("curl-"),
                    "curl",
                    Some(folder.join("curl/COPYING")),
                );
            }
            "libz-sys" => {
                let header = fs::read_to_string(folder.join("src/zlib/zlib.h")).unwrap();
                let version = header.split("ZLIB_VERSION \"").nth(1).unwrap().split('"').next().unwrap();
                add("zlib", version, "Zlib", Some(folder.join("src/zlib/LICENSE")));
            }
            "openssl-sys" => {
                let vendored =
                    sources.keys().filter(|(name, _)| name == "openssl-src").map(|(_, version)| version);
                let version = vendored
                    .filter_map(|version| version.split_once('+'))
                    .map(|(_, openssl)| openssl)
                    .next_back();
                add("OpenSSL", version.unwrap(), "Apache-2.0", None);
            }
            _ => (),
        }
    }
    add("Rust's standard library", "the compiler's", "MIT OR Apache-2.0", None);
    table + &texts
}

#[test]
fn the_third_party_notices_are_generated_from_the_crates() {
    let (path, generated) = (root().join("THIRD_PARTY.md"), generated());
    if std::env::var_os("FEAST_GENERATE").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "THIRD_PARTY.md is not what the crates say: `make generate`");
}
