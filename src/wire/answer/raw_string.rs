//! JSON strings as they stand in the text, and what their escapes mean.

use std::borrow::Cow;

/// A JSON string as it stands in the text, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawString<'a> {
    /// Between the quotes.
    pub raw: &'a str,
    /// It has a backslash.
    pub escaped: bool,
}

impl<'a> RawString<'a> {
    /// The string, escapes undone.
    pub fn text(&self) -> Result<Cow<'a, str>, &'static str> {
        if !self.escaped {
            return Ok(Cow::Borrowed(self.raw));
        }
        let mut plain = Vec::new();
        self.append_to(&mut plain)?;
        String::from_utf8(plain).map(Cow::Owned).map_err(|_| "not UTF-8")
    }

    /// Whether its escapes can be undone.
    pub fn check(&self) -> Result<(), &'static str> {
        let mut rest = if self.escaped { self.raw } else { "" };
        while let Some(backslash) = rest.find('\\') {
            rest = &rest[backslash + 1..];
            let (_, length) = escape(rest)?;
            rest = &rest[length..];
        }
        Ok(())
    }

    /// Whether the string, escapes undone, is `text`.
    pub fn is(&self, text: &str) -> bool {
        if !self.escaped {
            return self.raw == text;
        }
        let mut plain = Vec::new();
        self.append_to(&mut plain).is_ok() && plain == text.as_bytes()
    }

    /// Appends the string, escapes undone. A surrogate without its partner is refused: it has no UTF-8.
    #[inline]
    pub fn append_to(&self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if !self.escaped {
            out.extend_from_slice(self.raw.as_bytes());
            return Ok(());
        }
        let mut rest = self.raw;
        while let Some(backslash) = rest.find('\\') {
            out.extend_from_slice(&rest.as_bytes()[..backslash]);
            rest = &rest[backslash + 1..];
            let (character, length) = escape(rest)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[length..];
        }
        out.extend_from_slice(rest.as_bytes());
        Ok(())
    }
}

/// What stands behind a backslash: the character that is meant, and the bytes it takes.
fn escape(text: &str) -> Result<(char, usize), &'static str> {
    let plain = match text.as_bytes().first() {
        Some(&literal @ (b'"' | b'\\' | b'/')) => char::from(literal),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(text),
        _ => return Err("an unknown escape in a string"),
    };
    Ok((plain, 1))
}

/// Reads `uXXXX`, or `uXXXX\uXXXX` for a surrogate pair; returns the character and the bytes it took.
fn unicode_escape(text: &str) -> Result<(char, usize), &'static str> {
    let unit = |at: usize| {
        text.get(at..at + 4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or("four hexadecimal digits were expected after \\u")
    };
    let first = unit(1)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 5));
    }
    const LONE: &str = "a lone surrogate in a string";
    if first >= 0xdc00 || text.get(5..7) != Some("\\u") {
        return Err(LONE);
    }
    let second = unit(7)?;
    if !(0xdc00..0xe000).contains(&second) {
        return Err(LONE);
    }
    let character = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(LONE)?;
    Ok((character, 11))
}

#[cfg(test)]
mod tests {
    use super::super::scanner::Scanner;

    fn unescaped(json: &str) -> Result<String, &'static str> {
        let raw = Scanner::new(json).string().map_err(|syntax_error| syntax_error.why)?;
        let mut out = Vec::new();
        raw.append_to(&mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn strings_agree_with_serde_json() {
        for json in [
            r#""""#,
            r#""plain ü""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u00e9\ud83d\ude97\u0000x""#,
            r#""\ud83d""#,
            r#""\ude97\ud83d""#,
            r#""\ud83dx""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\x""#,
            r#""\"#,
            r#""abc"#,
            "\"a\nb\"",
        ] {
            assert_eq!(unescaped(json).ok(), serde_json::from_str::<String>(json).ok(), "{json}");
        }
    }

    #[test]
    fn every_character_at_every_place_is_read_as_serde_json_reads_it() {
        for code in 0..0x200 {
            let character = char::from_u32(code).filter(|&character| character != '"').unwrap_or('x');
            for (before, after) in (0..40).zip((0..20).cycle()) {
                let json = format!(
                    "\"{}{character}{}\"",
                    "\u{e9}".repeat(before % 2) + &"a".repeat(before),
                    "b".repeat(after)
                );
                assert_eq!(unescaped(&json).ok(), serde_json::from_str::<String>(&json).ok(), "{json}");
            }
        }
    }
}
