//! Text that must not be shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A password or token: not shown by `Debug`, and overwritten when it is freed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text, for sending it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Feast takes an empty credential for none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret(none)" } else { "Secret(…)" })
    }
}

/// A store's secrets, to be taken out of other people's words: servers and identity providers repeat what they were
/// sent.
#[derive(Debug, Default)]
pub struct Mask(Vec<Secret>);

impl Mask {
    /// What a configuration knows of.
    pub(super) fn new(secrets: impl Iterator<Item = String>) -> Mask {
        // What is shorter is no secret, and would tear holes into every message.
        Mask(secrets.filter(|secret| secret.len() >= 4).map(Secret::new).collect())
    }

    /// The text without them, and without this token.
    pub fn clean(&self, mut text: String, token: Option<&Secret>) -> String {
        for secret in self.0.iter().chain(token) {
            if !secret.is_empty() && text.contains(secret.reveal()) {
                text = text.replace(secret.reveal(), "[secret]");
            }
        }
        text
    }
}

/// What gives a URL's credentials away: what stands in it, what that means, and as a header has it.
pub(super) fn credentials(url: &str) -> Vec<String> {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let Some((credentials, _)) = after_scheme.rsplit_once('@') else { return Vec::new() };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let secret = if password.is_empty() { user } else { password };
    let decoded = [percent_decoded(user).as_slice(), b":", &percent_decoded(password)].concat();
    vec![
        secret.to_owned(),
        String::from_utf8_lossy(&percent_decoded(secret)).into_owned(),
        STANDARD.encode(decoded),
    ]
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| byte == b'%').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        out.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    out
}

/// A value as application/x-www-form-urlencoded has it.
pub fn form_encoded(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(3 * text.len()));
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            b' ' => out.push('+'),
            _ => {
                let digit = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble)]);
                out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    out
}
