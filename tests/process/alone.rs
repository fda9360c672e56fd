//! Tests in a process of their own.

use std::any::type_name;
use std::process::Command;

/// The test that has this process to itself.
const ALONE: &str = "FEAST_TEST_ALONE";

/// Runs a test once more, in a process in which nothing else happens, and fails if it fails there. False in that process,
/// where the test goes on:
///
/// ```ignore
/// if alone::has_run(name_of_the_test) {
///     return;
/// }
/// ```
pub fn has_run<Test: Fn()>(_: Test) -> bool {
    // The function's path, which libtest takes without the crate.
    let (_, test) = type_name::<Test>().split_once("::").unwrap();
    if std::env::var(ALONE).is_ok_and(|alone| alone == test) {
        return false;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args([test, "--exact", "--nocapture"]).env(ALONE, test).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // Indented, so that who counts results counts this one once.
    said.lines().for_each(|line| println!("    {line}"));
    assert!(output.status.success() && said.contains("1 passed"), "{test}: {}", output.status);
    true
}
