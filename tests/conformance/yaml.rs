//! Plain scalars of a feature_store.yaml mean what they mean to PyYAML, which Feast reads the file with.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::feast::program;
use crate::support::paths::scratch;
use feast_remote::config::{Config, Environment};
use serde_json::Value;

const SCALARS: &[&str] = &[
    "1",
    "8",
    "0",
    "-1",
    "+7",
    "007",
    "010",
    "08",
    "0x10",
    "0X10",
    "0b101",
    "0b2",
    "0o17",
    "1_000",
    "_1",
    "1_",
    "1:30",
    "1:60",
    "190:20:30",
    "-1:30",
    "1.0",
    "2.0",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "1.0e3",
    "1.0e+3",
    "1.5E-1",
    "1_0.5",
    "-.5",
    "+.5",
    ".",
    "1.2.3",
    "0.0",
    "0x",
    "1,000",
    "true",
    "True",
    "TRUE",
    "tRue",
    "yes",
    "Yes",
    "YES",
    "y",
    "Y",
    "on",
    "On",
    "ON",
    "oN",
    "false",
    "False",
    "FALSE",
    "no",
    "No",
    "NO",
    "n",
    "N",
    "off",
    "Off",
    "OFF",
    "none",
    "1 ",
    "'8'",
    "\"8\"",
    "'yes'",
    "0b1_0",
    "0x_f",
    "00",
    "9999999999999999999999",
    "1:2:3:4",
    "1:5",
    "12e03",
    "1__0",
    "3 # comment",
    "!!int 3",
    "!!str 3",
];

/// What PyYAML makes of each as a value: its Python type and the value.
fn pyyaml() -> Vec<(String, Value)> {
    let script = "import json, sys, yaml\n\
                  for text in json.load(sys.stdin):\n\
                  \x20   try: value = yaml.safe_load('k: ' + text)['k']\n\
                  \x20   except Exception as error: value = error\n\
                  \x20   kind = type(value).__name__\n\
                  \x20   print(json.dumps([kind, value if kind in ('int', 'float', 'bool', 'str') else None]))\n";
    let mut python = Command::new(program("python"))
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(serde_json::to_string(SCALARS).unwrap().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn load(key: &str, scalar: &str) -> Option<Config> {
    let path = scratch().join("feature_store.yaml");
    std::fs::write(&path, format!("online_store:\n  type: remote\n  {key}: {scalar}\n")).unwrap();
    let mut config = Config::new().unwrap();
    config.load_yaml(path.to_str().unwrap(), &Environment::of_process()).ok().map(|()| config)
}

#[test]
fn numbers_and_booleans_are_read_as_pyyaml_reads_them() {
    let expected = pyyaml();
    assert_eq!(expected.len(), SCALARS.len());
    for (scalar, (kind, value)) in SCALARS.iter().zip(expected) {
        // An integer, a float without a fraction, or digits in quotes, as pydantic takes them for Feast.
        let integer = match kind.as_str() {
            "int" => value.as_u64(),
            "float" => {
                value.as_f64().filter(|value| value.fract() == 0.0 && *value >= 0.0).map(|value| value as u64)
            }
            "str" => value.as_str().and_then(|text| text.trim().parse().ok()),
            _ => None,
        };
        let integer = integer.filter(|value| (1..=10_000).contains(value));
        let got = load("connection_pool_size", scalar).map(|config| config.connection_pool_size as u64);
        assert_eq!(got, integer, "connection_pool_size: {scalar}; PyYAML says {kind} {value}");

        let number = match kind.as_str() {
            "int" | "float" => value.as_f64(),
            "str" => value.as_str().and_then(|text| text.trim().parse().ok()),
            _ => None,
        };
        let number = number.filter(|value| (0.0..=3600.0).contains(value));
        let got = load("retry_backoff_factor", scalar).map(|config| config.retry_backoff_factor);
        assert_eq!(got, number, "retry_backoff_factor: {scalar}; PyYAML says {kind} {value}");

        let boolean = match kind.as_str() {
            "bool" => value.as_bool(),
            "str" => match value.as_str().unwrap() {
                "yes" | "true" => Some(true),
                _ => None,
            },
            _ => None,
        };
        let got = load("verify_ssl", scalar).map(|config| config.verify_ssl);
        assert_eq!(got, boolean, "verify_ssl: {scalar}; PyYAML says {kind} {value}");
    }
}
