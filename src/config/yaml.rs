//! Reads what concerns this library from a Feast `feature_store.yaml`.

use std::collections::BTreeMap;
use std::io::Read;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Spanned, UserMessageFormatter};

use super::{Config, Environment, keys, open_file};
use crate::error::{Error, Result};
use crate::observe::log::{self, Level};

/// A feature_store.yaml is a page or two; this keeps a wrong path (a log, a device) from being read whole.
const MAX_BYTES: u64 = 1 << 20;

/// The sections that are read, as their values are in YAML's core schema; every other section of the file is somebody
/// else's.
#[derive(Deserialize)]
struct FeatureStore {
    online_store: Option<Value>,
    auth: Option<Value>,
}

#[derive(Deserialize)]
struct OnlineStore<T> {
    online_store: Option<T>,
}

#[derive(Deserialize)]
struct AuthSection<T> {
    auth: Option<T>,
}

/// Where each value of a section stands.
type Places = BTreeMap<String, Spanned<IgnoredAny>>;

/// The values of a section's known keys as they are written: PyYAML reads plain scalars in its own way. `AUTH`: it is
/// the auth section.
struct Texts<const AUTH: bool>(BTreeMap<String, Option<String>>);

impl<'de, const AUTH: bool> Deserialize<'de> for Texts<AUTH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Known<const AUTH: bool>;
        impl<'de, const AUTH: bool> Visitor<'de> for Known<AUTH> {
            type Value = Texts<AUTH>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a section")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if keys::is_known(&format!("{}{key}", prefix(AUTH))) {
                        texts.insert(key, map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(Known::<AUTH>)
    }
}

/// One section of the file.
struct Section {
    auth: bool,
    values: Map<String, Value>,
    texts: BTreeMap<String, Option<String>>,
    places: Places,
}

/// Leads from a section's keys to ours.
fn prefix(auth: bool) -> &'static str {
    if auth { "auth." } else { "" }
}

fn parse<T: DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    // What only looks like a number too large for one is text in YAML 1.1, or somebody else's.
    let options = serde_saphyr::options! { non_finite_float_policy: NonFiniteFloatPolicy::AsString };
    serde_saphyr::from_str_with_options(text, options)
        // Without the excerpt of the file that the parser would show: it may hold somebody's password.
        .map_err(|error| error.without_snippet().render_with_formatter(&UserMessageFormatter))
}

/// Keys of Feast's auth section that only its servers use.
const OF_SERVERS: [&str; 5] =
    ["issuer", "audience", "ui_client_id", "jwks_cache_lifespan_seconds", "jwks_request_timeout_seconds"];

pub(super) fn load(config: &mut Config, path: &str, environment: &Environment) -> Result<()> {
    let text = read(path).map_err(|why| Error::config(format!("{path}: {why}")))?;
    // Before it is parsed, as Feast does it.
    let text = environment
        .expand(&text, MAX_BYTES as usize)
        .map_err(|why| Error::config(format!("{path}: {why}")))?;
    let refuse = |why: String| Error::config(format!("{path}: {why}"));
    let file: FeatureStore =
        parse(&text).map_err(|why| refuse(format!("not a feature_store.yaml: {why}")))?;
    let values = match file.online_store {
        Some(Value::Object(section)) => section,
        // Feast takes the name of a type for a section.
        Some(Value::String(kind)) if is_word(&kind) => {
            return Err(refuse(format!("online_store: type is `{kind}`; this library needs `type: remote`")));
        }
        _ => return Err(refuse("there is no online_store section".to_owned())),
    };
    match values.get("type") {
        Some(Value::String(kind)) if kind == "remote" => (),
        Some(Value::String(kind)) if is_word(kind) => {
            return Err(refuse(format!("online_store.type is `{kind}`; this library needs `remote`")));
        }
        Some(_) => {
            return Err(refuse("online_store.type is no word; this library needs `remote`".to_owned()));
        }
        None => {
            return Err(refuse("online_store.type is missing; this library needs `remote`".to_owned()));
        }
    }
    // All or nothing: a file that is refused leaves the configuration as it was.
    let mut loaded = config.clone();
    let texts = parse::<OnlineStore<Texts<false>>>(&text).ok().and_then(|file| file.online_store);
    let places = parse::<OnlineStore<Places>>(&text).ok().and_then(|file| file.online_store);
    let texts = texts.map(|texts| texts.0).unwrap_or_default();
    let section = Section { auth: false, values, texts, places: places.unwrap_or_default() };
    section.apply(&mut loaded).map_err(refuse)?;
    match file.auth {
        None | Some(Value::Null) => (),
        Some(Value::String(kind)) => {
            loaded.set("auth.type", &kind).map_err(|error| refuse(error.message))?;
        }
        Some(Value::Object(values)) => {
            if !values.contains_key("type") {
                return Err(refuse("auth.type is missing; it is no_auth, oidc or kubernetes".to_owned()));
            }
            let texts = parse::<AuthSection<Texts<true>>>(&text).ok().and_then(|file| file.auth);
            let places = parse::<AuthSection<Places>>(&text).ok().and_then(|file| file.auth);
            let texts = texts.map(|texts| texts.0).unwrap_or_default();
            let section = Section { auth: true, values, texts, places: places.unwrap_or_default() };
            section.apply(&mut loaded).map_err(refuse)?;
        }
        Some(_) => return Err(refuse("auth: a section is expected".to_owned())),
    }
    *config = loaded;
    Ok(())
}

/// Anything else may be a URL with a password, and is not shown.
fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

impl Section {
    /// Sets what stands in it.
    fn apply(&self, config: &mut Config) -> std::result::Result<(), String> {
        let name = if self.auth { "auth" } else { "online_store" };
        let line = |key: &str| {
            let line = self.places.get(key).map(|place| place.referenced.line());
            line.map(|line| format!("line {line}: ")).unwrap_or_default()
        };
        let is_ours = |key: &str| keys::is_known(&format!("{}{key}", prefix(self.auth)));
        // First of all: where one is no single value the others have no texts.
        for (key, value) in &self.values {
            if matches!(value, Value::Array(_) | Value::Object(_)) && is_ours(key) {
                return Err(format!("{}{name}.{key}: a single value is expected", line(key)));
            }
        }
        for (key, value) in &self.values {
            let ours = format!("{}{key}", prefix(self.auth));
            if !is_ours(key) {
                if !(self.auth && OF_SERVERS.contains(&key.as_str())) {
                    let shown = if is_word(key) { key } else { "…" };
                    log::write(Level::Warning, || format!("feature_store.yaml: unknown key {name}.{shown}"));
                }
                continue;
            }
            let text = match (value, self.texts.get(key)) {
                (Value::Null, _) => continue,
                (_, Some(Some(text))) => keys::of_yaml(&ours, text),
                (Value::String(text), _) => text.clone(),
                // With a tag of its own.
                (value, _) if keys::takes_no_text(&ours) => value.to_string(),
                // As a number it might be another token than the one that is written.
                _ => return Err(format!("{}{name}.{key}: cannot be read as text", line(key))),
            };
            let section = if self.auth { "" } else { "online_store." };
            config.set(&ours, &text).map_err(|error| format!("{}{section}{}", line(key), error.message))?;
        }
        Ok(())
    }
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
        assert_eq!(config.paths, ["https://feast.example:8443"]);
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
            ("online_store: {type: redis}", "online_store.type is `redis`"),
            ("online_store: sqlite", "type is `sqlite`"),
            ("project: x", "no online_store section"),
            ("online_store: {type: 'http://u:SECRET@h'}", "online_store.type is no word"),
            ("online_store: {type: {password: SECRET}}", "online_store.type is no word"),
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
            ("online_store: {type: remote, path: [a]}", ": line 1: online_store.path: a single value"),
            (
                "online_store:\n  type: remote\nauth:\n  type: oidc\n  token: {}\n",
                ": line 5: auth.token: a single",
            ),
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
            assert!(!message.contains("Options"), "{message}");
        }
    }

    #[test]
    fn an_unknown_key_changes_no_other_ones_reading() {
        let unknown = ["", "    in_2030: [x]\n", "    in_2030: {a: {b: [1]}}\n", "    in_2030: 7e45123\n"];
        for unknown in unknown {
            let text = format!(
                "online_store:\n    type: remote\n    user_agent: 1.10\n    request_timeout_ms: 0500\n{unknown}\
                 auth:\n    type: oidc\n    token: 0123\n{unknown}"
            );
            let config = load_text(&text).unwrap();
            assert_eq!(config.user_agent, "1.10", "{unknown}");
            assert_eq!(config.request_timeout, Some(Duration::from_millis(0o500)), "{unknown}");
            assert_eq!(config.auth.token.reveal(), "0123", "{unknown}");
        }
        let error =
            load_text("online_store:\n  type: remote\n  a: [1]\n  connection_retries: 99\n").unwrap_err();
        assert!(error.message.contains("line 4: online_store.connection_retries"), "{}", error.message);
    }

    #[test]
    fn a_token_that_is_tagged_as_a_number_is_refused_rather_than_guessed() {
        let error =
            load_text("online_store: {type: remote}\nauth: {type: oidc, token: !!int 123}\n").unwrap_err();
        assert!(error.message.contains("auth.token: cannot be read as text"), "{}", error.message);
    }

    #[test]
    fn a_text_like_a_huge_number_is_a_text_and_elsewhere_nobodys_business() {
        let config = load_text(
            "git_sha: 7e45123\nz: 1e999\noffline_store: {x: .nan}\nonline_store: {type: remote, user_agent: 7e45123}\n",
        );
        assert_eq!(config.unwrap().user_agent, "7e45123");
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
