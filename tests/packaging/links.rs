//! The links in the Markdown files lead somewhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::paths::root;

/// The Markdown files of the repository; what is built is none of it.
fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules", "build"].contains(&name.as_str()) {
                documents(&path, found);
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// A document without its code.
fn text(document: &str) -> String {
    let mut in_code = false;
    let lines = document.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence && !line.starts_with("    ")
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// A heading's anchor, as code hosts and the site make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars();
    let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next()).collect()
}

#[test]
fn links_in_markdown_files_lead_somewhere() {
    let mut paths = Vec::new();
    documents(&root(), &mut paths);
    let documents: BTreeMap<PathBuf, String> =
        paths.into_iter().map(|path| (path.clone(), text(&fs::read_to_string(path).unwrap()))).collect();
    let (mut faults, mut checked) = (Vec::new(), 0);
    for (path, text) in &documents {
        for link in links(text).into_iter().filter(|link| !link.contains("://")) {
            let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                _ => path.parent().unwrap().join(file),
            };
            let found = target.canonicalize().is_ok_and(|target| {
                let headings = documents
                    .get(&target)
                    .into_iter()
                    .flat_map(|text| text.lines())
                    .filter(|l| l.starts_with('#'));
                wanted.is_empty() || headings.map(anchor).any(|anchor| anchor == wanted)
            });
            checked += 1;
            if !found {
                faults.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(checked > 50, "only {checked} links were found");
}
