//! Text that must not be shown.

use std::fmt;
use std::sync::Arc;

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

/// The value of an Authorization header. Two calls that got the same one share it.
pub type Token = Arc<Secret>;

const MASKED: &str = "[secret]";

/// A user name that may be a token: shorter ones are words of the language.
const TOKEN_LIKE: usize = 12;

/// A store's secrets, to be taken out of other people's words: servers and identity providers repeat what they were
/// sent.
#[derive(Debug, Default)]
pub struct Mask(Vec<Secret>);

impl Mask {
    /// What a configuration knows of.
    pub(super) fn new(secrets: impl Iterator<Item = String>) -> Mask {
        // What is shorter is no secret, and would tear holes into every message.
        let long_enough = secrets.filter(|secret| secret.len() >= 4);
        let mut secrets: Vec<Secret> =
            long_enough.flat_map(|secret| forms(&Zeroizing::new(secret))).collect();
        secrets.sort_unstable_by(|a, b| a.reveal().cmp(b.reveal()));
        secrets.dedup();
        Mask(secrets)
    }

    /// Of these texts, secrets or not.
    pub fn of_values(values: impl Iterator<Item = String>) -> Mask {
        Mask::new(values)
    }

    /// The text without them, and without this token.
    pub fn clean(&self, mut text: String, token: Option<&Secret>) -> String {
        self.each(token, |secret| {
            if text.contains(secret) {
                // Not in what has been put in their place.
                let parts: Vec<String> =
                    text.split(MASKED).map(|part| part.replace(secret, MASKED)).collect();
                text = parts.join(MASKED);
            }
        });
        text
    }

    /// Whether one of them, or this token, stands in the text.
    pub fn finds(&self, text: &[u8], token: Option<&Secret>) -> bool {
        let mut found = false;
        self.each(token, |secret| found |= memchr::memmem::find(text, secret.as_bytes()).is_some());
        found
    }

    /// The longest first: what is left of it when a part has been taken out would not be recognized.
    fn each(&self, token: Option<&Secret>, mut with: impl FnMut(&str)) {
        let of_token = token.map_or(Vec::new(), |token| forms(token.reveal()).into());
        let mut all: Vec<&Secret> =
            self.0.iter().chain(&of_token).filter(|secret| !secret.is_empty()).collect();
        all.sort_by_key(|secret| std::cmp::Reverse(secret.reveal().len()));
        all.into_iter().for_each(|secret| with(secret.reveal()));
    }
}

/// As somebody who repeats it may write it: as it is, in JSON, in a form, in a URL, and in HTML.
fn forms(secret: &str) -> [Secret; 5] {
    let json = Zeroizing::new(serde_json::Value::from(secret).to_string());
    let in_quotes = json.get(1..json.len() - 1).unwrap_or_default().to_owned();
    let form = form_encoded(secret);
    let url = form.replace('+', "%20").replace("%2F", "/");
    let mut html = String::with_capacity(6 * secret.len());
    for character in secret.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            _ => html.push(character),
        }
    }
    [secret.to_owned(), in_quotes, form.to_string(), url, html].map(Secret::new)
}

/// What gives a URL's credentials away: what stands in it, what that means, and as a header has it.
pub(super) fn credentials(url: &str) -> Vec<String> {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let Some((credentials, _)) = after_scheme.rsplit_once('@') else { return Vec::new() };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let decoded = [percent_decoded(user).as_slice(), b":", &percent_decoded(password)].concat();
    let mut found = vec![STANDARD.encode(decoded)];
    let secret = if password.is_empty() { user } else { password };
    if !password.is_empty() || user.len() >= TOKEN_LIKE {
        found.push(secret.to_owned());
        found.push(String::from_utf8_lossy(&percent_decoded(secret)).into_owned());
    }
    found
}

/// What gives a header's value away. Of one whose name speaks of credentials: the whole, without the word for the scheme,
/// the password in it, and what of it is long. Of others, which are mostly words, only what looks like a token.
pub(super) fn of_header(name: &str, value: &str) -> Vec<String> {
    const SPEAKING: [&str; 7] = ["auth", "cookie", "token", "key", "secret", "session", "password"];
    let name = name.to_ascii_lowercase();
    let speaks = SPEAKING.iter().any(|word| name.contains(word));
    let is_mixed = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let is_secret = |text: &&str| text.len() >= TOKEN_LIKE && (speaks || is_mixed(text));
    let parts = value.split([' ', ';', ',', '=', ':', '"', '\'']);
    let mut found: Vec<String> = parts.chain([value]).filter(is_secret).map(str::to_owned).collect();
    if !speaks {
        return found;
    }
    found.push(value.to_owned());
    if let Some((scheme, credentials)) = value.split_once(' ') {
        let credentials = credentials.trim();
        found.push(credentials.to_owned());
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(decoded) = STANDARD.decode(credentials)
            && let Some((_, password)) = String::from_utf8_lossy(&decoded).split_once(':')
        {
            found.push(password.to_owned());
        }
    }
    found
}

pub(super) fn percent_decoded(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| byte == b'%').and_then(|digits| {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()
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
