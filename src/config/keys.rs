//! The table of keys. A new key is a row here and a field in [`Config`]; parsing, range errors and
//! CONFIGURATION.md follow from it.

use std::time::Duration;

use super::header::header_fault;
use super::url::{base_urls, base_urls_fault, proxy_fault, url_fault, without_credentials};
use super::{AuthKind, Balance, Config, Secret, ServerKind, yaml11};
use crate::error::{Error, Result};
use crate::policy::retry::ApplicationErrors;

pub(super) enum Kind {
    /// One or several.
    Urls,
    OptionalUrl,
    File,
    Text,
    /// A URL, empty, or a word for the environment's.
    Proxy,
    /// Never quoted in a message.
    Secret,
    Boolean,
    Word(&'static [&'static str]),
    Integer {
        min: u64,
        max: u64,
    },
    Number {
        min: f64,
        max: f64,
    },
}

enum Value<'a> {
    Text(&'a str),
    Boolean(bool),
    Integer(u64),
    Number(f64),
}

pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub default: &'static str,
    pub help: &'static str,
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
pub(super) const KEYS: &[Key] = &[
    key!("type", Kind::Word(&["remote"]), "remote",
        "Kind of the online store. Only `remote` is served by this library.",
        Text(_) => |_| ()),
    key!("path", Kind::Urls, "http://localhost:6566",
        "URL of the feature server, http or https. `/get-online-features` is appended. Several servers of the same features: their \
         URLs, separated by commas, at most 32, all http or all https.",
        Text(v) => |c| c.paths = base_urls(v).map(|url| url.trim_end_matches('/').to_owned()).collect()),
    key!("cert", Kind::File, "",
        "PEM file with the certificate authorities to trust, for https. Empty: the system's.",
        Text(v) => |c| c.cert = (!v.is_empty()).then(|| v.to_owned())),
    key!("verify_ssl", Kind::Boolean, "true",
        "`false` accepts any certificate, for tests; it is logged.",
        Boolean(v) => |c| c.verify_ssl = v),
    key!("client_cert", Kind::File, "",
        "PEM file with a certificate of this program, for servers that ask for one; read for each new connection.",
        Text(v) => |c| c.client_cert = (!v.is_empty()).then(|| v.to_owned())),
    key!("client_key", Kind::File, "",
        "PEM file with its private key. Empty: it stands in `client_cert`.",
        Text(v) => |c| c.client_key = (!v.is_empty()).then(|| v.to_owned())),
    key!("openssl_config", Kind::File, "",
        "Configuration file for the OpenSSL inside, such as a policy on TLS; it cannot load providers. It holds for the process from \
         this open on, so that all stores that name one name the same. Empty: none is loaded, and `OPENSSL_CONF` is not heeded. Not \
         with the feature `system`, where the machine's own configuration holds.",
        Text(v) => |c| c.openssl_config = (!v.is_empty()).then(|| v.to_owned())),
    key!("proxy", Kind::Proxy, "environment",
        "URL of an HTTP proxy, empty for none. `environment`: as the variables `http_proxy`, `https_proxy`, \
         `all_proxy` and `no_proxy` say when the store is opened. An `https://` one is always verified, by `cert` or else \
         the system's authorities.",
        Text(v) => |c| c.proxy = v.to_owned()),
    key!("user_agent", Kind::Text, "",
        "The User-Agent header. Empty: `feast_remote/` and the version.",
        Text(v) => |c| c.user_agent = v.to_owned()),
    key!("server", Kind::Word(&["auto", "python", "go"]), "auto",
        "Which of Feast's feature servers it is: `python`, `feast serve`; or `go`, which takes request data in `request_context`. \
         `auto`: the first answer that tells, until another one tells otherwise.",
        Text(v) => |c| c.server = match v {
            "python" => Some(ServerKind::Python),
            "go" => Some(ServerKind::Go),
            _ => None,
        }),
    key!("balance", Kind::Word(&["least_busy", "in_order"]), "least_busy",
        "Which of several servers a request goes to: `least_busy`, of two taken at random the one with less work under way; or \
         `in_order`, the first of `path` that is available, the others being its standbys.",
        Text(v) => |c| c.balance = if v == "in_order" { Balance::InOrder } else { Balance::LeastBusy }),
    key!("resolve", Kind::Word(&["once", "each_address"]), "once",
        "What a server's name stands for: `once`, for one server at whichever of its addresses a connection can be made to; or \
         `each_address`, each of them for a server of its own, looked up every `resolve_interval`, as for a headless Service of \
         Kubernetes. Not with a proxy.",
        Text(v) => |c| c.each_address = v == "each_address"),
    key!("resolve_interval", int(1, 86_400), "10",
        "Seconds between two look-ups of the names in `path` (`resolve`: `each_address`).",
        Integer(v) => |c| c.resolve_interval = Duration::from_secs(v)),
    key!("hedge_percent", num(0.0, 50.0), "0",
        "Extra requests at most, in a hundred: when an answer takes longer than all but half so many per cent did lately, the same \
         request goes out once more, to another server or on another connection, and the first good answer counts. Not for writes and \
         merged requests. 0: never.",
        Number(v) => |c| c.hedge_percent = v),
    key!("connection_pool_size", int(1, 10_000), "50",
        "Connections at most, and calls on the wire at the same time. Further calls wait in order.",
        Integer(v) => |c| c.connection_pool_size = v as usize),
    key!("max_rows_per_request", int(0, 1 << 31), "0",
        "Rows above which a call goes out as several requests at the same time, within the pool; the answers are put \
         together in order. 0: never.",
        Integer(v) => |c| c.max_rows_per_request = v as usize),
    key!("max_rows_per_write", int(0, 1 << 31), "1000",
        "Rows that a request of a write has at most (`feast_push`, `feast_write_to_online_store`): more go out as several, one \
         after the other. 0: no limit but that of bytes.",
        Integer(v) => |c| c.max_rows_per_write = v as usize),
    key!("merge_max_rows", int(0, 1000), "0",
        "Rows of a merged request at most: concurrent calls that ask for the same features of a few rows each, half of this \
         at most, go out in one request, which spares the server most of its work. 2 to 1000; 64 is a good value. 0: never.",
        Integer(v) => |c| c.merge_max_rows = v as usize),
    key!("merge_in_flight", int(0, 64), "0",
        "Requests of one question (`merge_max_rows`) under way before further calls gather. 0: found from what is measured.",
        Integer(v) => |c| c.merge_in_flight = v as usize),
    key!("merge_check", Kind::Boolean, "true",
        "Whether the first merged requests of a question are also sent unmerged and compared, since the values of some on \
         demand feature views depend on the other rows of a request. `false`: calls are merged from the first one on.",
        Boolean(v) => |c| c.merge_check = v),
    key!("remember_types", Kind::Boolean, "false",
        "Whether a column without any value, of which nothing is declared, has the type that it had last in this store in an answer \
         to the same question, so that the schema of a data frame does not flip. `false`: it has none.",
        Boolean(v) => |c| c.remember_types = v),
    key!("max_async_requests", int(1, 1 << 20), "16384",
        "Requests of asynchronous calls that may be under way; further calls are refused with OVERLOADED at once. Those of \
         blocking calls in parts (`max_rows_per_request`) count, too, and are never refused.",
        Integer(v) => |c| c.max_async_requests = v as usize),
    key!("connection_idle_timeout", int(0, 31_536_000), "300",
        "Seconds after which an unused connection is closed. 0: never.",
        Integer(v) => |c| c.connection_idle_timeout = millis(v * 1000)),
    key!("connection_max_age", int(0, 31_536_000), "0",
        "Seconds after which a connection is replaced before its next use, or up to two fifths later, so that those of a pool are \
         not all replaced at once: behind a balancer new servers get their share. 0: never.",
        Integer(v) => |c| c.connection_max_age = (v > 0).then(|| Duration::from_secs(v))),
    key!("connection_retries", int(0, 20), "3",
        "Retries of a failed attempt: HTTP 429, 500, 502, 503, 504, and connections that fail.",
        Integer(v) => |c| c.connection_retries = v as u32),
    key!("request_timeout_ms", int(0, 86_400_000), "5000",
        "Milliseconds a call may take in all: waiting, connecting, every retry. 0: no limit.",
        Integer(v) => |c| c.request_timeout = millis(v)),
    key!("connect_timeout_ms", int(1, 86_400_000), "2000",
        "Milliseconds that making one connection may take, TLS included.",
        Integer(v) => |c| c.connect_timeout = Duration::from_millis(v)),
    key!("dead_connection_timeout_ms", int(0, 86_400_000), "1000",
        "Milliseconds without any acknowledgement, by TCP, of what was sent on a connection, after which it is given up and \
         the request sent on another one at once. While an answer is waited for the other side is probed, so that a slow \
         server is not taken for a dead one. 0: never.",
        Integer(v) => |c| c.dead_connection_timeout = millis(v)),
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
    key!("retry_application_errors", Kind::Word(&["once", "never", "always"]), "once",
        "What to do after a 500 in which the feature server's application says itself what is wrong, such as an unknown feature: \
         ask `once` more and without a pause, `never`, or `always`, as after other failures. What is asked once more does not \
         use up `retry_budget`.",
        Text(v) => |c| c.retry_application_errors = match v {
            "never" => ApplicationErrors::Never,
            "always" => ApplicationErrors::Always,
            _ => ApplicationErrors::Once,
        }),
    key!("retry_budget", int(0, 1_000_000), "500",
        "Tokens that retries may use up in an outage: 5 a retry, 10 after a timeout; a success gives 1 back. \
         0: no budget.",
        Integer(v) => |c| c.retry_budget = v),
    key!("max_response_bytes", int(1024, 1 << 40), "268435456",
        "Bytes of an HTTP answer, after decompression, above which it is refused; of a call in parts each has its own.",
        Integer(v) => |c| c.max_response_bytes = v as usize),
    key!("auth.type", Kind::Word(&["no_auth", "oidc", "kubernetes", "host"]), "no_auth",
        "Kind of authentication; may be written as `auth`, too. `host`: the program sets the token with \
         feast_remote_set_token(); a call waits for the first one, and after a 401 for a newer one, until its deadline.",
        Text(v) => |c| c.auth.kind = match v {
            "oidc" => AuthKind::Oidc,
            "kubernetes" => AuthKind::Kubernetes,
            "host" => AuthKind::Host,
            _ => AuthKind::None,
        }),
    key!("auth.token", Kind::Secret, "",
        "oidc: a token, sent as it is.",
        Text(v) => |c| c.auth.token = Secret::new(v.to_owned())),
    key!("auth.token_env_var", Kind::Text, "",
        "oidc: the environment variable that holds a token when the store is opened.",
        Text(v) => |c| c.auth.token_env_var = v.to_owned()),
    key!("auth.token_file", Kind::File, "",
        "oidc, kubernetes: a file that holds a token; read again when it changes.",
        Text(v) => |c| c.auth.token_file = v.to_owned()),
    key!("auth.auth_discovery_url", Kind::OptionalUrl, "",
        "oidc: the identity provider's discovery document, `https://…/.well-known/openid-configuration`.",
        Text(v) => |c| c.auth.auth_discovery_url = v.to_owned()),
    key!("auth.client_id", Kind::Text, "",
        "oidc: the client for which tokens are fetched.",
        Text(v) => |c| c.auth.client_id = v.to_owned()),
    key!("auth.client_secret", Kind::Secret, "",
        "oidc: its secret (grant `client_credentials`).",
        Text(v) => |c| c.auth.client_secret = Secret::new(v.to_owned())),
    key!("auth.username", Kind::Text, "",
        "oidc: a user, besides the client (grant `password`).",
        Text(v) => |c| c.auth.username = v.to_owned()),
    key!("auth.password", Kind::Secret, "",
        "oidc: the user's password.",
        Text(v) => |c| c.auth.password = Secret::new(v.to_owned())),
    key!("auth.verify_ssl", Kind::Boolean, "true",
        "oidc: `false` accepts any certificate of the identity provider; it is logged.",
        Boolean(v) => |c| c.auth.verify_ssl = v),
    key!("auth.ca_cert_path", Kind::File, "",
        "oidc: PEM file with the certificate authorities to trust for the identity provider. Empty: the system's.",
        Text(v) => |c| c.auth.ca_cert_path = v.to_owned()),
    key!("auth.token_refresh_margin_seconds", num(0.0, 86_400.0), "30",
        "oidc: seconds before its end at which a fetched token is replaced.",
        Number(v) => |c| c.auth.token_refresh_margin = Duration::from_secs_f64(v)),
    key!("auth.user_token", Kind::Secret, "",
        "kubernetes: a token, sent as it is.",
        Text(v) => |c| c.auth.user_token = Secret::new(v.to_owned())),
];

pub(super) fn apply_defaults(config: &mut Config) -> Result<()> {
    KEYS.iter().try_for_each(|key| key.apply(config, key.default))
}

pub(super) fn is_known(name: &str) -> bool {
    KEYS.iter().any(|key| key.name == name) || name.starts_with(HEADER)
}

/// Whether the key's values are numbers or booleans.
pub(super) fn takes_no_text(name: &str) -> bool {
    let kind = KEYS.iter().find(|key| key.name == name).map(|key| &key.kind);
    matches!(kind, Some(Kind::Boolean | Kind::Integer { .. } | Kind::Number { .. }))
}

/// What PyYAML would make of a scalar for this key, as [`set`] takes it. One in quotes is a text, of which pydantic makes booleans
/// alike, and numbers of digits alone.
pub(super) fn of_yaml(name: &str, text: &str, plain: bool) -> String {
    let kind = KEYS.iter().find(|key| key.name == name).map(|key| &key.kind);
    let read = match kind {
        Some(Kind::Integer { .. } | Kind::Number { .. }) if !plain => None,
        Some(Kind::Boolean) => yaml11::boolean(text).map(|value| value.to_string()),
        Some(Kind::Integer { .. }) => yaml11::integer(text)
            .map(|value| value.to_string())
            // As Feast's own check (pydantic): a float without a fraction will do.
            .or_else(|| {
                yaml11::float(text).filter(|value| value.fract() == 0.0).map(|value| format!("{value:.0}"))
            }),
        Some(Kind::Number { .. }) => yaml11::integer(text)
            .map(|value| value.to_string())
            .or_else(|| yaml11::float(text).map(|value| value.to_string())),
        _ => None,
    };
    read.unwrap_or_else(|| text.to_owned())
}

/// `header.NAME` adds a header, or takes it out again with an empty value.
const HEADER: &str = "header.";

fn set_header(config: &mut Config, name: &str, value: &str) -> Result<()> {
    let refuse = |why: &str| Err(Error::config(format!("{HEADER}{name}: {why}")));
    if let Some(why) = header_fault(name, value) {
        return refuse(why);
    }
    config.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    if !value.is_empty() {
        config.headers.push((name.to_owned(), value.to_owned()));
    }
    Ok(())
}

pub(super) fn set(config: &mut Config, name: &str, value: &str) -> Result<()> {
    if let Some(header) = name.strip_prefix(HEADER) {
        return set_header(config, header, value);
    }
    match KEYS.iter().find(|key| key.name == name) {
        Some(key) => key.apply(config, value),
        None => {
            // What others call it, and what is nearer to another one by its letters.
            let meant = match name {
                "url" | "server_url" | "endpoint" | "host" => Some("path"),
                "timeout" | "timeout_ms" => Some("request_timeout_ms"),
                _ => None,
            };
            if let Some(meant) = meant {
                return Err(Error::config(format!(
                    "unknown configuration key `{name}`; did you mean `{meant}`?"
                )));
            }
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
            Kind::File | Kind::Secret => Value::Text(text),
            Kind::Text => Value::Text(trimmed),
            Kind::Boolean => match yaml11::boolean(trimmed) {
                Some(value) => Value::Boolean(value),
                None => return refuse(format!("{} is not true or false", quoted(text))),
            },
            Kind::Word(words) if words.contains(&trimmed) => Value::Text(trimmed),
            Kind::Word(words) => {
                return refuse(format!("{} is not one of: {}", quoted(text), words.join(", ")));
            }
            Kind::Proxy => match proxy_fault(trimmed) {
                None => Value::Text(trimmed),
                Some(fault) => return refuse(fault.to_owned()),
            },
            Kind::OptionalUrl if trimmed.is_empty() => Value::Text(trimmed),
            Kind::Urls => match base_urls(trimmed).find_map(|url| Some((url, url_fault(url)?))) {
                Some((url, fault)) => return refuse(format!("`{}` {fault}", shown(url))),
                None => match base_urls_fault(trimmed) {
                    Some(fault) => return refuse(fault),
                    None => Value::Text(trimmed),
                },
            },
            Kind::OptionalUrl => match url_fault(trimmed) {
                None => Value::Text(trimmed),
                Some(fault) => return refuse(format!("`{}` {fault}", shown(trimmed))),
            },
            Kind::Integer { min, max } => match trimmed.parse() {
                Ok(number) if (min..=max).contains(&number) => Value::Integer(number),
                _ => return refuse(format!("{} is not a whole number from {min} to {max}", quoted(text))),
            },
            Kind::Number { min, max } => match trimmed.parse() {
                Ok(number) if (min..=max).contains(&number) => Value::Number(number),
                _ => return refuse(format!("{} is not a number from {min} to {max}", quoted(text))),
            },
        };
        (self.store)(config, value);
        Ok(())
    }
}

/// A value in a message; not one that may be a URL with a password, or a token, which stands at the wrong key.
fn quoted(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.+,:".contains(&byte));
    if plain { format!("`{text}`") } else { "the value".to_owned() }
}

/// A URL as far as it may be shown: a query may hold a password, too.
fn shown(url: &str) -> String {
    let shown = without_credentials(url);
    shown.split(['?', '#']).next().unwrap_or_default().to_owned()
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
        assert!(refused("zzz", "3").contains("known keys: type, path, cert, verify_ssl"));
        for (others, ours) in [("url", "path"), ("server_url", "path"), ("timeout_ms", "request_timeout_ms")]
        {
            assert_eq!(
                refused(others, "x"),
                format!("unknown configuration key `{others}`; did you mean `{ours}`?")
            );
        }
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
