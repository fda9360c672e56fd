//! The list of what is inside the library, for programs that look such lists through.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::cc::passed;
use crate::support::paths::{root, scratch, target};

fn written() -> (std::path::PathBuf, Value) {
    let folder = scratch();
    let output =
        Command::new(root().join("scripts/packages/sbom.sh")).env("PACKAGES", &folder).output().unwrap();
    passed("sbom.sh", &output);
    let path = folder.join(concat!("libfeast_remote-", env!("CARGO_PKG_VERSION"), ".cdx.json"));
    let text = fs::read_to_string(&path).unwrap();
    (path, serde_json::from_str(&text).unwrap())
}

#[test]
fn the_bill_of_materials_is_valid_and_names_what_the_third_party_notices_name() {
    let (path, bom) = written();
    let output = Command::new(target().join("sbom-venv/bin/python"))
        .arg(root().join("tests/packages/sbom_valid.py"))
        .arg(path)
        .output()
        .unwrap();
    passed("the validator of CycloneDX", &output);

    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed: BTreeSet<[String; 3]> = bom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| {
            let licence = &component["licenses"][0];
            let licence = text(&licence["expression"]) + &text(&licence["license"]["id"]);
            let version = text(&component["version"]);
            let is_std = component["name"] == "Rust's standard library";
            let version = if is_std { "the compiler's".to_owned() } else { version };
            [text(&component["name"]), version, licence]
        })
        .collect();

    let notices = fs::read_to_string(root().join("THIRD_PARTY.md")).unwrap();
    let noticed: BTreeSet<[String; 3]> = notices
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .skip(1)
        .map(|line| {
            let mut cells = line.split(" | ").map(|cell| cell.replace('/', " OR "));
            std::array::from_fn(|_| cells.next().unwrap())
        })
        .collect();
    assert!(noticed.len() > 20, "{noticed:?}");
    assert_eq!(listed, noticed);
}

#[test]
fn every_dependency_in_the_bill_of_materials_is_a_component_of_it() {
    let (_, bom) = written();
    let names = |value: &Value, name: &str| {
        value.as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    let mut components: BTreeSet<String> = names(&bom["components"], "bom-ref");
    components.insert(bom["metadata"]["component"]["bom-ref"].as_str().unwrap().to_owned());
    let dependencies: BTreeSet<String> = names(&bom["dependencies"], "ref");
    assert_eq!(components, dependencies);
    for dependency in bom["dependencies"].as_array().unwrap() {
        for used in dependency["dependsOn"].as_array().unwrap() {
            assert!(components.contains(used.as_str().unwrap()), "{used} is no component");
        }
    }
}
