//! The settings of one store, and the two ways to fill them: key by key, or from a `feature_store.yaml`.

mod auth;
mod environment;
mod header;
mod keys;
mod reference;
mod secret;
mod url;
mod yaml;
mod yaml11;

use std::time::Duration;

use crate::error::{Error, Result};
use crate::policy::retry::ApplicationErrors;
pub use auth::{AuthConfig, AuthKind};
pub use environment::Environment;
pub use header::{RESERVED_HEADERS, header_fault};
pub use reference::reference;
pub use secret::{Mask, Secret, Token, form_encoded};
pub use url::{PROXY_OF_ENVIRONMENT, host_and_port, proxy_fault, without_credentials};

/// Everything a store needs to know; made of defaults, changed by [`Config::set`] and [`Config::load_yaml`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Base URLs of the feature servers, without a slash at the end.
    pub paths: Vec<String>,
    /// Which of several servers a request goes to.
    pub balance: Balance,
    /// Which of Feast's servers it is; `None`: its answers tell.
    pub server: Option<ServerKind>,
    /// Each address of a server's name is a server of its own.
    pub each_address: bool,
    /// Between two look-ups of the names.
    pub resolve_interval: Duration,
    /// Extra requests at most, in a hundred; 0: none.
    pub hedge_percent: f64,
    /// PEM file of the certificate authorities to trust; `None`: the system's.
    pub cert: Option<String>,
    /// Whether the server's certificate and name are verified.
    pub verify_ssl: bool,
    /// PEM files of a certificate and key of our own, for servers that ask for one.
    pub client_cert: Option<String>,
    /// See `client_cert`.
    pub client_key: Option<String>,
    /// Configuration file of the OpenSSL inside.
    pub openssl_config: Option<String>,
    /// URL of an HTTP proxy, empty for none, or [`PROXY_OF_ENVIRONMENT`].
    pub proxy: String,
    /// The User-Agent header; empty for this library's own.
    pub user_agent: String,
    /// More headers of each request.
    pub headers: Vec<(String, String)>,
    /// Where tokens come from.
    pub auth: AuthConfig,
    /// Connections, and calls on the wire, at most.
    pub connection_pool_size: usize,
    /// Rows above which a call goes out as several requests; 0: never.
    pub max_rows_per_request: usize,
    /// Rows of one request of a write at most; 0: as many as there are.
    pub max_rows_per_write: usize,
    /// Columns without any value have the type that they had before.
    pub remember_types: bool,
    /// Rows of a merged request at most; 0: calls are not merged.
    pub merge_max_rows: usize,
    /// Requests of one question under way before calls gather; 0: found from what is measured.
    pub merge_in_flight: usize,
    /// Compare the first merged answers of a question with unmerged ones.
    pub merge_check: bool,
    /// Requests of asynchronous calls under way, at most.
    pub max_async_requests: usize,
    /// Age at which an unused connection is closed; `None`: never.
    pub connection_idle_timeout: Option<Duration>,
    /// Age at which a connection is replaced; `None`: never.
    pub connection_max_age: Option<Duration>,
    /// Retries after the first attempt.
    pub connection_retries: u32,
    /// Limit of a whole call; `None`: none.
    pub request_timeout: Option<Duration>,
    /// Limit of making a connection, TLS included.
    pub connect_timeout: Duration,
    /// Silence after which a connection on which something was sent is dead; `None`: connections are not looked at.
    pub dead_connection_timeout: Option<Duration>,
    /// Limit of one attempt; `None`: what is left of the call.
    pub attempt_timeout: Option<Duration>,
    /// Seconds; the wait after failure n > 1 is this times 2^(n-1).
    pub retry_backoff_factor: f64,
    /// Longest backoff.
    pub retry_backoff_max: Duration,
    /// Share by which a backoff is varied.
    pub retry_jitter: f64,
    /// Tokens of the retry budget; 0: off.
    pub retry_budget: u64,
    /// What to do after an error that the application reports itself.
    pub retry_application_errors: ApplicationErrors,
    /// Size above which an answer is refused.
    pub max_response_bytes: usize,
}

/// Which of several servers a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// Of two taken at random the one with less work under way.
    LeastBusy,
    /// The first that is available.
    InOrder,
}

/// One of Feast's feature servers, as far as requests to them differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// `feast serve`.
    Python,
    /// The Go feature server.
    Go,
}

impl Config {
    /// Every key at its default.
    pub fn new() -> Result<Config> {
        let mut config = Config {
            paths: Vec::new(),
            balance: Balance::LeastBusy,
            server: None,
            each_address: false,
            resolve_interval: Duration::ZERO,
            hedge_percent: 0.0,
            cert: None,
            verify_ssl: true,
            client_cert: None,
            client_key: None,
            openssl_config: None,
            proxy: String::new(),
            user_agent: String::new(),
            headers: Vec::new(),
            auth: AuthConfig::default(),
            connection_pool_size: 0,
            max_rows_per_request: 0,
            max_rows_per_write: 0,
            remember_types: false,
            merge_max_rows: 0,
            merge_in_flight: 0,
            merge_check: true,
            max_async_requests: 0,
            connection_idle_timeout: None,
            connection_max_age: None,
            connection_retries: 0,
            request_timeout: None,
            connect_timeout: Duration::ZERO,
            dead_connection_timeout: None,
            attempt_timeout: None,
            retry_backoff_factor: 0.0,
            retry_backoff_max: Duration::ZERO,
            retry_jitter: 0.0,
            retry_budget: 0,
            retry_application_errors: ApplicationErrors::Once,
            max_response_bytes: 0,
        };
        keys::apply_defaults(&mut config)?;
        Ok(config)
    }

    /// Sets one key, named as in `online_store` of a `feature_store.yaml` (a leading `online_store.` may be
    /// written or left out; `auth` alone is `auth.type`).
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let key = key.strip_prefix("online_store.").unwrap_or(key);
        keys::set(self, if key == "auth" { "auth.type" } else { key }, value)
    }

    /// Takes over the `online_store` and `auth` sections of a Feast `feature_store.yaml`.
    pub fn load_yaml(&mut self, path: &str, environment: &Environment) -> Result<()> {
        yaml::load(self, path, environment)
    }

    /// Everything of it and of the environment that must not stand in a message, and the credentials of these proxies.
    pub fn mask(&self, proxies: &[&str], environment: &Environment) -> Mask {
        let auth = &self.auth;
        let secrets = [&auth.token, &auth.client_secret, &auth.password, &auth.user_token];
        let plain = secrets.iter().map(|secret| secret.reveal().to_owned());
        let shared = environment.non_empty("INTRA_COMMUNICATION_BASE64");
        let paths = self.paths.iter().map(String::as_str);
        let urls = paths.chain([auth.auth_discovery_url.as_str()]).chain(proxies.iter().copied());
        let of_urls = urls.flat_map(secret::credentials);
        let of_headers = self.headers.iter().flat_map(|(name, value)| secret::of_header(name, value));
        Mask::new(plain.chain(shared).chain(of_headers).chain(of_urls))
    }

    /// Whether `header.Authorization` is set.
    pub fn sets_authorization(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    }

    /// The base URLs as they may be shown: without the users and passwords they may carry.
    pub fn shown_path(&self) -> String {
        let shown: Vec<String> = self.paths.iter().map(|path| without_credentials(path)).collect();
        shown.join(", ")
    }

    /// What can only be said when all keys are known.
    pub(crate) fn validate(&self) -> Result<()> {
        let provider = Some(&self.auth.ca_cert_path).filter(|path| !path.is_empty());
        for (key, file) in [
            ("cert", self.cert.as_ref()),
            ("client_cert", self.client_cert.as_ref()),
            ("client_key", self.client_key.as_ref()),
            ("openssl_config", self.openssl_config.as_ref()),
            ("auth.ca_cert_path", provider),
        ] {
            if let Some(file) = file
                && let Err(error) = open_file(file.as_ref())
            {
                return Err(Error::config(format!("{key}: {file}: {error}")));
            }
        }
        if self.auth.kind != AuthKind::None && self.sets_authorization() {
            return Err(Error::config("header.Authorization and auth.type would both set the same header"));
        }
        if self.merge_max_rows == 1 {
            return Err(Error::config("merge_max_rows: 1 row cannot be merged; 2 or more, or 0 for never"));
        }
        if self.client_key.is_some() && self.client_cert.is_none() {
            return Err(Error::config("client_key needs client_cert"));
        }
        self.auth.validate()
    }
}

/// Opens a regular file. A pipe would keep whoever opens it waiting for its writer, and a device need not end.
pub fn open_file(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_feast() {
        let config = Config::new().unwrap();
        assert_eq!(config.paths, ["http://localhost:6566"]);
        assert_eq!(config.connection_pool_size, 50);
        assert_eq!(config.connection_idle_timeout, Some(Duration::from_secs(300)));
        assert_eq!(config.connection_retries, 3);
        assert_eq!(config.cert, None);
    }

    #[test]
    fn zero_switches_timeouts_off() {
        let mut config = Config::new().unwrap();
        config.set("connection_idle_timeout", "0").unwrap();
        config.set("request_timeout_ms", "0").unwrap();
        assert_eq!((config.connection_idle_timeout, config.request_timeout), (None, None));
    }

    #[test]
    fn the_full_name_of_the_yaml_is_the_same_key() {
        let mut config = Config::new().unwrap();
        config.set("online_store.path", "http://feast:80/").unwrap();
        assert_eq!(config.paths, ["http://feast:80"]);
    }

    #[test]
    fn credentials_in_the_url_are_not_shown() {
        let mut config = Config::new().unwrap();
        config.set("path", "https://me:se@cret@host:1/path").unwrap();
        assert_eq!(config.shown_path(), "https://host:1/path");
    }

    #[test]
    fn exclusive_and_incomplete_credentials_are_refused_as_feast_does() {
        let validated = |keys: &[(&str, &str)]| {
            let mut config = Config::new().unwrap();
            keys.iter().for_each(|(key, value)| config.set(key, value).unwrap());
            config.validate().map_err(|error| error.message)
        };
        let oidc = ("auth.type", "oidc");
        let url = ("auth.auth_discovery_url", "https://idp/c");
        let (id, secret) = (("auth.client_id", "c"), ("auth.client_secret", "s"));
        assert_eq!(validated(&[oidc, ("auth.token", "t")]), Ok(()));
        assert_eq!(validated(&[oidc, url, id, secret]), Ok(()));
        assert_eq!(validated(&[oidc]), Ok(()), "the environment may have one");
        for (keys, words) in [
            (vec![oidc, url], "incomplete client credentials: client_secret, client_id missing"),
            (vec![oidc, ("auth.token", "t"), id], "incomplete client credentials"),
            (
                vec![oidc, url, id, secret, ("auth.username", "u")],
                "incomplete client credentials: password missing",
            ),
            (vec![oidc, url, id, secret, ("auth.token", "t")], "only one of token"),
            (
                vec![oidc, ("auth.token_file", "f"), ("auth.token_env_var", "E")],
                "but got: token_env_var, token_file",
            ),
            (vec![("auth.token", "t")], "type is no_auth"),
            (vec![("auth", "host"), ("auth.token", "t")], "type is host, so the program sets the token"),
            (vec![("auth.token_file", "f")], "needs type oidc or kubernetes"),
            (vec![("client_key", "Cargo.toml")], "client_key needs client_cert"),
            (vec![("cert", "/dev/zero")], "cert: /dev/zero: not a regular file"),
            (vec![("auth.ca_cert_path", "/nonexistent")], "auth.ca_cert_path: /nonexistent: No such file"),
            (
                vec![oidc, ("auth.token", "t"), ("header.authorization", "x")],
                "would both set the same header",
            ),
            (vec![("client_cert", "/nonexistent")], "client_cert: /nonexistent: No such file"),
        ] {
            let message = validated(&keys).unwrap_err();
            assert!(message.contains(words), "{words}: {message}");
        }
    }

    #[test]
    fn headers_are_added_replaced_removed_and_checked() {
        let mut config = Config::new().unwrap();
        config.set("header.X-A", "1").unwrap();
        config.set("header.x-a", "2").unwrap();
        config.set("header.Accept", "application/json;q=1").unwrap();
        config.set("header.X-B", "b").unwrap();
        config.set("header.X-B", "").unwrap();
        let shown: Vec<String> =
            config.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["x-a=2", "Accept=application/json;q=1"]);
        for (key, value) in [
            ("header.", "x"),
            ("header.a b", "x"),
            ("header.a:", "x"),
            ("header.A\r\nB", "x"),
            ("header.A", "x\r\nB: y"),
            ("header.A", "x\0"),
            ("header.content-length", "0"),
        ] {
            assert!(config.set(key, value).is_err(), "{key:?} {value:?}");
        }
    }

    #[test]
    fn a_proxy_is_checked_and_never_quoted() {
        let mut config = Config::new().unwrap();
        for good in ["", "environment", "http://u:p@h:3128", "h:1", "https://h/", "socks5h://[::1]:9"] {
            config.set("proxy", good).unwrap();
        }
        for bad in [
            "ftp://u:TOPSECRET@h:1",
            "http://u:TOPSECRET@h:99999",
            "http://u:TOP SECRET@h",
            "http://u:TOPSECRET@[::x]",
            "http://u:TOPSECRET%0a@h",
            "http://u%01:TOPSECRET@h",
        ] {
            let message = config.set("proxy", bad).unwrap_err().message;
            assert!(message.starts_with("proxy: ") && !message.contains("SECRET"), "{message}");
        }
        assert_eq!(
            config.set("proxy", "http://u:TOP/SECRET@h").unwrap_err().code,
            crate::error::Code::Config
        );
    }

    fn environment() -> Environment {
        let variable = |name: &str| (name == "INTRA_COMMUNICATION_BASE64").then(|| "shared-word".to_owned());
        Environment { variable: Box::new(variable), service_account_file: "/nowhere".into() }
    }

    #[test]
    fn other_peoples_words_lose_the_secrets() {
        let mut config = Config::new().unwrap();
        for (key, value) in [
            ("path", "http://me:hunter2@host"),
            ("auth.client_secret", "a&b cd"),
            ("header.X-Api-Key", "key-12345"),
            ("header.Accept", "application/json"),
            ("header.Cookie", "session=abcdefghijklmnop; lang=de"),
            ("header.X-Odd", "Token token=\"one-and-20-more\""),
            ("header.X-Debug", "true"),
            ("header.X-Project", "driver_hourly_stats"),
            ("header.Accept-Token", "let-me-in"),
            ("header.X-Secret", "say \"sesame\" & enter"),
        ] {
            config.set(key, value).unwrap();
        }
        let cleaned = |words: &str| config.mask(&[], &environment()).clean(words.to_owned(), None);
        for words in [
            "abcdefghijklmnop",
            "one-and-20-more",
            "let-me-in",
            "shared-word",
            r#"say \"sesame\" & enter"#,
            "say &quot;sesame&quot; &amp; enter",
            "say+%22sesame%22+%26+enter",
            "say%20%22sesame%22%20%26%20enter",
        ] {
            assert_eq!(cleaned(&format!("<{words}> in German")), "<[secret]> in German", "{words}");
        }
        let plain = "true: view driver_hourly_stats does not exist (application/json)";
        assert_eq!(cleaned(plain), plain);
        let longer = Secret::new("hunter2-and-more".to_owned());
        let of_longer =
            config.mask(&[], &environment()).clean("<hunter2-and-more>".to_owned(), Some(&longer));
        assert_eq!(of_longer, "<[secret]>");
        let token = Secret::new("tok-1".to_owned());
        let words = "hunter2 a&b cd a%26b+cd key-12345 application/json tok-1 x".to_owned();
        let clean = config.mask(&[], &environment()).clean(words, Some(&token));
        assert_eq!(clean, "[secret] [secret] [secret] [secret] application/json [secret] x");
    }

    #[test]
    fn credentials_of_urls_are_taken_out_in_each_form() {
        let mut config = Config::new().unwrap();
        config.set("path", "http://u%40x:SECRET%40PW@host").unwrap();
        config.set("header.Authorization", "Basic dXNlcjpTRUNSRVRQVw==").unwrap();
        config.set("header.X-Token", "Bearer abcdef-SECRET").unwrap();
        let proxies =
            ["http://pu:PROXYSECRET@h:1", "only-a-token@h", "http://feast:pw%+f9x@h", "http://server@h"];
        for (words, clean) in [
            ("SECRET%40PW SECRET@PW", "[secret] [secret]"),
            ("Basic dUB4OlNFQ1JFVEBQVw==", "Basic [secret]"),
            ("PROXYSECRET cHU6UFJPWFlTRUNSRVQ=", "[secret] [secret]"),
            ("only-a-token b25seS1hLXRva2VuOg==", "[secret] [secret]"),
            ("pw%+f9x ZmVhc3Q6cHclK2Y5eA==", "[secret] [secret]"),
            ("the server of feast c2VydmVyOg==", "the server of feast [secret]"),
            ("abcdef-SECRET SECRETPW dXNlcjpTRUNSRVRQVw==", "[secret] [secret] [secret]"),
            ("[secret] [secret]", "[secret] [secret]"),
        ] {
            assert_eq!(config.mask(&proxies, &environment()).clean(words.to_owned(), None), clean);
        }
    }
}
