//! The HTTP headers that one request adds to those of its store: W3C's trace context, and any others.

use std::ffi::{CStr, CString};
use std::sync::Arc;

use super::Request;
use crate::config::{Mask, header_fault};
use crate::error::{Error, Result};

/// Those of a request that has some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeaders {
    /// `name: value`, in the order of their names; for requests to be merged these must be the same.
    lines: Vec<Line>,
    trace: Option<TraceContext>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: String,
    value: String,
    text: CString,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TraceContext {
    parent: Line,
    state: Option<Line>,
    sampled: bool,
}

/// Headers that a request cannot set besides: credentials are the store's, and trace contexts are checked.
const NOT_OF_A_REQUEST: [&str; 4] = ["authorization", "proxy-authorization", "traceparent", "tracestate"];

const TRACEPARENT_LENGTH: usize = 55;
/// What W3C asks everybody to pass on.
const MOST_OF_TRACESTATE: usize = 512;

impl Line {
    fn new(name: &str, value: &str) -> Result<Line> {
        let text = CString::new(format!("{name}: {value}"))
            .map_err(|_| Error::argument(format!("header `{name}`: the value contains a NUL")))?;
        Ok(Line { name: name.to_owned(), value: value.to_owned(), text })
    }
}

impl RequestHeaders {
    /// The lines of the request's header.
    pub fn lines(&self) -> impl Iterator<Item = &CStr> {
        self.all().map(|line| line.text.as_c_str())
    }

    /// Whether there is one of this name.
    pub fn names(&self, name: &str) -> bool {
        self.all().any(|line| line.name.eq_ignore_ascii_case(name))
    }

    /// Their values, to be taken out of what others say.
    pub fn mask(&self) -> Mask {
        Mask::of_values(self.all().map(|line| line.value.clone()))
    }

    fn all(&self) -> impl Iterator<Item = &Line> {
        let trace = self.trace.iter().flat_map(|trace| [Some(&trace.parent), trace.state.as_ref()]);
        self.lines.iter().chain(trace.flatten())
    }
}

impl Request {
    /// Sets or replaces a header of its HTTP requests, which goes before the store's of that name; an empty value takes it
    /// out again.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<()> {
        let value = value.trim_matches([' ', '\t']);
        let not_of_a_request = NOT_OF_A_REQUEST.iter().any(|known| known.eq_ignore_ascii_case(name));
        if let Some(why) = header_fault(name, value) {
            return Err(Error::argument(format!("header `{}`: {why}", name.escape_debug())));
        }
        if not_of_a_request {
            let why = "a request cannot set it; see feast_request_set_trace_context() and the keys `auth.`";
            return Err(Error::argument(format!("header `{name}`: {why}")));
        }
        let line = if value.is_empty() { None } else { Some(Line::new(name, value)?) };
        let headers = Arc::make_mut(self.headers.get_or_insert_default());
        headers.lines.retain(|known| !known.name.eq_ignore_ascii_case(name));
        headers.lines.extend(line);
        headers.lines.sort_by_cached_key(|line| line.name.to_ascii_lowercase());
        Ok(())
    }

    /// Sets or replaces the trace context that its HTTP requests carry; without a state if that is empty.
    pub fn set_trace_context(&mut self, parent: &str, state: &str) -> Result<()> {
        let sampled = sampled(parent).map_err(|why| Error::argument(format!("traceparent: {why}")))?;
        check_state(state).map_err(|why| Error::argument(format!("tracestate: {why}")))?;
        let state = if state.is_empty() { None } else { Some(Line::new("tracestate", state)?) };
        let trace = TraceContext { parent: Line::new("traceparent", parent)?, state, sampled };
        Arc::make_mut(self.headers.get_or_insert_default()).trace = Some(trace);
        Ok(())
    }

    /// Its headers, if it has any.
    pub fn headers(&self) -> Option<&Arc<RequestHeaders>> {
        self.headers.as_ref()
    }

    /// The headers of one HTTP request for all of these, which have the same merge key: their trace contexts differ, and
    /// the first sampled one goes out, or else the first.
    pub fn merged_headers<'a>(
        members: impl Iterator<Item = &'a Request> + Clone,
    ) -> Option<Arc<RequestHeaders>> {
        let sampled = |headers: &&Arc<RequestHeaders>| headers.trace.as_ref().is_some_and(|it| it.sampled);
        let mut all = members.filter_map(Request::headers);
        let mut again = all.clone();
        let traced = all.clone().find(|headers| headers.trace.is_some());
        all.find(sampled).or(traced).or_else(|| again.next()).cloned()
    }

    /// What of its headers requests to be merged must have in common; each text counted, so that none can pass for another.
    pub(super) fn key_of_headers(&self, key: &mut Vec<u8>) {
        for line in self.headers.iter().flat_map(|headers| &headers.lines) {
            key.push(b'h');
            for text in [line.name.to_ascii_lowercase().as_str(), &line.value] {
                key.extend_from_slice(&text.len().to_le_bytes());
                key.extend_from_slice(text.as_bytes());
            }
        }
    }
}

/// Whether a traceparent says so in its flags, or what is wrong with it (W3C Trace Context, 3.2.2).
fn sampled(parent: &str) -> std::result::Result<bool, &'static str> {
    let fields: Vec<&str> = parent.split('-').collect();
    let is_hex = |field: &str| field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let lengths = fields.iter().map(|field| field.len());
    if parent.len() != TRACEPARENT_LENGTH || !lengths.eq([2, 32, 16, 2]) {
        return Err("not 55 characters of the form 00-<trace-id>-<parent-id>-<flags>");
    }
    if !fields.iter().all(|field| is_hex(field)) {
        return Err("has other characters than hexadecimal digits in lower case");
    }
    if fields[0] == "ff" {
        return Err("ff is no version");
    }
    if fields[1..3].iter().any(|id| id.bytes().all(|byte| byte == b'0')) {
        return Err("the trace-id or the parent-id is zero");
    }
    Ok(u8::from_str_radix(fields[3], 16).is_ok_and(|flags| flags & 1 == 1))
}

fn check_state(state: &str) -> std::result::Result<(), &'static str> {
    if state.len() > MOST_OF_TRACESTATE {
        return Err("has more than 512 characters");
    }
    if !state.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return Err("has other characters than printable ASCII");
    }
    let is_member = |member: &str| {
        let member = member.trim();
        member.is_empty()
            || member.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.is_empty())
    };
    if state.split(',').all(is_member) { Ok(()) } else { Err("is no list of key=value") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00";

    fn lines(headers: &RequestHeaders) -> Vec<&str> {
        headers.lines().map(|line| line.to_str().unwrap()).collect()
    }

    #[test]
    fn malformed_trace_contexts_are_refused_and_change_nothing() {
        let mut request = Request::default();
        request.set_trace_context(SAMPLED, "vendor=1").unwrap();
        for bad in [
            "",
            &SAMPLED[..54],
            &format!("{SAMPLED}-00"),
            &SAMPLED.to_uppercase(),
            &SAMPLED.replacen("00", "ff", 1),
            &SAMPLED.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &SAMPLED.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &SAMPLED.replace('b', "\n"),
        ] {
            let message = request.set_trace_context(bad, "").unwrap_err().message;
            assert!(message.starts_with("traceparent: "), "{bad}: {message}");
        }
        for bad in ["novalue", "a=", "=b", "a=\u{e9}", "a=b\r\nX: y", &format!("a={}", "b".repeat(511))] {
            assert!(request.set_trace_context(SAMPLED, bad).is_err(), "{bad}");
        }
        let expected = [format!("traceparent: {SAMPLED}"), "tracestate: vendor=1".to_owned()];
        assert_eq!(lines(request.headers().unwrap()), expected);
        request.set_trace_context(UNSAMPLED, "").unwrap();
        assert_eq!(lines(request.headers().unwrap()), [format!("traceparent: {UNSAMPLED}")]);
    }

    #[test]
    fn headers_that_http_or_this_library_owns_are_refused_without_their_values() {
        let mut request = Request::default();
        for name in crate::config::RESERVED_HEADERS.iter().chain(&NOT_OF_A_REQUEST) {
            let error = request.set_header(&name.to_uppercase(), "private-value").unwrap_err();
            assert!(!error.message.contains("private-value"), "{}", error.message);
        }
        for (name, value) in [("", "x"), ("a b", "x"), ("a:", "x"), ("X-A", "private\r\nX: y")] {
            assert!(!request.set_header(name, value).unwrap_err().message.contains("private"), "{name}");
        }
        assert_eq!(request.headers(), None);
        request.set_header("X-B", " 1 ").unwrap();
        request.set_header("x-a", "2").unwrap();
        request.set_header("X-b", "3").unwrap();
        assert_eq!(lines(request.headers().unwrap()), ["x-a: 2", "X-b: 3"]);
        request.set_header("X-B", "").unwrap();
        assert_eq!(lines(request.headers().unwrap()), ["x-a: 2"]);
    }

    #[test]
    fn of_merged_requests_the_first_sampled_trace_context_goes_out() {
        let traced = |contexts: &[&str]| -> Option<String> {
            let requests: Vec<Request> = contexts
                .iter()
                .map(|parent| {
                    let mut request = Request::default();
                    request.set_header("X-A", "1").unwrap();
                    if !parent.is_empty() {
                        request.set_trace_context(parent, "").unwrap();
                    }
                    request
                })
                .collect();
            let headers = Request::merged_headers(requests.iter()).unwrap();
            assert_eq!(lines(&headers)[0], "X-A: 1");
            lines(&headers).get(1).map(|line| line.trim_start_matches("traceparent: ").to_owned())
        };
        let other = SAMPLED.replace("02b7", "02b9");
        assert_eq!(traced(&["", UNSAMPLED, SAMPLED, &other]).unwrap(), SAMPLED);
        assert_eq!(traced(&["", UNSAMPLED]).unwrap(), UNSAMPLED);
        assert_eq!(traced(&["", ""]), None);
    }
}
