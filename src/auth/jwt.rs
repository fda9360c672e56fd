//! The little of JSON Web Tokens (RFC 7519) that a client needs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::config::Secret;

/// A token without a signature (RFC 7519, section 6) that makes one claim.
pub fn unsigned(claim: &str, value: &str) -> Secret {
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    Secret::new(format!("{}.{}.", part(json!({"alg": "none", "typ": "JWT"})), part(json!({claim: value}))))
}

/// The `exp` claim: seconds since 1970 at which the token ends. Nothing is verified; the server does that.
pub fn expiry(token: &str) -> Option<f64> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Value>(&payload).ok()?.get("exp")?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unsigned_token_is_what_pyjwt_makes() {
        let token = unsigned("preferred_username", "abc");
        // jwt.encode({"preferred_username": "abc"}, "", algorithm="none") with PyJWT 2.
        let expected = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhYmMifQ.";
        assert_eq!(token.reveal(), expected);
    }

    #[test]
    fn the_expiry_is_read_and_odd_tokens_have_none() {
        let with = |payload: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload));
        assert_eq!(expiry(&with(r#"{"exp":1795395600}"#)), Some(1_795_395_600.0));
        assert_eq!(expiry(&with(r#"{"exp":1795395600.5}"#)), Some(1_795_395_600.5));
        for odd in ["", "opaque", "a.b", "a.!.c", &with("[1]"), &with(r#"{"exp":"soon"}"#), &with("{")] {
            assert_eq!(expiry(odd), None, "{odd}");
        }
    }
}
