//! The table of keys. A new key is a row here and a field in [`Config`]; parsing, range errors and
//! CONFIGURATION.md follow from it.

use std::fmt::Write;
use std::time::Duration;

use super::{Config, without_credentials};
use crate::error::{Error, Result};

enum Kind {
    Url,
    File,
    Word(&'static [&'static str]),
    Integer { min: u64, max: u64 },
    Number { min: f64, max: f64 },
}

enum Value<'a> {
    Text(&'a str),
    Integer(u64),
    Number(f64),
}

struct Key {
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
    store: fn(&mut Config, Value),
}

const fn int(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}

const fn num(min: f64, max: f64) -> Kind {
    Kind::Number { min, max }
}

fn millis(ms: u64) -> Option<Duration> {
    (ms != 0).then_some(Duration::from_millis(ms))
}

/// One row a key. `store` gets the kind of value that `kind` parses to, and ignores others.
macro_rules! key {
    ($name:literal, $kind:expr, $default:literal, $help:literal, $variant:ident($value:pat) => $store:expr) => {
        Key {
            name: $name,
            kind: $kind,
            default: $default,
            help: $help,
            store: |config, value| {
                if let Value::$variant($value) = value {
                    let store: &dyn Fn(&mut Config) = &$store;
                    store(config);
                }
            },
        }
    };
}

#[rustfmt::skip]
const KEYS: &[Key] = &[
    key!("type", Kind::Word(&["remote"]), "remote",
        "Kind of the online store. Only `remote` is served by this library.",
        Text(_) => |_| ()),
    key!("path", Kind::Url, "http://localhost:6566",
        "URL of the feature server, http or https. `/get-online-features` is appended.",
        Text(v) => |c| c.path = v.trim_end_matches('/').to_owned()),
    key!("cert", Kind::File, "",
        "PEM file with the certificate authorities to trust, for https. Empty: the system's.",
        Text(v) => |c| c.cert = (!v.is_empty()).then(|| v.to_owned())),
    key!("connection_pool_size", int(1, 10_000), "50",
        "Connections at most, and calls on the wire at the same time. Further calls wait in order.",
        Integer(v) => |c| c.connection_pool_size = v as usize),
    key!("connection_idle_timeout", int(0, 31_536_000), "300",
        "Seconds after which an unused connection is closed. 0: never.",
        Integer(v) => |c| c.connection_idle_timeout = millis(v * 1000)),
    key!("connection_retries", int(0, 20), "3",
        "Retries of a failed attempt: HTTP 429, 500, 502, 503, 504, and connections that fail.",
        Integer(v) => |c| c.connection_retries = v as u32),
    key!("request_timeout_ms", int(0, 86_400_000), "5000",
        "Milliseconds a call may take in all: waiting, connecting, every retry. 0: no limit.",
        Integer(v) => |c| c.request_timeout = millis(v)),
    key!("connect_timeout_ms", int(1, 86_400_000), "2000",
        "Milliseconds that making one connection may take, TLS included.",
        Integer(v) => |c| c.connect_timeout = Duration::from_millis(v)),
    key!("attempt_timeout_ms", int(0, 86_400_000), "0",
        "Milliseconds that one attempt may take, so that a stalled server leaves time for another. \
         0: what is left of the call.",
        Integer(v) => |c| c.attempt_timeout = millis(v)),
    key!("retry_backoff_factor", num(0.0, 3600.0), "0.5",
        "Seconds. The first retry follows at once; after failure n the wait is this times 2^(n-1).",
        Number(v) => |c| c.retry_backoff_factor = v),
    key!("retry_backoff_max", num(0.0, 86_400.0), "120",
        "Seconds that one backoff lasts at most.",
        Number(v) => |c| c.retry_backoff_max = Duration::from_secs_f64(v)),
    key!("retry_jitter", num(0.0, 1.0), "0.2",
        "Share by which each backoff is varied up or down at random. 0: exact waits.",
        Number(v) => |c| c.retry_jitter = v),
    key!("retry_budget", int(0, 1_000_000), "500",
        "Tokens that retries may use up in an outage: 5 a retry, 10 after a timeout; a success gives 1 back. \
         0: no budget.",
        Integer(v) => |c| c.retry_budget = v),
    key!("max_response_bytes", int(1024, 1 << 40), "268435456",
        "Bytes of an answer, after decompression, above which it is refused.",
        Integer(v) => |c| c.max_response_bytes = v as usize),
];

pub(super) fn apply_defaults(config: &mut Config) -> Result<()> {
    KEYS.iter().try_for_each(|key| key.apply(config, key.default))
}

pub(super) fn is_known(name: &str) -> bool {
    KEYS.iter().any(|key| key.name == name)
}

pub(super) fn set(config: &mut Config, name: &str, value: &str) -> Result<()> {
    match KEYS.iter().find(|key| key.name == name) {
        Some(key) => key.apply(config, value),
        None => {
            let nearest = KEYS
                .iter()
                .map(|key| (strsim::damerau_levenshtein(name, key.name), key.name))
                .min()
                .filter(|&(distance, known)| distance <= known.len() / 2)
                .map(|(_, known)| format!("; did you mean `{known}`?"));
            let all = || {
                let names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
                format!("; known keys: {}", names.join(", "))
            };
            Err(Error::config(format!("unknown configuration key `{name}`{}", nearest.unwrap_or_else(all))))
        }
    }
}

impl Key {
    fn apply(&self, config: &mut Config, text: &str) -> Result<()> {
        let refuse = |why: String| Err(Error::config(format!("{}: {why}", self.name)));
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return refuse("the value contains a control character".to_owned());
        }
        let trimmed = text.trim();
        let value = match self.kind {
            Kind::File => Value::Text(text),
            Kind::Word(words) if words.contains(&trimmed) => Value::Text(trimmed),
            Kind::Word(words) => {
                return refuse(format!("`{text}` is not one of: {}", words.join(", ")));
            }
            Kind::Url => match url_fault(trimmed) {
                None => Value::Text(trimmed),
                Some(fault) => return refuse(format!("`{}` {fault}", without_credentials(trimmed))),
            },
            Kind::Integer { min, max } => match trimmed.parse() {
                Ok(number) if (min..=max).contains(&number) => Value::Integer(number),
                _ => return refuse(format!("`{text}` is not a whole number from {min} to {max}")),
            },
            Kind::Number { min, max } => match trimmed.parse() {
                Ok(number) if (min..=max).contains(&number) => Value::Number(number),
                _ => return refuse(format!("`{text}` is not a number from {min} to {max}")),
            },
        };
        (self.store)(config, value);
        Ok(())
    }
}

/// What is wrong with a base URL; libcurl has the last word on the rest when it connects.
fn url_fault(url: &str) -> Option<&'static str> {
    let lower = url.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://")) else {
        return Some("must begin with http:// or https://");
    };
    let host = rest.split('/').next().unwrap_or_default().rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Some("names no host");
    }
    if rest.split_once('/').is_some_and(|(_, path)| path.contains('@')) {
        return Some("has an @ after the host; in a password, write / as %2F");
    }
    if url.contains(['?', '#', ' ', '\\']) {
        return Some("must not contain ?, #, backslashes or spaces");
    }
    None
}

/// CONFIGURATION.md: the table for people.
pub fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Generated from `src/config/keys.rs` by `make generate`; a test compares.\n\n\
         Set a key with `feast_config_set(config, key, value, &err)`, or write it under `online_store` of the\n\
         `feature_store.yaml` that `feast_config_load_yaml` reads. Values are text in both; numbers are plain\n\
         decimals. A leading `online_store.` in the key may be written or left out.\n\n\
         | key | type | range | default | meaning |\n|---|---|---|---|---|\n",
    );
    for key in KEYS {
        let (kind, range) = match key.kind {
            Kind::Url => ("URL", String::new()),
            Kind::File => ("file", String::new()),
            Kind::Word(words) => ("word", words.join(", ")),
            Kind::Integer { min, max } => ("integer", format!("{min} .. {max}")),
            Kind::Number { min, max } => ("number", format!("{min} .. {max}")),
        };
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let _ = writeln!(text, "| `{}` | {kind} | {range} | {default} | {} |", key.name, key.help);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(key: &str, value: &str) -> String {
        Config::new().unwrap().set(key, value).unwrap_err().message
    }

    #[test]
    fn an_unknown_key_names_the_nearest_one() {
        assert_eq!(
            refused("connection_pool_sise", "3"),
            "unknown configuration key `connection_pool_sise`; did you mean `connection_pool_size`?"
        );
        assert!(refused("zzz", "3").contains("known keys: type, path, cert, connection_pool_size"));
    }

    #[test]
    fn a_value_out_of_range_names_the_range() {
        assert_eq!(
            refused("connection_pool_size", "0"),
            "connection_pool_size: `0` is not a whole number from 1 to 10000"
        );
        for bad in ["-1", "1.5", "", "x", "99999999999999999999"] {
            assert!(refused("connection_retries", bad).contains("from 0 to 20"), "{bad}");
        }
        for bad in ["nan", "inf", "-0.1", "2"] {
            assert!(refused("retry_jitter", bad).contains("from 0 to 1"), "{bad}");
        }
    }

    #[test]
    fn a_path_must_be_an_http_url_with_a_host() {
        for bad in ["localhost:6566", "ftp://host", "//host", ""] {
            assert!(refused("path", bad).contains("must begin with http:// or https://"), "{bad}");
        }
        for bad in ["http://", "http:///x", "http://:80", "http://me@"] {
            assert!(refused("path", bad).contains("names no host"), "{bad}");
        }
        assert!(refused("path", "http://host?x=1").contains("must not contain"));
        assert!(refused("path", "http://host\r\nX: y").contains("control character"));
        for bad in [
            "ftp://me:secret@host",
            "me:secret@host:6566",
            "http:/me:secret@host",
            "http://me:secret/x@host",
            "http://me:secret#/x@host",
        ] {
            assert!(!refused("path", bad).contains("secret"), "{bad}");
        }
    }

    #[test]
    fn a_refused_value_leaves_the_old_one() {
        let mut config = Config::new().unwrap();
        config.set("connection_retries", "7").unwrap();
        config.set("connection_retries", "21").unwrap_err();
        assert_eq!(config.connection_retries, 7);
    }

    #[test]
    fn only_the_remote_store_is_accepted() {
        assert!(refused("type", "redis").contains("not one of: remote"));
        Config::new().unwrap().set("type", "remote").unwrap();
    }
}
