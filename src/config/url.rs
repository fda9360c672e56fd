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

/// Servers at most.
const MOST_SERVERS: usize = 32;

/// The base URLs of a list. A comma that no URL follows belongs to the one before: in a
/// password it always did.
pub(super) fn base_urls(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let text = rest?;
        let begins_url = |comma: &usize| {
            let next = text[comma + 1..].trim_start().to_ascii_lowercase();
            next.starts_with("http://") || next.starts_with("https://")
        };
        let comma = text.match_indices(',').map(|(at, _)| at).find(begins_url);
        rest = comma.map(|at| &text[at + 1..]);
        Some(text[..comma.unwrap_or(text.len())].trim())
    })
}

/// What is wrong with a list of base URLs each of which is right.
pub(super) fn base_urls_fault(list: &str) -> Option<String> {
    let urls: Vec<&str> = base_urls(list).collect();
    if urls.len() > MOST_SERVERS {
        return Some(format!("names {} servers, and {MOST_SERVERS} are the most", urls.len()));
    }
    let mut known: Vec<String> = Vec::new();
    for url in &urls {
        let server = same_server(url);
        if known.contains(&server) {
            return Some(format!("names the server `{}` twice", without_credentials(url)));
        }
        known.push(server);
    }
    let is_https = |url: &String| url.starts_with("https:");
    if known.iter().any(is_https) && !known.iter().all(is_https) {
        return Some(
            "names http servers beside https ones, so that a token might go out without TLS".to_owned(),
        );
    }
    None
}

/// A URL without credentials, in lower case up to its path, with its port: equal for equal servers.
fn same_server(url: &str) -> String {
    let url = without_credentials(url.trim_end_matches('/'));
    let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = scheme.to_ascii_lowercase();
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let port = if has_port {
        ""
    } else if scheme == "https" {
        ":443"
    } else {
        ":80"
    };
    format!("{scheme}://{}{port}{path}", host.to_ascii_lowercase())
}

/// The host and port of a base URL that is right.
pub fn host_and_port(url: &str) -> (String, u16) {
    let server = same_server(url);
    let authority =
        server.split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    (host.to_owned(), port.parse().unwrap_or(0))
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
    // A path may have commas, but not what looks like another server.
    let is_server = |part: &str| part.is_empty() || part.contains(':');
    if host.contains(',') || rest.split(',').skip(1).any(|part| is_server(part.trim())) && !rest.contains('@')
    {
        return Some("has a comma that no URL follows; each of several begins with http:// or https://");
    }
    if !host.starts_with('[') && host.split(':').next().is_some_and(is_no_host) {
        return Some(NO_HOST);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_urls_is_cut_at_the_commas_before_urls() {
        let cut = |list| base_urls(list).collect::<Vec<_>>();
        assert_eq!(cut("http://a:1/"), ["http://a:1/"]);
        assert_eq!(cut("http://a:1/x/ ,  HTTP://b"), ["http://a:1/x/", "HTTP://b"]);
        assert_eq!(cut("http://u:p,w@a,https://b"), ["http://u:p,w@a", "https://b"]);
        assert_eq!(cut(""), [""]);
        assert_eq!(cut("http://a,b"), ["http://a,b"]);
    }

    #[test]
    fn a_list_names_each_server_once_and_all_with_one_scheme() {
        let fault = |list: &str| base_urls_fault(list).unwrap_or_default();
        assert_eq!(fault("http://a,http://b,http://a/x,http://a:81"), "");
        for list in
            ["http://a,http://A:80/", "https://u:p@a:443/x,https://a/x", "http://[::1],http://[::1]:80"]
        {
            assert!(fault(list).contains("twice") && !fault(list).contains("u:p"), "{list}: {}", fault(list));
        }
        assert!(fault("http://a,https://b").contains("http servers beside https ones"));
        let many = |count: usize| (0..count).map(|n| format!("http://h{n}")).collect::<Vec<_>>().join(",");
        assert_eq!(fault(&many(32)), "");
        assert_eq!(fault(&many(33)), "names 33 servers, and 32 are the most");
    }

    #[test]
    fn a_server_without_a_scheme_is_no_part_of_a_path() {
        for bad in ["http://a,b", "http://a:1/,b:2", "http://a:1/,", "http://a/,,", "http://a,"] {
            assert!(url_fault(bad).is_some_and(|fault| fault.contains("comma")), "{bad}");
        }
        for good in ["http://a/x,y", "http://u:p,w@a", "http://a"] {
            assert_eq!(url_fault(good), None, "{good}");
        }
    }

    #[test]
    fn the_host_and_port_of_a_url_are_those_that_are_connected_to() {
        for (url, host, port) in [
            ("http://me:pw@Feast/x", "feast", 80),
            ("https://feast", "feast", 443),
            ("http://feast:6566", "feast", 6566),
            ("http://[::1]:7", "::1", 7),
            ("http://[::1]", "::1", 80),
        ] {
            assert_eq!(host_and_port(url), (host.to_owned(), port), "{url}");
        }
    }
}
