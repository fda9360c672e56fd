//! Reads what concerns this library from a Feast `feature_store.yaml`.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;
use serde_json::Value;

use super::{Config, keys};
use crate::error::{Error, Result};

/// A feature_store.yaml is a page or two; this keeps a wrong path (a log, a device) from being read whole.
const MAX_BYTES: u64 = 1 << 20;

/// The sections that are read; every other section of the file is somebody else's.
#[derive(Deserialize)]
struct FeatureStore {
    online_store: Option<Value>,
    auth: Option<BTreeMap<String, Value>>,
}

pub(super) fn load(config: &mut Config, path: &str) -> Result<()> {
    let text = read(path).map_err(|why| Error::config(format!("{path}: {why}")))?;
    let refuse = |why: String| Error::config(format!("{path}: {why}"));
    let file: FeatureStore = serde_saphyr::from_str(&text)
        // Without the excerpt of the file that the parser would show: it may hold somebody's password.
        .map_err(|error| refuse(format!("not a feature_store.yaml: {}", error.without_snippet())))?;
    if let Some(auth) = &file.auth
        && let Some(kind) = auth.get("type").and_then(Value::as_str)
        && kind != "no_auth"
    {
        return Err(refuse(format!("auth.type: `{kind}` is not supported by this version, only `no_auth`")));
    }
    let section = match file.online_store {
        Some(Value::Object(section)) => section,
        Some(Value::String(kind)) => {
            return Err(refuse(format!("online_store: type is `{kind}`; this library needs `type: remote`")));
        }
        _ => return Err(refuse("there is no online_store section".to_owned())),
    };
    match section.get("type") {
        Some(Value::String(kind)) if kind == "remote" => (),
        Some(kind) => {
            return Err(refuse(format!("online_store.type is {kind}; this library needs `remote`")));
        }
        None => {
            return Err(refuse("online_store.type is missing; this library needs `remote`".to_owned()));
        }
    }
    // All or nothing: a file that is refused leaves the configuration as it was.
    let mut loaded = config.clone();
    for (key, value) in section.iter().filter(|(key, _)| keys::is_known(key)) {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(refuse(format!("online_store.{key}: a single value is expected")));
            }
        };
        loaded.set(key, &text).map_err(|error| refuse(format!("online_store.{}", error.message)))?;
    }
    *config = loaded;
    Ok(())
}

fn read(path: &str) -> std::result::Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("larger than {MAX_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn load_text(text: &str) -> Result<Config> {
        let name = format!("feast-yaml-{}-{:p}", std::process::id(), &raw const text);
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let mut config = Config::new().unwrap();
        let result = config.load_yaml(path.to_str().unwrap());
        std::fs::remove_file(&path).unwrap();
        result.map(|()| config)
    }

    #[test]
    fn a_feature_store_yaml_of_a_remote_store_is_taken_over() {
        let config = load_text(
            "project: drivers\nregistry: {registry_type: remote, path: http://r:1}\nprovider: local\n\
             online_store:\n  type: remote\n  path: https://feast.example:8443/\n  connection_pool_size: 8\n  \
             connection_idle_timeout: 0\n  connection_retries: 1\n  cert:\n  retry_jitter: 0.5\n  \
             something_of_ours_in_2030: [1]\nauth:\n  type: no_auth\n",
        )
        .unwrap();
        assert_eq!(config.path, "https://feast.example:8443");
        assert_eq!(config.connection_pool_size, 8);
        assert_eq!(config.connection_idle_timeout, None);
        assert_eq!(config.connection_retries, 1);
        assert_eq!(config.retry_jitter, 0.5);
        assert_eq!(config.request_timeout, Some(Duration::from_secs(5)));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_file_and_key() {
        for (text, words) in [
            ("online_store: {type: redis}", "online_store.type is \"redis\""),
            ("online_store: sqlite", "type is `sqlite`"),
            ("project: x", "no online_store section"),
            ("online_store: {path: 'http://x'}", "online_store.type is missing"),
            ("online_store: {type: remote, path: x}", "online_store.path: `x` must begin with http"),
            ("online_store: {type: remote, connection_retries: 99}", "online_store.connection_retries: `99`"),
            ("online_store: {type: remote, path: [a]}", "online_store.path: a single value"),
            ("online_store: {type: remote}\nauth: {type: oidc}", "auth.type: `oidc` is not supported"),
            ("online_store: [", "not a feature_store.yaml"),
            ("a: &a [*a, *a]\nonline_store: {type: remote", "not a feature_store.yaml"),
        ] {
            let message = load_text(text).unwrap_err().message;
            assert!(message.contains(words), "{text}: {message}");
        }
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        for text in [
            "registry:\n  path: postgresql://u:TOPSECRET@db/x\n bad: [\n",
            "online_store:\n  path: http://u:TOPSECRET@h\n  type: [remote\n",
            "auth: TOPSECRET\nonline_store: {type: remote}\n",
        ] {
            let message = load_text(text).unwrap_err().message;
            assert!(!message.contains("TOPSECRET"), "{message}");
        }
    }

    #[test]
    fn a_file_that_is_missing_too_large_or_not_text_is_refused() {
        let mut config = Config::new().unwrap();
        assert!(config.load_yaml("/nonexistent/f.yaml").unwrap_err().message.contains("No such file"));
        assert!(load_text(&"#".repeat(2 << 20)).unwrap_err().message.contains("larger than"));
    }
}
