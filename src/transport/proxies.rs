//! Which proxies are used.

use std::ffi::CString;

use super::url::{Url, c_text};
use crate::config::{Config, Environment, PROXY_OF_ENVIRONMENT, proxy_fault};
use crate::error::{Error, Result};

/// The proxies of http and https URLs, and the hosts that need none, as curl and Python's urllib choose them from the
/// environment. `used`: of which of both there will be some; somebody else's proxy is nobody's fault here.
pub fn proxies(
    config: &Config,
    environment: &Environment,
    used: [bool; 2],
) -> Result<([CString; 2], CString)> {
    // Neither is quoted: it may hold a password.
    let refused =
        |what: String, error: Error| Error { message: format!("{what}: {}", error.message), ..error };
    if config.proxy != PROXY_OF_ENVIRONMENT {
        let proxy = c_text(config.proxy.as_str())?;
        if !proxy.is_empty() {
            Url::check_proxy(&proxy).map_err(|error| refused("proxy".to_owned(), error))?;
        }
        return Ok(([proxy.clone(), proxy], CString::default()));
    }
    let either = |name: &'static str| {
        let upper = || environment.non_empty(&name.to_ascii_uppercase());
        environment.non_empty(name).or_else(upper).map(|value| (name, value))
    };
    // In a CGI program HTTP_PROXY is what a client sent as its header "Proxy".
    let http = match environment.non_empty("REQUEST_METHOD") {
        Some(_) => environment.non_empty("http_proxy").map(|value| ("http_proxy", value)),
        None => either("http_proxy"),
    };
    let no_proxy = either("no_proxy").map_or(Ok(CString::default()), |(_, hosts)| c_text(hosts))?;
    let proxy = |of_scheme: Option<(&'static str, String)>, used: bool| {
        let Some((name, url)) = of_scheme.or_else(|| either("all_proxy")).filter(|_| used) else {
            return Ok(CString::default());
        };
        let fault = proxy_fault(&url);
        let url = c_text(url)?;
        // It may be that none is needed: then a call says what is wrong with it.
        if no_proxy.is_empty() {
            if let Some(fault) = fault {
                return Err(Error::config(format!("the environment variable {name} {fault}")));
            }
            let checked = Url::check_proxy(&url);
            checked.map_err(|error| refused(format!("the environment variable {name}"), error))?;
        }
        Ok(url)
    };
    let proxies = [proxy(http, used[0])?, proxy(either("https_proxy"), used[1])?];
    Ok((proxies, no_proxy))
}
