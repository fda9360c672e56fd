//! The settings of one store, and the two ways to fill them: key by key, or from a `feature_store.yaml`.

mod keys;
mod yaml;

use std::time::Duration;

use crate::error::{Error, Result};
pub use keys::reference;

/// Everything a store needs to know; made of defaults, changed by [`Config::set`] and [`Config::load_yaml`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Base URL of the feature server, without a slash at the end.
    pub path: String,
    /// PEM file of the certificate authorities to trust; `None`: the system's.
    pub cert: Option<String>,
    /// Connections, and calls on the wire, at most.
    pub connection_pool_size: usize,
    /// Age at which an unused connection is closed; `None`: never.
    pub connection_idle_timeout: Option<Duration>,
    /// Retries after the first attempt.
    pub connection_retries: u32,
    /// Limit of a whole call; `None`: none.
    pub request_timeout: Option<Duration>,
    /// Limit of making a connection, TLS included.
    pub connect_timeout: Duration,
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
    /// Size above which an answer is refused.
    pub max_response_bytes: usize,
}

impl Config {
    /// Every key at its default.
    pub fn new() -> Result<Config> {
        let mut config = Config {
            path: String::new(),
            cert: None,
            connection_pool_size: 0,
            connection_idle_timeout: None,
            connection_retries: 0,
            request_timeout: None,
            connect_timeout: Duration::ZERO,
            attempt_timeout: None,
            retry_backoff_factor: 0.0,
            retry_backoff_max: Duration::ZERO,
            retry_jitter: 0.0,
            retry_budget: 0,
            max_response_bytes: 0,
        };
        keys::apply_defaults(&mut config)?;
        Ok(config)
    }

    /// Sets one key, named as in `online_store` of a `feature_store.yaml` (a leading `online_store.` may be
    /// written or left out).
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        keys::set(self, key.strip_prefix("online_store.").unwrap_or(key), value)
    }

    /// Takes over the `online_store` section of a Feast `feature_store.yaml`.
    pub fn load_yaml(&mut self, path: &str) -> Result<()> {
        yaml::load(self, path)
    }

    /// The base URL as it may be shown: without the user and password it may carry.
    pub fn shown_path(&self) -> String {
        without_credentials(&self.path)
    }

    /// What can only be said when all keys are known.
    pub(crate) fn validate(&self) -> Result<()> {
        if let Some(cert) = &self.cert
            && let Err(error) = std::fs::File::open(cert)
        {
            return Err(Error::config(format!("cert: {cert}: {error}")));
        }
        Ok(())
    }
}

fn without_credentials(url: &str) -> String {
    // Up to the last '@' anywhere: in a URL that is refused, nobody knows where the password was meant to end.
    let Some(at) = url.rfind('@') else {
        return url.to_owned();
    };
    match url.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{}", &url[at + 1..]),
        None => url[at + 1..].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_feast() {
        let config = Config::new().unwrap();
        assert_eq!(config.path, "http://localhost:6566");
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
        assert_eq!(config.path, "http://feast:80");
    }

    #[test]
    fn credentials_in_the_url_are_not_shown() {
        let mut config = Config::new().unwrap();
        config.set("path", "https://me:se@cret@host:1/path").unwrap();
        assert_eq!(config.shown_path(), "https://host:1/path");
    }
}
