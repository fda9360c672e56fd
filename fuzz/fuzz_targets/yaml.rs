//! Any text as a feature_store.yaml: taken over or refused, never half.
#![no_main]

use feast_remote::config::{Config, Environment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let path = std::env::temp_dir().join(format!("feast-fuzz-{}.yaml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let environment = Environment {
        variable: Box::new(|name| (name.len() % 2 == 0).then(|| name.to_ascii_lowercase())),
        service_account_file: "/nonexistent".into(),
    };
    let mut config = Config::new().unwrap();
    if config.load_yaml(path.to_str().unwrap(), &environment).is_err() {
        assert!(config == Config::new().unwrap(), "a refused file changes nothing");
    }
});
