//! The values of one column: into the type declared for it, exactly or not at all, or into the narrowest type
//! that holds them all.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::{ReadError, ReadResult};
use super::raw_string::RawString;
use super::repeats::limit_rows;
use super::scanner::{Number, Scanner};
use super::timestamp;
use crate::columns::{Builder, Element, Type, exact_double};

/// Reads an array of values into the builder's current column, of the type `declared`, or of one to be found out
/// for [`Type::NULL`].
pub fn read(scanner: &mut Scanner, builder: &mut Builder, declared: Type) -> ReadResult<()> {
    let beginning = scanner.clone();
    if declared != Type::NULL {
        builder.begin_column(declared);
        return read_declared(scanner, builder, declared).map_err(|error| match error {
            ReadError::Unfit { at, why } => unfit_value(&beginning, builder.column_rows(), at, why, declared),
            error => error,
        });
    }
    builder.begin_column(Type::NULL);
    match read_inferred(scanner, builder) {
        Err(ReadError::Mixed) => (),
        outcome => return outcome,
    }
    // Numbers and the words for those that JSON cannot write are doubles.
    let doubles = Type { element: Element::Double, list: builder.kind().list };
    for kind in [doubles, Type::JSON] {
        *scanner = beginning.clone();
        builder.begin_again(kind);
        match read_declared(scanner, builder, kind) {
            Err(ReadError::Unfit { .. }) if kind == doubles => (),
            outcome => return outcome,
        }
    }
    Ok(())
}

fn unfit_value(text: &Scanner, row: usize, at: usize, why: &str, kind: Type) -> ReadError {
    let mut scanner = text.clone();
    scanner.skip(at - scanner.at());
    // What is no JSON at all is told as that.
    let value = match scanner.value() {
        Ok(value) => value,
        Err(syntax_error) => return ReadError::Syntax(syntax_error),
    };
    let shown: String = value.chars().take(60).collect();
    let more = if shown.len() < value.len() { "…" } else { "" };
    ReadError::Value(format!("row {row}: {shown}{more} {why}, and the type declared is {}", kind.name()))
}

fn read_inferred(scanner: &mut Scanner, builder: &mut Builder) -> ReadResult<()> {
    scanner.array(|scanner| {
        limit_rows(builder.column_rows(), builder.rows())?;
        match scanner.peek() {
            b'n' if scanner.literal("null") => builder.null(),
            b'[' => {
                builder.begin_list()?;
                scanner.array(|scanner| {
                    if scanner.literal("null") {
                        builder.null_item();
                        return Ok(());
                    }
                    infer(scanner, builder)
                })?;
                builder.end_list();
            }
            _ if builder.kind().list => return Err(ReadError::Mixed),
            _ => infer(scanner, builder)?,
        }
        Ok(())
    })
}

/// A single value, not null.
#[inline]
fn infer(scanner: &mut Scanner, builder: &mut Builder) -> ReadResult<()> {
    match scanner.peek() {
        b'"' => {
            let string = scanner.string()?;
            builder.string(string.raw.len(), |out| append(string, out))?;
        }
        b't' if scanner.literal("true") => builder.bool(true)?,
        b'f' if scanner.literal("false") => builder.bool(false)?,
        b'[' | b'{' => return Err(ReadError::Mixed),
        _ => match scanner.number()? {
            Number::Integer(integer) => builder.integer(integer)?,
            Number::Double(double) => builder.double(double)?,
            Number::WideInteger(digits) => builder.double(exact_wide(digits).ok_or(ReadError::Mixed)?)?,
            Number::BeyondDouble => return Err(ReadError::Mixed),
        },
    }
    Ok(())
}

fn append(string: RawString, out: &mut Vec<u8>) -> ReadResult<()> {
    string.append_to(out).map_err(|why| ReadError::Answer(why.to_owned()))
}

fn read_declared(scanner: &mut Scanner, builder: &mut Builder, kind: Type) -> ReadResult<()> {
    scanner.array(|scanner| {
        limit_rows(builder.column_rows(), builder.rows())?;
        if scanner.literal("null") {
            builder.null();
            return Ok(());
        }
        if !kind.list {
            return read_exactly(scanner, builder, kind.element);
        }
        if scanner.peek() != b'[' {
            return Err(ReadError::Unfit { at: scanner.at(), why: "is no list" });
        }
        scanner.array(|scanner| {
            if scanner.literal("null") {
                builder.null_item();
                return Ok(());
            }
            read_exactly(scanner, builder, kind.element)
        })?;
        builder.end_list();
        Ok(())
    })
}

/// A single value, not null, as the element declared.
#[inline]
fn read_exactly(scanner: &mut Scanner, builder: &mut Builder, element: Element) -> ReadResult<()> {
    let first = scanner.peek();
    let at = scanner.at();
    let unfit = |why| Err(ReadError::Unfit { at, why });
    match element {
        Element::Json | Element::Null => {
            let text = scanner.value()?;
            builder.push_text(text.len(), |out| {
                out.extend_from_slice(text.as_bytes());
                Ok(())
            })
        }
        Element::Bool => {
            let value = scanner.literal("true");
            if !value && !scanner.literal("false") {
                return unfit("is no boolean");
            }
            builder.push_bool(value);
            Ok(())
        }
        Element::Float | Element::Double => {
            let number = if first == b'"' {
                special(scanner.string()?.raw).map(Number::Double)
            } else {
                number(scanner, first)?
            };
            let Some(number) = number else { return unfit("is no number") };
            if element == Element::Double {
                let Some(double) = to_double(number) else { return unfit("is not exactly a double") };
                builder.push_double(double);
            } else {
                let Some(float) = to_float(number) else { return unfit("is not a number of 32 bits") };
                builder.push_float(float);
            }
            Ok(())
        }
        Element::Int32 | Element::Int64 => {
            let Some(integer) = integer(scanner, first, at)? else {
                return unfit(match element {
                    Element::Int32 => "is no integer of 32 bits",
                    _ => "is no integer of 64 bits",
                });
            };
            if element == Element::Int64 {
                builder.push_int64(integer);
            } else {
                let Ok(integer) = i32::try_from(integer) else { return unfit("is no integer of 32 bits") };
                builder.push_int32(integer);
            }
            Ok(())
        }
        Element::UnixTimestamp => {
            let seconds = if first == b'"' {
                let text = scanner.string()?.text().map_err(|why| ReadError::Answer(why.to_owned()))?;
                timestamp::parse(&text).and_then(|moment| moment.whole_seconds())
            } else {
                integer(scanner, first, at)?
            };
            let Some(seconds) = seconds else { return unfit("is no timestamp in whole seconds") };
            builder.push_int64(seconds);
            Ok(())
        }
        Element::String | Element::Bytes if first != b'"' => unfit("is no string"),
        Element::String => {
            let string = scanner.string()?;
            builder.push_text(string.raw.len(), |out| append(string, out))
        }
        Element::Bytes => {
            let text = scanner.string()?.text().map_err(|why| ReadError::Answer(why.to_owned()))?;
            builder.push_text(text.len(), |out| match STANDARD.decode_vec(text.as_bytes(), out) {
                Ok(()) => Ok(()),
                Err(_) => unfit("is no base64"),
            })
        }
    }
}

/// A number, if one begins with this byte.
#[inline]
fn number<'a>(scanner: &mut Scanner<'a>, first: u8) -> ReadResult<Option<Number<'a>>> {
    match first {
        b'"' | b't' | b'f' | b'[' | b'{' => Ok(None),
        _ => Ok(Some(scanner.number()?)),
    }
}

/// An integer, or a real without a fraction, by its digits: as a double it may have been rounded.
fn integer(scanner: &mut Scanner, first: u8, at: usize) -> ReadResult<Option<i64>> {
    Ok(match number(scanner, first)? {
        Some(Number::Integer(integer)) => Some(integer),
        Some(Number::Double(_)) => whole(scanner.since(at)),
        _ => None,
    })
}

/// What a real is, written in decimals or with an exponent, if it is an integer of 64 bits. Zero with a sign is not.
fn whole(real: &str) -> Option<i64> {
    let (mantissa, exponent) = real.split_once(['e', 'E']).unwrap_or((real, "0"));
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = [before, after].concat();
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return sign.is_empty().then_some(0);
    }
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    let exponent: i64 = exponent.parse().ok()?;
    let zeros = exponent.checked_sub(after.len() as i64)?.checked_add(trailing as i64)?;
    // More than 19 digits are beyond 64 bits.
    let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros < 20)?;
    format!("{sign}{significant}{}", "0".repeat(zeros)).parse().ok()
}

/// The words that servers send for what JSON has no number for: Python's and Go's.
pub fn special(word: &str) -> Option<f64> {
    match word {
        "NaN" => Some(f64::NAN),
        "Infinity" | "+Infinity" | "Inf" | "+Inf" => Some(f64::INFINITY),
        "-Infinity" | "-Inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The number as a double that is exactly it, as far as its text is exact.
#[inline]
pub fn to_double(number: Number) -> Option<f64> {
    match number {
        Number::Double(double) => Some(double),
        Number::Integer(integer) => exact_double(integer),
        Number::WideInteger(digits) => exact_wide(digits),
        Number::BeyondDouble => None,
    }
}

/// Reals are rounded as numpy.float32 rounds them; integers must be exact, and what is finite must stay so.
#[inline]
pub fn to_float(number: Number) -> Option<f32> {
    let double = to_double(number)?;
    let float = double as f32;
    let exact = f64::from(float) == double;
    match number {
        Number::Double(_) => (float.is_finite() || !double.is_finite()).then_some(float),
        _ => exact.then_some(float),
    }
}

/// An integer beyond int64, in decimal, as a double if it is exactly one.
fn exact_wide(digits: &str) -> Option<f64> {
    let double: f64 = digits.parse().ok()?;
    let integer: i128 = digits.parse().ok()?;
    // The cast saturates, so a double of 2^127 must not meet an integer of 2^127 - 1.
    (double.abs() < 2f64.powi(127) && double as i128 == integer).then_some(double)
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn reals_that_are_integers_are_those_however_they_are_written() {
        for (real, integer) in [
            ("1e3", 1000),
            ("1E+3", 1000),
            ("1e+16", 10_000_000_000_000_000),
            ("1.50e1", 15),
            ("100e-2", 1),
            ("-12.0", -12),
            ("0.0", 0),
            ("0e400", 0),
            ("9.223372036854775807e18", i64::MAX),
            ("-9223372036854775808.00", i64::MIN),
        ] {
            assert_eq!(whole(real), Some(integer), "{real}");
        }
        for real in
            ["1.5", "1e-1", "-0.0", "-0", "-0e3", "1e19", "9223372036854775808.0", "1e99999999999999999999"]
        {
            assert_eq!(whole(real), None, "{real}");
        }
    }
}
