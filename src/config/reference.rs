//! CONFIGURATION.md.

use std::fmt::Write;

use super::keys::{KEYS, Kind};

/// CONFIGURATION.md: the table for people.
pub fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Generated from `src/config/keys.rs` by `make generate`; a test compares.\n\n\
         Set a key with `feast_config_set(config, key, value, &err)`, or write it under `online_store` of the\n\
         `feature_store.yaml` that `feast_config_load_yaml` reads. Values are text in both; numbers are plain\n\
         decimals. A leading `online_store.` in the key may be written or left out. Keys that begin with `auth.`\n\
         stand in the file's `auth` section. `header.NAME` adds the HTTP header NAME to each request.\n\n\
         | key | type | range | default | meaning |\n|---|---|---|---|---|\n",
    );
    for key in KEYS {
        let (kind, range) = match key.kind {
            Kind::Urls => ("URLs", String::new()),
            Kind::OptionalUrl => ("URL", String::new()),
            Kind::File => ("file", String::new()),
            Kind::Text | Kind::Proxy => ("text", String::new()),
            Kind::Secret => ("secret", String::new()),
            Kind::Boolean => ("boolean", String::new()),
            Kind::Word(words) => ("word", words.join(", ")),
            Kind::Integer { min, max } => ("integer", format!("{min} .. {max}")),
            Kind::Number { min, max } => ("number", format!("{min} .. {max}")),
        };
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let _ = writeln!(text, "| `{}` | {kind} | {range} | {default} | {} |", key.name, key.help);
    }
    text
}
