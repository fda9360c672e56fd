//! What may be set as a URL, and what of one may be shown.

use std::net::Ipv6Addr;

use super::secret::percent_decoded;

/// For `proxy`: the variables http_proxy, https_proxy, all_proxy and no_proxy decide.
pub const PROXY_OF_ENVIRONMENT: &str = "environment";

/// A URL as it may be shown.
pub fn without_credentials(url: &str) -> String {
    // Up to the last '@' anywhere: in a URL that is refused, nobody knows where the password was meant to end.
    let Some(at) = url.rfind('@') else {
        return url.to_owned();
    };
    match url.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{}", &url[at + 1..]),
        None => url[at + 1..].to_owned(),
    }
}

/// What is wrong with a proxy's URL, which is not quoted: it may hold a password.
pub fn proxy_fault(url: &str) -> Option<&'static str> {
    if url.is_empty() || url == PROXY_OF_ENVIRONMENT {
        return None;
    }
    let rest = match url.split_once("://") {
        Some((scheme, rest)) => {
            let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
            if !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                return Some("must begin with http://, https:// or socks5://");
            }
            rest
        }
        None => url,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Some("holds control characters, or is not UTF-8");
    }
    // libcurl refuses them at each call.
    let credentials = rest.rsplit_once('@').map_or("", |(credentials, _)| credentials);
    if percent_decoded(credentials).iter().any(|&byte| byte < b' ') {
        return Some("has a user or a password with control characters");
    }
    if rest.contains(['/', ' ', '?', '#', '\\']) {
        return Some("must be a host and a port; in a password, write / as %2F");
    }
    let host = rest.rsplit('@').next().unwrap_or_default();
    let (host, port) = match host.strip_prefix('[') {
        Some(address) => match address.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => (address, port.strip_prefix(':')),
            _ => return Some("has an IPv6 address that cannot be read"),
        },
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    match port.map(str::parse::<u16>) {
        Some(Err(_) | Ok(0)) => Some("has no port from 1 to 65535"),
        _ if host.is_empty() => Some("names no host"),
        _ if host.parse::<Ipv6Addr>().is_err() && is_no_host(host) => Some(NO_HOST),
        _ => None,
    }
}

const NO_HOST: &str = "has a host with a character that no name has";

/// Newer versions of libcurl refuse it, older ones ask for its address.
fn is_no_host(host: &str) -> bool {
    host.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._~%".contains(c))
}

/// What is wrong with a base URL; libcurl has the last word on the rest when it connects.
pub(super) fn url_fault(url: &str) -> Option<&'static str> {
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
    if url.contains(['?', '#', ' ', '\\']) || url.contains("%00") {
        return Some("must not contain ?, #, backslashes, spaces or %00");
    }
    if !host.starts_with('[') && host.split(':').next().is_some_and(is_no_host) {
        return Some(NO_HOST);
    }
    None
}
