//! Which of Feast's feature servers answers, as far as requests to them differ.

use memchr::memmem;
use serde_json::Value;

use crate::config::ServerKind;

/// Of a longer body only this much is looked at.
const LOOKED_AT: usize = 64 * 1024;

/// What the body of an HTTP 200 tells: the Go server writes maps, whose keys Go sorts; Python's writes Feast's message in
/// the order of its fields.
pub fn told_by_answer(body: &[u8]) -> Option<ServerKind> {
    const RESULTS: &[u8] = b"\"results\":";
    let head = &body[..body.len().min(LOOKED_AT)];
    let results = memmem::find(head, RESULTS)? + RESULTS.len();
    let is_space_or_bracket = |byte: &u8| byte.is_ascii_whitespace() || b"[{".contains(byte);
    let start = results + head[results..].iter().position(|byte| !is_space_or_bracket(byte))?;
    let first_key = &head[start..];
    if first_key.starts_with(b"\"values\"") && memmem::find(first_key, b"\"statuses\"").is_some() {
        Some(ServerKind::Python)
    } else if first_key.starts_with(b"\"event_timestamps\"") {
        Some(ServerKind::Go)
    } else {
        None
    }
}

/// What the body of an error tells.
pub fn told_by_error(body: &[u8]) -> Option<ServerKind> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) if object.contains_key("detail") => Some(ServerKind::Python),
        Ok(Value::Object(object)) if object.contains_key("status_code") && object.contains_key("error") => {
            Some(ServerKind::Go)
        }
        Ok(Value::String(_)) => Some(ServerKind::Python),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_errors_tell_the_servers_apart() {
        let (python, go) = (Some(ServerKind::Python), Some(ServerKind::Go));
        for (body, kind) in [
            (
                r#"{"metadata":{"feature_names":["id"]},"results":[{"values":[1],"statuses":["PRESENT"]}]}"#,
                python,
            ),
            (
                r#"{"results": [{"values":[1],"statuses":["PRESENT"]}],"metadata":{"feature_names":["id"]}}"#,
                python,
            ),
            (
                r#"{"metadata":{"feature_names":["id"]},"results":[{"event_timestamps":["x"],"statuses":["PRESENT"],"values":[1]}]}"#,
                go,
            ),
            // The Go server without `status=true`, or somebody else's.
            (r#"{"metadata":{"feature_names":["id"]},"results":[{"values":[1]}]}"#, None),
            (r#"{"metadata":{"feature_names":[]},"results":[]}"#, None),
            ("", None),
        ] {
            assert_eq!(told_by_answer(body.as_bytes()), kind, "{body}");
        }
        for (body, kind) in [
            (r#"{"error":"Invalid entity join key","status_code":500}"#, go),
            (r#""'Feature nosuch not found'""#, python),
            (r#"{"detail":"Not Found"}"#, python),
            (r#"{"error":"of a proxy"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(told_by_error(body.as_bytes()), kind, "{body}");
        }
    }
}
