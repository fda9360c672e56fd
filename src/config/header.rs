//! Which HTTP headers may be set, by a configuration or by a request.

/// Headers that no configuration and no request sets: they are HTTP's or this library's.
pub const RESERVED_HEADERS: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Why a header cannot be set, by a configuration or by a request. Does not quote the value.
pub fn header_fault(name: &str, value: &str) -> Option<&'static str> {
    // RFC 9110, section 5.6.2.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Some("not the name of an HTTP header");
    }
    if RESERVED_HEADERS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
        return Some("this header is the library's own");
    }
    if value.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Some("the value contains a control character");
    }
    None
}
