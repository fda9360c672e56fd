//! Reads what concerns this library from a Feast `feature_store.yaml`.

mod document;

use std::io::Read;

use self::document::{Mapping, Value};
use super::{Config, Environment, keys, open_file};
use crate::error::{Error, Result};
use crate::observe::log::{self, Level};

/// A feature_store.yaml is a page or two; this keeps a wrong path (a log, a device) from being read whole.
const MAX_BYTES: u64 = 1 << 20;

/// Feast's remote online store, and that of our Python package, which takes its place in Feast's SDK.
const TYPES: [&str; 2] = ["remote", "feast_remote.FeastRemoteOnlineStore"];

/// Keys of Feast's auth section that only its servers use.
const OF_SERVERS: [&str; 5] =
    ["issuer", "audience", "ui_client_id", "jwks_cache_lifespan_seconds", "jwks_request_timeout_seconds"];

/// A section that is read; every other one of the file is somebody else's.
#[derive(Clone, Copy)]
struct Section {
    name: &'static str,
    /// Leads from its keys to ours.
    prefix: &'static str,
    /// Keys that are known, and not set.
    others: &'static [&'static str],
}

const ONLINE_STORE: Section = Section { name: "online_store", prefix: "", others: &["type"] };
const AUTH: Section = Section { name: "auth", prefix: "auth.", others: &OF_SERVERS };

pub(super) fn load(config: &mut Config, path: &str, environment: &Environment) -> Result<()> {
    let refuse = |why: String| Error::config(format!("{path}: {why}"));
    let text = read(path).map_err(refuse)?;
    // Before it is parsed, as Feast does it.
    let text = environment.expand(&text, MAX_BYTES as usize).map_err(refuse)?;
    let document =
        document::parse(&text).map_err(|why| refuse(format!("not a feature_store.yaml: {why}")))?;
    // All or nothing: a file that is refused leaves the configuration as it was.
    let mut loaded = config.clone();
    apply_file(document.as_deref(), &mut loaded).map_err(refuse)?;
    *config = loaded;
    Ok(())
}

fn apply_file(document: Option<&Value<'_>>, config: &mut Config) -> std::result::Result<(), String> {
    let file = match document {
        Some(Value::Mapping(file)) => file,
        None => return Err("there is no online_store section".to_owned()),
        Some(_) => return Err("not a feature_store.yaml: it has no sections".to_owned()),
    };
    refuse_duplicate(file, "")?;
    let online_store = match file.get(ONLINE_STORE.name) {
        Some(Value::Mapping(section)) => section,
        // Feast takes the name of a type for a section.
        Some(Value::Scalar(kind)) if !kind.is_null() && is_word(&kind.text) => {
            return Err(format!("online_store: type is `{}`; this library needs `type: remote`", kind.text));
        }
        _ => return Err("there is no online_store section".to_owned()),
    };
    match online_store.get("type") {
        Some(Value::Scalar(kind)) if TYPES.contains(&&*kind.text) => (),
        Some(Value::Scalar(kind)) if !kind.is_null() && is_word(&kind.text) => {
            return Err(format!("online_store.type is `{}`; this library needs `remote`", kind.text));
        }
        Some(_) => return Err("online_store.type is no word; this library needs `remote`".to_owned()),
        None => return Err("online_store.type is missing; this library needs `remote`".to_owned()),
    }
    ONLINE_STORE.apply(online_store, config)?;
    match file.get(AUTH.name) {
        None => Ok(()),
        Some(Value::Scalar(kind)) if kind.is_null() => Ok(()),
        Some(Value::Scalar(kind)) => config.set("auth.type", &kind.text).map_err(|error| error.message),
        Some(Value::Mapping(section)) => {
            if section.get("type").is_none() {
                return Err("auth.type is missing; it is no_auth, oidc or kubernetes".to_owned());
            }
            AUTH.apply(section, config)
        }
        Some(Value::Sequence(_)) => Err("auth: a section is expected".to_owned()),
    }
}

/// PyYAML would take the last one without a word.
fn refuse_duplicate(mapping: &Mapping<'_>, prefix: &str) -> std::result::Result<(), String> {
    match mapping.duplicate() {
        None => Ok(()),
        Some((key, line)) => Err(format!("line {line}: duplicate key {prefix}{}", shown(key))),
    }
}

/// Anything else may be a URL with a password, and is not shown.
fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn shown(key: &str) -> &str {
    if is_word(key) { key } else { "…" }
}

impl Section {
    /// Sets what stands in it.
    fn apply(&self, section: &Mapping<'_>, config: &mut Config) -> std::result::Result<(), String> {
        let Section { name, prefix, others } = self;
        refuse_duplicate(section, &format!("{name}."))?;
        for entry in section.entries() {
            let key = entry.name().unwrap_or("…");
            let ours = format!("{prefix}{key}");
            if others.contains(&key) {
                continue;
            }
            if !keys::is_known(&ours) {
                let shown = shown(key);
                log::write(Level::Warning, || format!("feature_store.yaml: unknown key {name}.{shown}"));
                continue;
            }
            let at = format!("line {}: {name}.{}", entry.line, shown(key));
            let text = match &*entry.value {
                Value::Scalar(scalar) if scalar.is_null() => continue,
                // As a number it might be another token than the one that is written.
                Value::Scalar(scalar) if scalar.is_tagged() && !keys::takes_no_text(&ours) => {
                    return Err(format!("{at}: cannot be read as text"));
                }
                Value::Scalar(scalar) => keys::of_yaml(&ours, &scalar.text, !scalar.is_text()),
                _ => return Err(format!("{at}: a single value is expected")),
            };
            // The message begins with the key as it is ours, "auth." included; any text may be that of a header.
            let section = if prefix.is_empty() { "online_store." } else { "" };
            config.set(&ours, &text).map_err(|error| match is_word(key) {
                true => format!("line {}: {section}{}", entry.line, error.message),
                false => format!("{at}: not the name of an HTTP header, or not its value"),
            })?;
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
            (
                "online_store: {type: remote, path: 'http://a', path: 'http://b'}",
                "duplicate key online_store.path",
            ),
            (
                "online_store: {type: remote}\nonline_store: {type: remote}",
                "line 2: duplicate key online_store",
            ),
            ("just text", "it has no sections"),
            ("", "no online_store section"),
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
    fn the_file_of_our_store_in_feasts_sdk_is_taken_over() {
        let text = "online_store:\n  type: feast_remote.FeastRemoteOnlineStore\n  path: http://feast:6566\n";
        assert_eq!(load_text(text).unwrap().paths, ["http://feast:6566"]);
    }

    #[test]
    fn anchors_and_merge_keys_are_taken_over() {
        let config = load_text(
            "common: &common {request_timeout_ms: 70, user_agent: &agent 1.10}\n\
             online_store:\n  <<: *common\n  type: remote\n  request_timeout_ms: 80\n  header.X-Agent: *agent\n",
        )
        .unwrap();
        assert_eq!(config.request_timeout, Some(Duration::from_millis(80)));
        assert_eq!(config.user_agent, "1.10");
        assert_eq!(config.headers, [("X-Agent".to_owned(), "1.10".to_owned())]);
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
    fn a_number_in_quotes_is_one_of_digits_alone() {
        for (value, expected) in
            [("'0500'", 500), ("\"0500\"", 500), ("!!str 0500", 500), ("0500", 0o500), ("1:30", 90)]
        {
            let text = format!("online_store: {{type: remote, request_timeout_ms: {value}}}");
            let timeout = load_text(&text).unwrap().request_timeout;
            assert_eq!(timeout, Some(Duration::from_millis(expected)), "{value}");
        }
        assert!(load_text("online_store: {type: remote, request_timeout_ms: '1:30'}").is_err());
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
            "auth: http://u:TOPSECRET@h\nonline_store: {type: remote}\n",
            "online_store: {type: remote, connection_retries: 'http://u:TOPSECRET@h'}\n",
            "online_store: {type: remote, verify_ssl: 'token TOPSECRET'}\n",
            "online_store: {type: remote, 'header.Authorization: Bearer TOPSECRET': x}\n",
            "online_store: {type: remote, 'header.Authorization: Bearer TOPSECRET': [x]}\n",
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
