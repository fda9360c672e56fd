//! The answer to a call: typed columns over a few shared buffers.
//!
//! A response has many small columns, so they do not own their memory: values of 8 bytes lie in `words`,
//! text and booleans in `bytes`, validity bitmaps in `bits`, statuses and event timestamps in buffers of their
//! own. One response is a handful of allocations, however many columns it has.

mod builder;

pub use builder::{Builder, ColumnParts, Mixed};

/// The type of a column's values. The numbers are those of the C header and of no other meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Type {
    /// Every value is null.
    Null = 0,
    /// One byte a value, 0 or 1.
    Bool = 1,
    /// Integers.
    Int64 = 3,
    /// Numbers, each exactly as the server wrote it.
    Double = 5,
    /// UTF-8 text.
    String = 6,
    /// JSON text of whatever the server sent: lists, maps, values of mixed types.
    Json = 9,
}

/// Where one column lies in its response's buffers.
#[derive(Clone, Debug)]
struct Column {
    name: std::ops::Range<usize>,
    parts: ColumnParts,
}

/// A decoded answer. Immutable; may be read by several threads at once.
#[derive(Debug)]
pub struct Response {
    rows: usize,
    entities: usize,
    columns: Vec<Column>,
    /// Each name followed by a NUL, for callers that read C strings.
    names: Vec<u8>,
    words: Vec<u64>,
    bytes: Vec<u8>,
    bits: Vec<u8>,
    statuses: Vec<u8>,
    event_timestamps: Vec<i64>,
}

impl Response {
    /// Rows, equal in all columns.
    pub fn num_rows(&self) -> usize {
        self.rows
    }

    /// Columns in all.
    pub fn num_columns(&self) -> usize {
        self.columns.len()
    }

    /// Columns at the beginning that hold entities.
    pub fn num_entities(&self) -> usize {
        self.entities
    }

    /// A column's name and a NUL behind it.
    pub fn name_with_nul(&self, column: usize) -> Option<&[u8]> {
        let name = &self.columns.get(column)?.name;
        self.names.get(name.start..name.end + 1)
    }

    /// The first column with this name.
    pub fn find_column(&self, name: &[u8]) -> Option<usize> {
        self.columns.iter().position(|column| &self.names[column.name.clone()] == name)
    }

    /// A column's type.
    pub fn column_type(&self, column: usize) -> Option<Type> {
        Some(self.columns.get(column)?.parts.kind)
    }

    fn parts(&self, column: usize, kind: Type) -> Option<&ColumnParts> {
        self.columns.get(column).map(|column| &column.parts).filter(|parts| parts.kind == kind)
    }

    /// The values of an INT64 column; 0 where null.
    pub fn int64(&self, column: usize) -> Option<&[i64]> {
        let parts = self.parts(column, Type::Int64)?;
        Some(bytemuck::cast_slice(&self.words[parts.words..][..self.rows]))
    }

    /// The values of a DOUBLE column; 0 where null.
    pub fn double(&self, column: usize) -> Option<&[f64]> {
        let parts = self.parts(column, Type::Double)?;
        Some(bytemuck::cast_slice(&self.words[parts.words..][..self.rows]))
    }

    /// The values of a BOOL column, 0 or 1; 0 where null.
    pub fn bool(&self, column: usize) -> Option<&[u8]> {
        let parts = self.parts(column, Type::Bool)?;
        Some(&self.bytes[parts.bytes.clone()])
    }

    /// The rows + 1 offsets and the text of a STRING or JSON column.
    pub fn string(&self, column: usize) -> Option<(&[i64], &[u8])> {
        let parts = self.parts(column, Type::String).or_else(|| self.parts(column, Type::Json))?;
        let offsets = &self.words[parts.words..][..self.rows + 1];
        Some((bytemuck::cast_slice(offsets), &self.bytes[parts.bytes.clone()]))
    }

    /// Arrow's validity bitmap: bit `row % 8` of byte `row / 8` is 1 where there is a value. `None`: no nulls.
    pub fn validity(&self, column: usize) -> Option<&[u8]> {
        let start = self.columns.get(column)?.parts.bits?;
        Some(&self.bits[start..][..self.rows.div_ceil(8)])
    }

    /// Feast's field status of each row.
    pub fn statuses(&self, column: usize) -> Option<&[u8]> {
        let start = self.columns.get(column)?.parts.statuses?;
        Some(&self.statuses[start..][..self.rows])
    }

    /// Nanoseconds since 1970 of each row; `None` if the server sent none.
    pub fn event_timestamps(&self, column: usize) -> Option<&[i64]> {
        let start = self.columns.get(column)?.parts.event_timestamps?;
        Some(&self.event_timestamps[start..][..self.rows])
    }
}
