//! What a server says when it does not answer with features, in the server's own words.

use serde_json::{Map, Value};

/// Longest excerpt of a server's words in a message, in bytes.
const MAX_WORDS: usize = 2048;

/// An error body, understood as far as it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// For people.
    pub message: String,
    /// The exception class of a `FeastError`. Such an answer is about the question, not about the server's
    /// health, whatever its HTTP status.
    pub feast_class: Option<String>,
    /// The application said it, and not a proxy or what the application runs in.
    pub by_application: bool,
    /// The gRPC code that the Go server's words begin with.
    pub grpc_code: Option<GrpcCode>,
}

/// A gRPC status code, as far as it says something about trying again or about whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcCode {
    /// InvalidArgument, FailedPrecondition or OutOfRange.
    InvalidArgument,
    /// NotFound.
    NotFound,
    /// PermissionDenied.
    PermissionDenied,
    /// Unauthenticated.
    Unauthenticated,
    /// ResourceExhausted.
    ResourceExhausted,
    /// Unavailable, DeadlineExceeded or Aborted: another attempt may help.
    Unavailable,
}

impl GrpcCode {
    /// As Go writes it: `rpc error: code = NotFound desc = …`.
    fn of(words: &str) -> Option<GrpcCode> {
        let code = words.split_once("rpc error: code = ")?.1;
        match code.split(' ').next()? {
            "InvalidArgument" | "FailedPrecondition" | "OutOfRange" => Some(GrpcCode::InvalidArgument),
            "NotFound" => Some(GrpcCode::NotFound),
            "PermissionDenied" => Some(GrpcCode::PermissionDenied),
            "Unauthenticated" => Some(GrpcCode::Unauthenticated),
            "ResourceExhausted" => Some(GrpcCode::ResourceExhausted),
            "Unavailable" | "DeadlineExceeded" | "Aborted" => Some(GrpcCode::Unavailable),
            _ => None,
        }
    }
}

/// Reads the body of an answer that is not HTTP 200. The known shapes: a `FeastError` (a JSON string holding
/// JSON with `module`, `class`, `message`), any other exception of the Python server (a JSON string),
/// FastAPI's `{"detail": …}`, the Go server's `{"error", "status_code"}`, and a proxy's page. `clean` takes secrets out,
/// before anything is cut off: half a secret is not recognized.
pub fn parse(body: &[u8], clean: impl Fn(String) -> String) -> ServerError {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let excerpt = |words: &str| cut(clean(words.to_owned()));
    let unstructured =
        |message| ServerError { message, feast_class: None, by_application: false, grpc_code: None };
    let plain = |words: &str| ServerError { by_application: true, ..unstructured(excerpt(words)) };
    let feast_error = |error: &Map<String, Value>| {
        let word = |key| error.get(key).and_then(Value::as_str);
        let (class, message) = (word("class")?, word("message")?);
        word("module")?;
        Some(ServerError { feast_class: Some(excerpt(class)), ..plain(message) })
    };
    if text.is_empty() {
        return unstructured("(empty body)".to_owned());
    }
    match serde_json::from_str(text) {
        Ok(Value::String(inner)) => match serde_json::from_str::<Value>(&inner) {
            Ok(Value::Object(error)) => feast_error(&error).unwrap_or_else(|| plain(&inner)),
            _ => plain(&inner),
        },
        Ok(Value::Object(object)) => {
            if let Some(detail) = object.get("detail") {
                plain(&fastapi_detail(detail))
            } else if let Some(Value::String(error)) = object.get("error") {
                ServerError { grpc_code: GrpcCode::of(error), ..plain(error) }
            } else {
                feast_error(&object).unwrap_or_else(|| unstructured(excerpt(text)))
            }
        }
        Ok(_) => unstructured(excerpt(text)),
        Err(_) => unstructured(page_excerpt(text, excerpt)),
    }
}

/// `{"detail": "words"}` or a list of `{"loc": ["body", "entities"], "msg": "Field required"}`.
fn fastapi_detail(detail: &Value) -> String {
    let one = |error: &Value| {
        let message = error.get("msg")?.as_str()?;
        let place: Vec<String> = match error.get("loc") {
            Some(Value::Array(loc)) => {
                loc.iter().map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        Some(if place.is_empty() { message.to_owned() } else { format!("{}: {message}", place.join(".")) })
    };
    match detail {
        Value::String(words) => words.clone(),
        Value::Array(faults) if !faults.is_empty() => {
            let read: Option<Vec<String>> = faults.iter().map(one).collect();
            read.map_or_else(|| detail.to_string(), |faults| faults.join("; "))
        }
        _ => detail.to_string(),
    }
}

/// The first line of a page with words in it, and a note that it is only that.
fn page_excerpt(text: &str, excerpt: impl Fn(&str) -> String) -> String {
    let words = |line: &str| {
        let mut plain = String::new();
        let mut in_tag = false;
        for character in line.chars() {
            match character {
                '<' => in_tag = true,
                '>' if in_tag => in_tag = false,
                _ if !in_tag && !character.is_control() => plain.push(character),
                _ => (),
            }
        }
        plain.trim().to_owned()
    };
    let is_page = text.starts_with('<');
    let mut lines = text.lines().map(|line| if is_page { words(line) } else { line.trim().to_owned() });
    let Some(first) = lines.find(|line| !line.is_empty()) else {
        return format!("(a page of {} bytes without words)", text.len());
    };
    if is_page || lines.any(|line| !line.is_empty()) {
        format!("{} (first line of {} bytes that are not JSON)", excerpt(&first), text.len())
    } else {
        excerpt(&first)
    }
}

fn cut(mut words: String) -> String {
    // A NUL would end the message early for a reader of C strings, and others make it another one in a log or on a
    // terminal.
    if words.contains(char::is_control) {
        words = words.replace('\0', "\u{fffd}").replace(char::is_control, " ");
    }
    if words.len() > MAX_WORDS {
        let total = words.len();
        let end = (0..=MAX_WORDS).rev().find(|&at| words.is_char_boundary(at)).unwrap_or(0);
        words.truncate(end);
        words.push_str(&format!("… (cut, {total} bytes in all)"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> String {
        parse(body.as_bytes(), |words| words).message
    }

    #[test]
    fn a_feast_error_is_json_within_a_json_string() {
        let body = r#""{\"module\": \"feast.errors\", \"class\": \"FeatureViewNotFoundException\", \"message\": \"Feature view nope does not exist in project drivers\"}""#;
        let error = parse(body.as_bytes(), |words| words);
        assert_eq!(error.feast_class.as_deref(), Some("FeatureViewNotFoundException"));
        assert_eq!(error.message, "Feature view nope does not exist in project drivers");
    }

    #[test]
    fn other_exceptions_of_the_python_server_are_plain_json_strings() {
        assert_eq!(
            message(r#""No features specified for retrieval""#),
            "No features specified for retrieval"
        );
        assert_eq!(message(r#""{\"module\": 1}""#), r#"{"module": 1}"#);
    }

    #[test]
    fn fastapi_details_name_the_place() {
        assert_eq!(message(r#"{"detail":"Not Found"}"#), "Not Found");
        assert_eq!(
            message(
                r#"{"detail":[{"type":"missing","loc":["body","entities"],"msg":"Field required"},{"loc":["body",0],"msg":"x"}]}"#
            ),
            "body.entities: Field required; body.0: x"
        );
        assert_eq!(message(r#"{"detail":[1]}"#), "[1]");
        assert_eq!(message(r#"{"detail":null}"#), "null");
    }

    #[test]
    fn the_go_server_has_its_own_shape() {
        assert_eq!(
            message(r#"{"error":"Error getting feature vector: x","status_code":500}"#),
            "Error getting feature vector: x"
        );
    }

    #[test]
    fn a_page_gives_its_first_line_and_says_so() {
        assert_eq!(
            message("<html>\n<head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>\n"),
            "502 Bad Gateway (first line of 76 bytes that are not JSON)"
        );
        assert_eq!(message("upstream connect error"), "upstream connect error");
        assert_eq!(message("<br/>"), "(a page of 5 bytes without words)");
    }

    #[test]
    fn odd_bodies_are_shown_as_they_are_and_never_whole_novels() {
        assert_eq!(message(""), "(empty body)");
        assert_eq!(message(" \n"), "(empty body)");
        assert_eq!(message("[1,2]"), "[1,2]");
        assert_eq!(message(r#""a\u0000b""#), "a\u{fffd}b");
        let long = message(&format!("\"{}\"", "ü".repeat(5000)));
        assert!(long.ends_with("… (cut, 10000 bytes in all)") && long.len() < 2200);
        assert!(message(&"[".repeat(10_000)).contains("cut, 10000 bytes"));
        assert_eq!(message("\"a\\u001b[2Jb\\r\\nc\\u0000\""), "a [2Jb  c\u{fffd}");
        assert_eq!(parse(b"\xff\xfe", |words| words).message, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_secret_is_taken_out_before_the_words_are_cut() {
        let secret = "s3cret-".repeat(100);
        let clean = |words: String| words.replace(&secret, "[secret]");
        for before in [0, 1400, 2040] {
            let words = format!("{}{secret}{}", "x".repeat(before), "y".repeat(3000));
            for body in [
                words.clone(),
                format!("{words}\nmore"),
                format!("<p>{words}</p>"),
                serde_json::json!({"detail": words}).to_string(),
                serde_json::json!({"module": "m", "class": words, "message": words}).to_string(),
            ] {
                let error = parse(body.as_bytes(), clean);
                let class = error.feast_class.unwrap_or_default();
                assert!(
                    !error.message.contains("s3c") && !class.contains("s3c"),
                    "{before}: {}",
                    error.message
                );
                assert!(
                    error.message.contains("[sec") && error.message.contains("cut, "),
                    "{}",
                    error.message
                );
            }
        }
    }
}
