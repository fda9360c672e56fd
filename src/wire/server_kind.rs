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

/// What the body of an error tells. A gateway's errors have other statuses, and words of their own.
pub fn told_by_error(status: u16, body: &[u8]) -> Option<ServerKind> {
    if !matches!(status, 422 | 500) {
        return None;
    }
    match serde_json::from_slice(body) {
        Ok(Value::String(_)) => Some(ServerKind::Python),
        Ok(Value::Object(object)) => {
            let has = |key| object.contains_key(key);
            if has("error") && object.get("status_code") == Some(&Value::from(status)) {
                Some(ServerKind::Go)
            } else if has("detail") || has("module") && has("class") && has("message") {
                Some(ServerKind::Python)
            } else {
                None
            }
        }
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
        for (status, body, kind) in [
            (500, r#"{"error":"Invalid entity join key","status_code":500}"#, go),
            (500, r#""'Feature nosuch not found'""#, python),
            (422, r#"{"detail":[{"loc":["body"],"msg":"x"}]}"#, python),
            (500, r#"{"module":"feast.errors","class":"C","message":"x"}"#, python),
            (500, r#"{"error":"of a proxy"}"#, None),
            (500, r#"{"error":"of a gateway","status_code":503}"#, None),
            (503, r#"{"error":"upstream","status_code":503}"#, None),
            (503, r#"{"type":"about:blank","title":"x","status":503,"detail":"RFC 9457"}"#, None),
            (401, r#"{"detail":"Not authenticated"}"#, None),
            (500, "<html>", None),
        ] {
            assert_eq!(told_by_error(status, body.as_bytes()), kind, "{body}");
        }
    }
}
