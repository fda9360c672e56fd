//! A forward-only reader of JSON text (RFC 8259, and the bare `NaN`, `Infinity`, `-Infinity` that Python
//! writes). It builds nothing: callers take numbers and slices as they pass.

use memchr::memchr2;

use super::raw_string::RawString;

/// Nesting above this is refused, so that hostile input cannot exhaust the caller's stack.
const MAX_DEPTH: usize = 128;

/// Those that are exactly doubles.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Why reading stopped, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Offset in bytes.
    pub at: usize,
    /// What was expected or refused.
    pub why: &'static str,
}

/// The outcome of a read.
pub type Scan<T> = Result<T, SyntaxError>;

/// A JSON number, as narrow as it can be held without loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number<'a> {
    /// Written without point and exponent, fits.
    Integer(i64),
    /// Written without point and exponent, too large for an int64.
    WideInteger(&'a str),
    /// Everything else, correctly rounded.
    Double(f64),
    /// A real too large for a double.
    BeyondDouble,
}

/// The reader; `at` only grows, except where a caller goes back to a place it has noted.
#[derive(Clone)]
pub struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the beginning of `text`.
    pub fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, bytes: text.as_bytes(), at: 0 }
    }

    /// A syntax_error here.
    pub fn syntax_error<T>(&self, why: &'static str) -> Scan<T> {
        Err(SyntaxError { at: self.at, why })
    }

    /// The next byte that is not white space, not taken; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    #[inline]
    fn take(&mut self, wanted: u8, why: &'static str) -> Scan<()> {
        if self.peek() != wanted {
            return self.syntax_error(why);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether only white space is left.
    pub fn at_end(&mut self) -> bool {
        self.peek();
        self.at == self.bytes.len()
    }

    /// The offset of the next byte.
    #[inline]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What has been read since this offset.
    pub fn since(&self, at: usize) -> &'a str {
        &self.text[at..self.at]
    }

    /// The unread text from here on, for comparing it with what is expected to come.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Passes over bytes that the caller has compared in [`rest`](Scanner::rest).
    #[inline]
    pub fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// Reads an object; `member` gets each key and must read its value.
    pub fn object<E: From<SyntaxError>>(
        &mut self,
        mut member: impl FnMut(&mut Self, RawString<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(b'{', "an object was expected")?;
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.take(b':', "a ':' was expected")?;
            member(self, key)?;
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads an array; `element` must read each element.
    #[inline]
    pub fn array<E: From<SyntaxError>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(b'[', "an array was expected")?;
        if self.peek() == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    #[inline]
    fn more(&mut self, end: u8) -> Scan<bool> {
        let byte = self.peek();
        if byte != b',' && byte != end {
            return self.syntax_error("a ',' or the end of the array or object was expected");
        }
        self.at += 1;
        Ok(byte == b',')
    }

    /// Takes a literal if it comes next.
    #[inline]
    pub fn literal(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    /// Reads a string without undoing its escapes.
    #[inline]
    pub fn string(&mut self) -> Scan<RawString<'a>> {
        self.take(b'"', "a string was expected")?;
        let start = self.at;
        // Names, statuses and most values are short: eight bytes at a time beat the set-up of a vector search.
        let mut at = start;
        while at < start + 32
            && let Some(word) = self.bytes.get(at..).and_then(<[u8]>::first_chunk)
        {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special == 0 {
                at += 8;
                continue;
            }
            at += special.trailing_zeros() as usize / 8;
            if self.bytes[at] != b'"' {
                break;
            }
            // Both ends lie beside an ASCII quote, so they are character boundaries.
            let Some(raw) = self.text.get(start..at) else {
                return self.syntax_error("the text is not UTF-8");
            };
            self.at = at + 1;
            return Ok(RawString { raw, escaped: false });
        }
        self.long_string(start)
    }

    fn long_string(&mut self, start: usize) -> Scan<RawString<'a>> {
        let mut escaped = false;
        loop {
            let Some(found) = memchr2(b'"', b'\\', &self.bytes[self.at..]) else {
                self.at = self.bytes.len();
                return self.syntax_error("the text ends within a string");
            };
            self.at += found;
            if self.bytes[self.at] == b'"' {
                break;
            }
            escaped = true;
            // The backslash and what it escapes.
            self.at = (self.at + 2).min(self.bytes.len());
        }
        let end = self.at;
        if let Some(control) = self.bytes[start..end].iter().position(|&byte| byte < b' ') {
            return Err(SyntaxError { at: start + control, why: "a control character within a string" });
        }
        self.at += 1;
        // Both ends lie beside an ASCII quote, so they are character boundaries.
        let Some(raw) = self.text.get(start..end) else {
            return self.syntax_error("the text is not UTF-8");
        };
        let string = RawString { raw, escaped };
        string.check().map_err(|why| SyntaxError { at: start, why })?;
        Ok(string)
    }

    /// Reads a number.
    #[inline]
    pub fn number(&mut self) -> Scan<Number<'a>> {
        self.peek();
        let start = self.at;
        let negative = self.bytes.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        if let Some(special) = self.special(negative) {
            return Ok(Number::Double(special));
        }
        let digits = self.at;
        let mut magnitude = 0u64;
        while let Some(digit) = self.digit() {
            // Wraps beyond 19 digits; the length tells.
            magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit));
        }
        let length = self.at - digits;
        if length == 0 || (length > 1 && self.bytes[digits] == b'0') {
            return Err(SyntaxError { at: start, why: "a value was expected" });
        }
        if !matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            let narrow = match (negative, length < 20) {
                (false, true) => i64::try_from(magnitude).ok(),
                (true, true) => 0i64.checked_sub_unsigned(magnitude),
                (_, false) => None,
            };
            return Ok(match narrow {
                // The only integer with a sign that an int64 loses; Go writes a double's -0.0 so.
                Some(0) if negative => Number::Double(-0.0),
                Some(integer) => Number::Integer(integer),
                None => Number::WideInteger(&self.text[start..self.at]),
            });
        }
        let point = self.at;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            while let Some(eight) = self.eight_digits() {
                magnitude = magnitude.wrapping_mul(100_000_000).wrapping_add(eight);
            }
            while let Some(digit) = self.digit() {
                magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit));
            }
            if self.at == point + 1 {
                return self.syntax_error("a digit was expected");
            }
        }
        let decimals = (self.at - point).saturating_sub(1);
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        } else if length + decimals < 20 && magnitude <= 1 << 53 {
            // Both are exactly doubles, so the quotient is rounded once (W. Clinger 1990).
            if let Some(power) = POWERS_OF_TEN.get(decimals) {
                let quotient = magnitude as f64 / power;
                return Ok(Number::Double(if negative { -quotient } else { quotient }));
            }
        }
        match self.text[start..self.at].parse::<f64>() {
            Ok(double) if double.is_finite() => Ok(Number::Double(double)),
            _ => Ok(Number::BeyondDouble),
        }
    }

    fn special(&mut self, negative: bool) -> Option<f64> {
        match self.bytes.get(self.at) {
            Some(b'N') if !negative && self.literal("NaN") => Some(f64::NAN),
            Some(b'I') if self.literal("Infinity") => {
                Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
            }
            _ => None,
        }
    }

    #[inline]
    fn digit(&mut self) -> Option<u8> {
        let digit = self.bytes.get(self.at)?.wrapping_sub(b'0');
        (digit < 10).then(|| {
            self.at += 1;
            digit
        })
    }

    /// The next eight bytes as a number, if they are digits: pairs first, then fours, then all of it.
    #[inline]
    fn eight_digits(&mut self) -> Option<u64> {
        let word = u64::from_le_bytes(*self.bytes.get(self.at..)?.first_chunk()?);
        let digits = word ^ 0x3030_3030_3030_3030;
        if (digits | digits.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
            return None;
        }
        self.at += 8;
        let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
        Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while self.digit().is_some() {}
        if self.at == start { self.syntax_error("a digit was expected") } else { Ok(()) }
    }

    /// Reads a value of any kind and returns its text.
    pub fn value(&mut self) -> Scan<&'a str> {
        self.peek();
        let start = self.at;
        self.pass_value(0)?;
        Ok(&self.text[start..self.at])
    }

    fn pass_value(&mut self, depth: usize) -> Scan<()> {
        match self.peek() {
            b'"' => self.string().map(drop),
            b'[' | b'{' if depth == MAX_DEPTH => self.syntax_error("nested more than 128 levels deep"),
            b'[' => self.array(|scanner| scanner.pass_value(depth + 1)),
            b'{' => self.object(|scanner, _| scanner.pass_value(depth + 1)),
            b't' if self.literal("true") => Ok(()),
            b'f' if self.literal("false") => Ok(()),
            b'n' if self.literal("null") => Ok(()),
            _ => self.number().map(drop),
        }
    }
}

/// Of eight bytes of text, the first in the lowest: the highest bit of the first one that is a quote, a backslash or a
/// control character. Bits above that one mean nothing. (The classic search for a zero byte: subtracting 1 from each
/// borrows through bytes that are zero, and only through those.)
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & (ONES << 7);
    below(word ^ (ONES * u64::from(b'"')), 1)
        | below(word ^ (ONES * u64::from(b'\\')), 1)
        | below(word, u64::from(b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_every_length_are_rounded_as_std_rounds_them() {
        let mut seed = 1u64;
        for (whole, decimals) in (1..22).flat_map(|whole| (1..40).map(move |decimals| (whole, decimals))) {
            for _ in 0..20 {
                let mut digits = |count: usize| -> String {
                    let mut digit = || {
                        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                        char::from(b'0' + (seed >> 60) as u8 % 10)
                    };
                    (0..count).map(|_| digit()).collect()
                };
                let whole = digits(whole).trim_start_matches('0').to_owned();
                let whole = if whole.is_empty() { "0" } else { &whole };
                for text in [format!("{whole}.{}", digits(decimals)), format!("-0.{}", digits(decimals))] {
                    let Ok(Number::Double(double)) = Scanner::new(&text).number() else { panic!("{text}") };
                    assert_eq!(double.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
                }
            }
        }
    }

    #[test]
    fn numbers_keep_every_bit() {
        let number = |text| Scanner::new(text).number();
        assert_eq!(number("9223372036854775807"), Ok(Number::Integer(i64::MAX)));
        assert_eq!(number("-9223372036854775808"), Ok(Number::Integer(i64::MIN)));
        assert_eq!(number("9223372036854775808"), Ok(Number::WideInteger("9223372036854775808")));
        assert_eq!(number("-9223372036854775809"), Ok(Number::WideInteger("-9223372036854775809")));
        assert_eq!(
            number("18446744073709551617"),
            Ok(Number::WideInteger("18446744073709551617")),
            "20 digits that wrap to a small number"
        );
        assert_eq!(number("0.1"), Ok(Number::Double(0.1)));
        assert_eq!(number("5e-324"), Ok(Number::Double(5e-324)));
        assert_eq!(number("-Infinity"), Ok(Number::Double(f64::NEG_INFINITY)));
        assert!(matches!(number("NaN"), Ok(Number::Double(nan)) if nan.is_nan()));
        assert!(matches!(number("-0.0"), Ok(Number::Double(zero)) if zero.is_sign_negative()));
        assert_eq!(number("1e400"), Ok(Number::BeyondDouble));
        assert_eq!(number("-1e400"), Ok(Number::BeyondDouble));
        for bad in ["", "-", "01", ".5", "1.", "1e", "1e+", "+1", "-NaN", "x", "--1"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_accepted_as_serde_json_accepts_them() {
        for json in [
            r#"{"a":[1,{"b":null}],"c":"\n"}"#,
            "[]",
            "{}",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "[1 2]",
            "{1:2}",
            "tru",
            "nul",
            "[\"\\x\"]",
            "{\"\\x\":1}",
            " [ true , false ] ",
        ] {
            let mut scanner = Scanner::new(json);
            let ours = scanner.value().is_ok() && scanner.at_end();
            assert_eq!(ours, serde_json::from_str::<serde_json::Value>(json).is_ok(), "{json}");
        }
    }

    #[test]
    fn a_number_beyond_a_double_is_fine_where_nobody_needs_it_as_one() {
        assert_eq!(Scanner::new("[1e400, -1e400]").value(), Ok("[1e400, -1e400]"));
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Scanner::new(&nested(MAX_DEPTH)).value().is_ok());
        assert!(Scanner::new(&nested(MAX_DEPTH + 1)).value().is_err());
        let with_a_value = "[".repeat(MAX_DEPTH) + "1" + &"]".repeat(MAX_DEPTH);
        assert!(Scanner::new(&with_a_value).value().is_ok());
        assert_eq!(
            Scanner::new(&nested(10_000)).value().unwrap_err().why,
            "nested more than 128 levels deep"
        );
    }
}
