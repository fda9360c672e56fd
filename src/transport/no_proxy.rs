//! Which servers the variable no_proxy means, in the ways in which Python and Go read it; libcurl's own reading knows no
//! ports and no `*.`.

use std::net::IpAddr;

/// Whether the list names the server of this URL.
pub fn names(list: &str, url: &str) -> bool {
    let Some((host, port)) = server(url) else { return false };
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| is_named(entry, &host, port))
}

/// Host, in lower case and without brackets, and port.
fn server(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    let (host, port) = host_and_port(server);
    let usual = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    Some((host.trim_end_matches('.').to_ascii_lowercase(), port.unwrap_or(usual)))
}

fn host_and_port(server: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = server.strip_prefix('[').and_then(|server| server.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match server.rsplit_once(':') {
        // More colons make it an IPv6 address without brackets.
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (server, None),
        },
        _ => (server, None),
    }
}

fn is_named(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address: Option<IpAddr> = host.parse().ok();
    if let Some((network, bits)) = entry.split_once('/') {
        let network = network.trim_start_matches('[').trim_end_matches(']');
        return match (address, network.parse(), bits.parse()) {
            (Some(address), Ok(network), Ok(bits)) => is_within(address, network, bits),
            _ => false,
        };
    }
    let (name, only_port) = host_and_port(entry);
    if only_port.is_some_and(|only| only != port) {
        return false;
    }
    if let (Some(address), Ok(named)) = (address, name.parse::<IpAddr>()) {
        return address == named;
    }
    let (name, subdomains) = match name.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (name.trim_start_matches('.'), false),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name.is_empty() || address.is_some() {
        return false;
    }
    let below = host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
    below || (!subdomains && host == name)
}

/// Whether the first `bits` of both are the same.
fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        bits <= width && (a ^ b).checked_shr(width - bits).unwrap_or_default() == 0
    };
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn lists_are_read_as_python_and_go_read_them() {
        for (list, url) in [
            ("*", "http://a"),
            ("feast.internal:6566", "http://feast.internal:6566/x"),
            ("other, feast.internal:443", "https://u:p@FEAST.internal."),
            ("internal", "http://feast.internal"),
            (".internal", "http://feast.internal:1"),
            (".feast.internal", "http://feast.internal"),
            ("*.internal", "http://feast.internal"),
            ("*.internal:80", "http://a.feast.internal"),
            ("[::1]", "http://[::1]:6566"),
            ("::1", "http://[0:0::1]"),
            ("[::1]:6566", "http://[::1]:6566"),
            ("::/0", "http://[2001:db8::1]"),
            ("0.0.0.0/0", "http://10.1.2.3"),
            ("10.0.0.0/8", "http://10.1.2.3"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert!(names(list, url), "{list} {url}");
        }
        for (list, url) in [
            ("", "http://a"),
            ("feast.internal:6567", "http://feast.internal:6566"),
            ("*.internal", "http://internal"),
            ("ternal", "http://feast.internal"),
            ("[::1]:1", "http://[::1]:6566"),
            ("::/0", "http://10.1.2.3"),
            ("10.0.0.0/8", "http://11.1.2.3"),
            ("10.0.0.0/33", "http://10.0.0.0"),
            ("10.0.0.0/8", "http://10.example"),
            (".3", "http://10.1.2.3"),
        ] {
            assert!(!names(list, url), "{list} {url}");
        }
    }
}
