//! Values as JSON text.

use std::io::Write;

use crate::error::{Code, Error, Result};

/// Encodes a text.
pub fn write_string(out: &mut Vec<u8>, text: &str) -> Result<()> {
    serde_json::to_writer(out, text).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// Always with a '.': the Go server takes a column without one for integers.
pub fn write_double(out: &mut Vec<u8>, value: f64) -> Result<()> {
    let start = out.len();
    write!(out, "{value:?}").map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    if !out[start..].contains(&b'.')
        && let Some(exponent) = out[start..].iter().position(|&byte| byte == b'e')
    {
        out.splice(start + exponent..start + exponent, *b".0");
    }
    Ok(())
}

/// Encodes an integer.
pub fn write_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}
