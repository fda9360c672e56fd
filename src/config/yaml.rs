//! Reads what concerns this library from a Feast `feature_store.yaml`.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::{Config, Environment, keys, open_file};
use crate::error::{Error, Result};
use crate::log::{self, Level};

/// A feature_store.yaml is a page or two; this keeps a wrong path (a log, a device) from being read whole.
const MAX_BYTES: u64 = 1 << 20;

/// The sections that are read, as their values are in YAML's core schema; every other section of the file is somebody
/// else's.
#[derive(Deserialize)]
struct FeatureStore {
    online_store: Option<Value>,
    auth: Option<Value>,
}

/// The same, each value as it is written, and where: PyYAML reads plain scalars in its own way.
#[derive(Deserialize)]
struct AsWritten {
    #[serde(default)]
    online_store: Option<BTreeMap<String, Spanned<Option<String>>>>,
}

/// As [`AsWritten`].
#[derive(Deserialize)]
struct AuthAsWritten {
    #[serde(default)]
    auth: Option<BTreeMap<String, Spanned<Option<String>>>>,
}

/// Keys of Feast's auth section that only its servers use.
const OF_SERVERS: [&str; 5] =
    ["issuer", "audience", "ui_client_id", "jwks_cache_lifespan_seconds", "jwks_request_timeout_seconds"];

pub(super) fn load(config: &mut Config, path: &str, environment: &Environment) -> Result<()> {
    let text = read(path).map_err(|why| Error::config(format!("{path}: {why}")))?;
    // Before it is parsed, as Feast does it.
    let text = environment.expand(&text, MAX_BYTES as usize).ok_or_else(|| {
        Error::config(format!("{path}: larger than {MAX_BYTES} bytes with its variables expanded"))
    })?;
    let refuse = |why: String| Error::config(format!("{path}: {why}"));
    let file: FeatureStore = serde_saphyr::from_str(&text)
        // Without the excerpt of the file that the parser would show: it may hold somebody's password.
        .map_err(|error| refuse(format!("not a feature_store.yaml: {}", error.without_snippet())))?;
    let online_store = match file.online_store {
        Some(Value::Object(section)) => section,
        // Feast takes the name of a type for a section; anything else may be a URL with a password.
        Some(Value::String(kind))
            if kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
        {
            return Err(refuse(format!("online_store: type is `{kind}`; this library needs `type: remote`")));
        }
        _ => return Err(refuse("there is no online_store section".to_owned())),
    };
    match online_store.get("type") {
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
    let written = serde_saphyr::from_str::<AsWritten>(&text).ok().and_then(|file| file.online_store);
    take(&mut loaded, &online_store, written, "online_store", "").map_err(refuse)?;
    match file.auth {
        None | Some(Value::Null) => (),
        Some(Value::String(kind)) => {
            loaded.set("auth.type", &kind).map_err(|error| refuse(error.message))?;
        }
        Some(Value::Object(section)) => {
            if !section.contains_key("type") {
                return Err(refuse("auth.type is missing; it is no_auth, oidc or kubernetes".to_owned()));
            }
            let written = serde_saphyr::from_str::<AuthAsWritten>(&text).ok().and_then(|file| file.auth);
            take(&mut loaded, &section, written, "auth", "auth.").map_err(refuse)?;
        }
        Some(_) => return Err(refuse("auth: a section is expected".to_owned())),
    }
    *config = loaded;
    Ok(())
}

/// Sets what stands in one section; `prefix` leads from its keys to ours.
fn take(
    config: &mut Config,
    section: &Map<String, Value>,
    written: Option<BTreeMap<String, Spanned<Option<String>>>>,
    name: &str,
    prefix: &str,
) -> std::result::Result<(), String> {
    for (key, value) in section {
        let ours = format!("{prefix}{key}");
        if !keys::is_known(&ours) {
            if !(name == "auth" && OF_SERVERS.contains(&key.as_str())) {
                log::write(Level::Warning, || format!("feature_store.yaml: unknown key {name}.{key}"));
            }
            continue;
        }
        let written = written.as_ref().and_then(|written| written.get(key));
        let line = written.map(|text| format!("line {}: ", text.referenced.line())).unwrap_or_default();
        let text = match (value, written) {
            (Value::Null, _) => continue,
            (Value::Array(_) | Value::Object(_), _) => {
                return Err(format!("{line}{name}.{key}: a single value is expected"));
            }
            (_, Some(Spanned { value: Some(text), .. })) => keys::of_yaml(&ours, text),
            (Value::String(text), _) => text.clone(),
            (value, _) => value.to_string(),
        };
        let section = if prefix.is_empty() { "online_store." } else { "" };
        config.set(&ours, &text).map_err(|error| format!("{line}{section}{}", error.message))?;
    }
    Ok(())
}

fn read(path: &str) -> std::result::Result<String, String> {
    let file = open_file(path.as_ref()).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("larger than {MAX_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::AuthKind;
    use super::*;
    use std::time::Duration;

    fn load_text(text: &str) -> Result<Config> {
        let name = format!("feast-yaml-{}-{:p}", std::process::id(), &raw const text);
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let environment = Environment {
            variable: Box::new(|name| match name {
                "FEAST_HOST" => Some("feast.example".to_owned()),
                "FEAST_SECRET" => Some("s3cret".to_owned()),
                _ => None,
            }),
            service_account_file: "/nonexistent".into(),
        };
        let mut config = Config::new().unwrap();
        let result = config.load_yaml(path.to_str().unwrap(), &environment);
        std::fs::remove_file(&path).unwrap();
        result.map(|()| config)
    }

    #[test]
    fn a_feature_store_yaml_of_a_remote_store_is_taken_over() {
        let config = load_text(
            "project: drivers\nregistry: {registry_type: remote, path: http://r:1}\nprovider: local\n\
             online_store:\n  type: remote\n  path: https://$FEAST_HOST:8443/\n  connection_pool_size: 8\n  \
             connection_idle_timeout: 0\n  connection_retries: 1\n  cert:\n  retry_jitter: 0.5\n  \
             verify_ssl: off\n  header.X-Team: drivers\n  \
             something_of_ours_in_2030: [1]\nauth:\n  type: no_auth\n",
        )
        .unwrap();
        assert_eq!(config.path, "https://feast.example:8443");
        assert_eq!(config.connection_pool_size, 8);
        assert_eq!(config.connection_idle_timeout, None);
        assert_eq!(config.connection_retries, 1);
        assert_eq!(config.retry_jitter, 0.5);
        assert_eq!(config.request_timeout, Some(Duration::from_secs(5)));
        assert!(!config.verify_ssl);
        let mut later = config.clone();
        later.set("connection_pool_size", "9").unwrap();
        assert_eq!(later.connection_pool_size, 9, "what is set later overrides the file");
        assert_eq!(config.headers, [("X-Team".to_owned(), "drivers".to_owned())]);
    }

    #[test]
    fn the_auth_section_is_taken_over() {
        let config = load_text(
            "online_store: {type: remote}\nauth:\n  type: oidc\n  client_id: feast\n  client_secret: ${FEAST_SECRET}\n  \
             auth_discovery_url: https://idp/.well-known/openid-configuration\n  verify_ssl: No\n  \
             token_refresh_margin_seconds: 1_5\n  issuer: https://idp\n",
        )
        .unwrap();
        let auth = &config.auth;
        assert_eq!(
            (auth.kind, auth.client_id.as_str(), auth.client_secret.reveal()),
            (AuthKind::Oidc, "feast", "s3cret")
        );
        assert_eq!((auth.verify_ssl, auth.token_refresh_margin), (false, Duration::from_secs(15)));
        assert!(!format!("{config:?}").contains("s3cret"));
        let kubernetes =
            load_text("online_store: {type: remote}\nauth: {type: kubernetes, user_token: abc}").unwrap();
        assert_eq!(
            (kubernetes.auth.kind, kubernetes.auth.user_token.reveal()),
            (AuthKind::Kubernetes, "abc")
        );
        assert_eq!(
            load_text("online_store: {type: remote}\nauth: no_auth").unwrap().auth.kind,
            AuthKind::None
        );
        assert_eq!(load_text("online_store: {type: remote}\nauth:").unwrap().auth.kind, AuthKind::None);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_file_line_and_key() {
        for (text, words) in [
            ("online_store: {type: redis}", "online_store.type is \"redis\""),
            ("online_store: sqlite", "type is `sqlite`"),
            ("project: x", "no online_store section"),
            ("online_store: {path: 'http://x'}", "online_store.type is missing"),
            (
                "online_store:\n  type: remote\n  path: x\n",
                ": line 3: online_store.path: `x` must begin with http",
            ),
            (
                "online_store: {type: remote, connection_retries: 99}",
                "line 1: online_store.connection_retries: `99`",
            ),
            (
                "online_store: {type: remote, connection_retries: 1.5}",
                "connection_retries: `1.5` is not a whole number",
            ),
            ("online_store: {type: remote, path: [a]}", "online_store.path: a single value"),
            ("online_store: {type: remote, verify_ssl: maybe}", "verify_ssl: `maybe` is not true or false"),
            ("online_store: {type: remote, header.Host: x}", "header.Host: this header is the library's own"),
            (
                "online_store: {type: remote}\nauth: {type: ldap}",
                "auth.type: `ldap` is not one of: no_auth, oidc",
            ),
            ("online_store: {type: remote}\nauth: {token: x}", "auth.type is missing"),
            ("online_store: {type: remote}\nauth: [x]", "auth: a section is expected"),
            ("online_store: [", "not a feature_store.yaml"),
            ("online_store: {type: remote, path: 'http://a', path: 'http://b'}", "duplicate"),
            ("a: &a [*a, *a]\nonline_store: {type: remote}", "not a feature_store.yaml"),
            (
                &format!("a: {}{}\nonline_store: {{type: remote}}", "[".repeat(50_000), "]".repeat(50_000)),
                "not a feature",
            ),
        ] {
            let message = load_text(text).unwrap_err().message;
            assert!(message.contains(words), "{text:.100}: {message}");
        }
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        for text in [
            "registry:\n  path: postgresql://u:TOPSECRET@db/x\n bad: [\n",
            "online_store:\n  path: http://u:TOPSECRET@h\n  type: [remote\n",
            "auth: TOPSECRET: x\nonline_store: {type: remote}\n",
            "online_store: {type: remote}\nauth: {type: oidc, token: [TOPSECRET]}\n",
            "online_store: {type: remote}\nauth: {type: oidc, token: \"TOPSECRET\\n\"}\n",
        ] {
            let message = load_text(text).unwrap_err().message;
            assert!(!message.contains("TOPSECRET"), "{message}");
        }
    }

    #[test]
    fn a_file_that_is_missing_too_large_or_not_text_is_refused() {
        let mut config = Config::new().unwrap();
        let environment = Environment::of_process();
        let missing = config.load_yaml("/nonexistent/f.yaml", &environment).unwrap_err();
        assert!(missing.message.contains("No such file"));
        assert!(load_text(&"#".repeat(2 << 20)).unwrap_err().message.contains("larger than"));
    }
}
