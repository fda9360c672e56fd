//! Grows a response column by column and infers each column's type from its values.
//!
//! The lattice, the same whatever the order of the rows: nulls fit every type; integers give INT64; integers
//! and reals give DOUBLE if each integer is exactly a double; booleans BOOL; strings STRING; anything else, and
//! any other mixture, JSON.

use std::ops::Range;

use super::{Column, Response, Type};

/// Where one column's parts lie.
#[derive(Clone, Debug)]
pub struct ColumnParts {
    pub(super) kind: Type,
    pub(super) words: usize,
    pub(super) bytes: Range<usize>,
    pub(super) bits: Option<usize>,
    /// Start of the statuses, where the server sent some.
    pub statuses: Option<usize>,
    /// Start of the event timestamps, where the server sent some.
    pub event_timestamps: Option<usize>,
    /// Values in the column.
    pub rows: usize,
}

/// The value does not fit the column's type so far: read the column again as JSON.
pub struct Mixed;

/// What a value did to its column.
pub type Fit = Result<(), Mixed>;

/// A response in the making, and the column being filled.
#[derive(Debug)]
pub struct Builder {
    response: Response,
    kind: Type,
    rows: usize,
    words_start: usize,
    bytes_start: usize,
    bits_start: usize,
    nulls: bool,
}

impl Builder {
    /// For answers of `rows` rows, with room for about so many columns and cells.
    pub fn new(rows: usize, columns: usize, cells: usize) -> Builder {
        let response = Response {
            rows,
            entities: 0,
            columns: Vec::with_capacity(columns),
            names: Vec::with_capacity(columns * 16),
            words: Vec::with_capacity(cells),
            bytes: Vec::new(),
            bits: Vec::new(),
            statuses: Vec::with_capacity(cells),
            event_timestamps: Vec::with_capacity(cells),
        };
        Builder {
            response,
            kind: Type::Null,
            rows: 0,
            words_start: 0,
            bytes_start: 0,
            bits_start: 0,
            nulls: false,
        }
    }

    /// Rows that the response has in the end.
    pub fn rows(&self) -> usize {
        self.response.rows
    }

    /// Rows of the column so far.
    pub fn column_rows(&self) -> usize {
        self.rows
    }

    /// Begins a column of unknown type.
    pub fn begin_column(&mut self) {
        self.kind = Type::Null;
        self.rows = 0;
        self.words_start = self.response.words.len();
        self.bytes_start = self.response.bytes.len();
        self.bits_start = self.response.bits.len();
        self.nulls = false;
    }

    /// Begins the same column again, for JSON text only.
    pub fn begin_again_as_json(&mut self) {
        self.response.words.truncate(self.words_start);
        self.response.bytes.truncate(self.bytes_start);
        self.response.bits.truncate(self.bits_start);
        self.begin_column();
        self.become_text(Type::Json);
    }

    /// Ends the column; the caller adds what else it knows of it.
    pub fn end_column(&mut self) -> ColumnParts {
        if self.nulls {
            let end = self.bits_start + self.rows.div_ceil(8);
            self.response.bits.resize(end, 0);
        }
        ColumnParts {
            kind: self.kind,
            words: self.words_start,
            bytes: self.bytes_start..self.response.bytes.len(),
            bits: self.nulls.then_some(self.bits_start),
            statuses: None,
            event_timestamps: None,
            rows: self.rows,
        }
    }

    /// A null.
    pub fn null(&mut self) {
        if !self.nulls {
            // The first null: every row before it has a value.
            self.nulls = true;
            let full = self.rows / 8;
            self.response.bits.resize(self.bits_start + full, 0xff);
            if !self.rows.is_multiple_of(8) {
                self.response.bits.push((1 << (self.rows % 8)) - 1);
            }
        }
        match self.kind {
            Type::Null => (),
            Type::Bool => self.response.bytes.push(0),
            Type::Int64 | Type::Double => self.response.words.push(0),
            Type::String | Type::Json => self.end_text(),
        }
        self.rows += 1;
    }

    #[inline]
    fn valid(&mut self) {
        if self.nulls {
            let byte = self.bits_start + self.rows / 8;
            if self.response.bits.len() <= byte {
                self.response.bits.resize(byte + 1, 0);
            }
            self.response.bits[byte] |= 1 << (self.rows % 8);
        }
        self.rows += 1;
    }

    #[inline]
    fn push_word(&mut self, word: u64) {
        self.response.words.push(word);
        self.valid();
    }

    fn become_words(&mut self, kind: Type) {
        self.kind = kind;
        self.response.words.resize(self.words_start + self.rows, 0);
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool) -> Fit {
        match self.kind {
            Type::Bool => (),
            Type::Null => {
                self.kind = Type::Bool;
                self.response.bytes.resize(self.bytes_start + self.rows, 0);
            }
            _ => return Err(Mixed),
        }
        self.response.bytes.push(u8::from(value));
        self.valid();
        Ok(())
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) -> Fit {
        match self.kind {
            Type::Int64 => self.push_word(value as u64),
            Type::Null => {
                self.become_words(Type::Int64);
                self.push_word(value as u64);
            }
            Type::Double => self.push_word(exact_double(value).ok_or(Mixed)?.to_bits()),
            _ => return Err(Mixed),
        }
        Ok(())
    }

    /// A real number.
    #[inline]
    pub fn double(&mut self, value: f64) -> Fit {
        match self.kind {
            Type::Double => (),
            Type::Null => self.become_words(Type::Double),
            Type::Int64 => {
                for word in &mut self.response.words[self.words_start..] {
                    *word = exact_double(*word as i64).ok_or(Mixed)?.to_bits();
                }
                self.kind = Type::Double;
            }
            _ => return Err(Mixed),
        }
        self.push_word(value.to_bits());
        Ok(())
    }

    /// An integer beyond int64, in decimal: a double if it is exactly one.
    pub fn wide_integer(&mut self, digits: &str) -> Fit {
        let double: f64 = digits.parse().map_err(|_| Mixed)?;
        let integer: i128 = digits.parse().map_err(|_| Mixed)?;
        // The cast saturates, so a double of 2^127 must not meet an integer of 2^127 - 1.
        if double.abs() >= 2f64.powi(127) || double as i128 != integer {
            return Err(Mixed);
        }
        self.double(double)
    }

    fn become_text(&mut self, kind: Type) {
        self.kind = kind;
        self.response.words.resize(self.words_start + self.rows + 1, 0);
    }

    fn end_text(&mut self) {
        self.response.words.push((self.response.bytes.len() - self.bytes_start) as u64);
    }

    /// A string, appended to the buffer by `write`.
    pub fn string<E: From<Mixed>>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.kind {
            Type::String => (),
            Type::Null => self.become_text(Type::String),
            _ => return Err(Mixed.into()),
        }
        write(&mut self.response.bytes)?;
        self.end_text();
        self.valid();
        Ok(())
    }

    /// A value as JSON text, in a column begun as JSON.
    pub fn json(&mut self, text: &str) {
        self.response.bytes.extend_from_slice(text.as_bytes());
        self.end_text();
        self.valid();
    }

    /// The buffer to append a column's statuses to.
    pub fn statuses(&mut self) -> &mut Vec<u8> {
        &mut self.response.statuses
    }

    /// The buffer to append a column's event timestamps to.
    pub fn event_timestamps(&mut self) -> &mut Vec<i64> {
        &mut self.response.event_timestamps
    }

    /// The response: `columns` in their final order, the first `entities` of them entities. A column without
    /// statuses gets `present` where it has a value and `null` where not.
    pub fn finish<'a>(
        self,
        columns: impl Iterator<Item = (&'a str, ColumnParts)>,
        entities: usize,
        present: u8,
        null: u8,
    ) -> Response {
        let mut response = self.response;
        response.entities = entities;
        for (name, mut parts) in columns {
            if parts.statuses.is_none() {
                parts.statuses = Some(response.statuses.len());
                for row in 0..response.rows {
                    let valid =
                        parts.bits.is_none_or(|start| response.bits[start + row / 8] >> (row % 8) & 1 == 1);
                    response.statuses.push(if valid { present } else { null });
                }
            }
            let start = response.names.len();
            response.names.extend_from_slice(name.as_bytes());
            response.columns.push(Column { name: start..response.names.len(), parts });
            response.names.push(0);
        }
        response
    }
}

/// The integer as a double if that is exactly it.
fn exact_double(integer: i64) -> Option<f64> {
    let double = integer as f64;
    (double as i128 == i128::from(integer)).then_some(double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_become_doubles_only_exactly() {
        assert_eq!(exact_double(1 << 53), Some(9007199254740992.0));
        assert_eq!(exact_double((1 << 53) + 1), None);
        assert_eq!(exact_double(i64::MIN), Some(-9223372036854775808.0));
        assert_eq!(exact_double(i64::MAX), None, "a saturating cast back must not hide the rounding");
    }

    #[test]
    fn validity_bits_are_right_around_every_byte_boundary() {
        for rows in 1..40 {
            for null in 0..rows {
                let mut builder = Builder::new(rows, 1, rows);
                builder.begin_column();
                for row in 0..rows {
                    if row == null {
                        builder.null();
                    } else {
                        assert!(builder.integer(row as i64).is_ok());
                    }
                }
                let parts = builder.end_column();
                let response = builder.finish([("a", parts)].into_iter(), 0, 1, 2);
                let bits = response.validity(0).unwrap();
                for row in 0..rows {
                    assert_eq!(bits[row / 8] >> (row % 8) & 1 == 1, row != null, "{row} of {rows}");
                    assert_eq!(response.statuses(0).unwrap()[row], if row == null { 2 } else { 1 });
                }
                if rows > 1 {
                    assert_eq!(response.int64(0).unwrap()[null], 0);
                } else {
                    assert_eq!(response.column_type(0), Some(Type::Null));
                }
            }
        }
    }
}
