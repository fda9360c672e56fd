//! Plain scalars as PyYAML reads them (YAML 1.1, yaml/resolver.py and yaml/constructor.py).

/// A boolean.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// An integer: decimal, 0b, 0 (octal), 0x, or to base 60; with underscores.
pub fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let plain = digits.replace('_', "");
    let of_base = |digits: &str, base| {
        let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
        valid.then(|| i128::from_str_radix(digits, base).ok()).flatten()
    };
    let value = if plain == "0" && digits == "0" {
        0
    } else if let Some(binary) = digits.strip_prefix("0b") {
        of_base(&binary.replace('_', ""), 2)?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        of_base(&hexadecimal.replace('_', ""), 16)?
    } else if digits.starts_with('0') {
        of_base(&plain, 8)?
    } else if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    } else if digits.contains(':') {
        sexagesimal(&plain)?
    } else {
        of_base(&plain, 10)?
    };
    Some(sign * value)
}

/// `190:20:30`: the first part any number, the others below 60.
fn sexagesimal(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let mut value: i128 = parts.next()?.parse().ok()?;
    for part in parts {
        let digits = part.len() <= 2 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let part: i128 = if digits { part.parse().ok()? } else { return None };
        value = value.checked_mul(60)?.checked_add(part).filter(|_| part < 60)?;
    }
    Some(value)
}

/// A number with a point. An exponent needs a sign; `1e3` is text.
pub fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.contains(':') || !unsigned.contains('.') {
        return None; // to base 60, or no float at all
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(exponent) = exponent {
        let number = exponent.strip_prefix(['-', '+'])?;
        if number.is_empty() || !digits(number) {
            return None;
        }
    }
    let (whole, fraction) = mantissa.split_once('.')?;
    let begins = whole.is_empty() || whole.as_bytes()[0].is_ascii_digit();
    let (whole, fraction) = (whole.replace('_', ""), fraction.replace('_', ""));
    if !begins || !digits(&whole) || !digits(&fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    text.replace('_', "").parse().ok()
}
