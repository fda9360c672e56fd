//! The answer to a call: typed columns over a few shared buffers.
//!
//! A response has many small columns, so they do not own their memory: values of 8 bytes lie in `words`, of 4 in
//! `halves`, text and booleans in `bytes`, and so on. One response is a handful of allocations, however many
//! columns it has.

mod bitmap;
mod builder;
mod declared;
mod dense;
mod expire;
mod typed;
mod types;

pub use bitmap::is_valid;
pub use builder::{Builder, Fit, Mixed, exact_double};
pub use dense::{Dense, DenseLayout, Matrix, Number};
pub use types::{Element, Type};

use std::ffi::CString;
use std::num::NonZeroUsize;
use std::ops::Range;

use crate::server_name::ServerName;
use crate::timing::Timing;

/// Where one column lies in its response's buffers. Kept small: beyond a kilobyte in all, as with a dozen columns of
/// twice the size, malloc is slow.
#[derive(Clone, Debug)]
struct Column {
    name: Range<u32>,
    kind: Type,
    values: Values,
    /// Start of the rows' validity bitmap in `bits`, if there are nulls.
    validity: Option<Start>,
    /// For lists: the start of rows + 1 offsets into the items.
    list_offsets: usize,
    /// For lists: the start of the items' validity bitmap in `item_bits`, if there are nulls.
    item_validity: Option<Start>,
    statuses: usize,
    /// Start, where the server sent some.
    event_timestamps: Option<Start>,
}

/// The values of a column, or the items of its lists one after the other.
#[derive(Clone, Debug, Default)]
struct Values {
    count: usize,
    /// Start in `words` (for text: of count + 1 offsets) or in `halves`.
    start: usize,
    /// Text or booleans.
    bytes: Range<usize>,
}

/// A start that may be missing, in no more room than one that may not.
#[derive(Clone, Copy, Debug)]
struct Start(NonZeroUsize);

impl Start {
    fn new(start: usize) -> Start {
        Start(NonZeroUsize::MIN.saturating_add(start))
    }

    fn get(self) -> usize {
        self.0.get() - 1
    }
}

impl Column {
    fn name(&self) -> Range<usize> {
        self.name.start as usize..self.name.end as usize
    }
}

/// A version of a feature view.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureViewVersion {
    /// The feature view's name.
    pub name: CString,
    /// Counted from 1; 0: it has none.
    pub version: i64,
}

/// A decoded answer. Immutable; may be read by several threads at once.
#[derive(Debug, Default)]
pub struct Response {
    rows: usize,
    entities: usize,
    columns: Vec<Column>,
    /// Each name followed by a NUL, for callers that read C strings.
    names: Vec<u8>,
    words: Vec<u64>,
    halves: Vec<u32>,
    bytes: Vec<u8>,
    bits: Vec<u8>,
    item_bits: Vec<u8>,
    list_offsets: Vec<i64>,
    statuses: Vec<u8>,
    event_timestamps: Vec<i64>,
    calls_in_request: usize,
    feature_views: Vec<FeatureViewVersion>,
    timing: Timing,
    server: Option<ServerName>,
    conversions: typed::Conversions,
    /// Of columns of which something is declared for matrices.
    in_matrices: Vec<declared::InMatrices>,
    /// Columns were judged by their age.
    judged: bool,
}

/// Items of a column: of its rows, or of its lists.
#[derive(Clone, Copy, Debug)]
pub enum Items<'a> {
    /// Nothing but nulls.
    Null,
    /// 0 or 1 each; 0 where null. Likewise below.
    Bool(&'a [u8]),
    /// INT32.
    Int32(&'a [i32]),
    /// INT64 and UNIX_TIMESTAMP.
    Int64(&'a [i64]),
    /// FLOAT.
    Float(&'a [f32]),
    /// DOUBLE.
    Double(&'a [f64]),
    /// STRING, BYTES and JSON: count + 1 offsets, and the bytes.
    Text(&'a [i64], &'a [u8]),
}

/// What items of fixed width are in memory.
pub trait FixedWidth: Sized {
    /// What they are asked for as.
    const ELEMENT: Element;
    /// Items, if they are of this kind.
    fn slice(items: Items<'_>) -> Option<&[Self]>;
}

macro_rules! fixed_width {
    ($($in_memory:ty = $element:ident),+) => { $(impl FixedWidth for $in_memory {
        const ELEMENT: Element = Element::$element;

        fn slice(items: Items<'_>) -> Option<&[Self]> {
            match items {
                Items::$element(items) => Some(items),
                _ => None,
            }
        }
    })+ };
}
fixed_width! { u8 = Bool, i32 = Int32, i64 = Int64, f32 = Float, f64 = Double }

impl Response {
    /// Without rows.
    pub fn empty<'a>(names: impl Iterator<Item = &'a str> + Clone, entities: usize) -> Response {
        let mut builder = Builder::new(0, 0);
        builder.name_columns(names.clone(), entities);
        for place in 0..names.count() {
            builder.begin_column(Type::NULL);
            builder.end_column(place);
        }
        builder.finish()
    }

    /// Gives a column without any value, and of no type, this type.
    pub fn set_type_of_nulls(&mut self, column: usize, kind: Type) {
        let rows = self.rows;
        let Some(column) = self.columns.get_mut(column).filter(|column| column.kind == Type::NULL) else {
            return;
        };
        let count = if kind.list { 0 } else { rows };
        if kind.list {
            column.list_offsets = self.list_offsets.len();
            self.list_offsets.resize(column.list_offsets + rows + 1, 0);
        }
        let bytes = self.bytes.len();
        let start = match kind.element {
            Element::Int32 | Element::Float => {
                self.halves.resize(self.halves.len() + count, 0);
                self.halves.len() - count
            }
            Element::Null => 0,
            Element::Bool => {
                self.bytes.resize(bytes + count, 0);
                0
            }
            Element::Int64 | Element::UnixTimestamp | Element::Double => {
                self.words.resize(self.words.len() + count, 0);
                self.words.len() - count
            }
            // One offset more than there are texts.
            Element::String | Element::Bytes | Element::Json => {
                self.words.resize(self.words.len() + count + 1, 0);
                self.words.len() - count - 1
            }
        };
        column.kind = kind;
        column.values = Values { count, start, bytes: bytes..self.bytes.len() };
    }

    /// Rows, equal in all columns.
    pub fn num_rows(&self) -> usize {
        self.rows
    }

    /// Calls that the request which brought this asked for; more than 1 where calls were merged.
    pub fn calls_in_request(&self) -> usize {
        self.calls_in_request
    }

    /// Sets that.
    pub fn set_calls_in_request(&mut self, calls: usize) {
        self.calls_in_request = calls;
    }

    /// The feature views that the values are of, if they were asked for.
    pub fn feature_views(&self) -> &[FeatureViewVersion] {
        &self.feature_views
    }

    /// Sets that.
    pub fn set_feature_views(&mut self, feature_views: Vec<FeatureViewVersion>) {
        self.feature_views = feature_views;
    }

    /// Where the time of the call went.
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Sets that.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// The server that gave the answer, as it may be shown; of a call in parts those that did.
    pub fn server(&self) -> Option<&ServerName> {
        self.server.as_ref()
    }

    /// Sets that.
    pub fn set_server(&mut self, server: ServerName) {
        self.server = Some(server);
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
        let name = self.columns.get(column)?.name();
        self.names.get(name.start..name.end + 1)
    }

    /// A column's name.
    pub fn name(&self, column: usize) -> Option<&[u8]> {
        self.names.get(self.columns.get(column)?.name())
    }

    /// The first column with this name.
    pub fn find_column(&self, name: &[u8]) -> Option<usize> {
        self.columns.iter().position(|column| &self.names[column.name()] == name)
    }

    /// A column's type.
    pub fn column_type(&self, column: usize) -> Option<Type> {
        Some(self.columns.get(column)?.kind)
    }

    /// The values of a column, or the items of all its lists.
    pub fn items(&self, column: usize) -> Option<Items<'_>> {
        let Column { kind, values, .. } = self.columns.get(column)?;
        let words = || &self.words[values.start..][..values.count];
        let halves = || &self.halves[values.start..][..values.count];
        Some(match kind.element {
            Element::Null => Items::Null,
            Element::Bool => Items::Bool(&self.bytes[values.bytes.clone()]),
            Element::Int32 => Items::Int32(bytemuck::cast_slice(halves())),
            Element::Float => Items::Float(bytemuck::cast_slice(halves())),
            Element::Int64 | Element::UnixTimestamp => Items::Int64(bytemuck::cast_slice(words())),
            Element::Double => Items::Double(bytemuck::cast_slice(words())),
            Element::String | Element::Bytes | Element::Json => {
                let offsets = &self.words[values.start..][..values.count + 1];
                Items::Text(bytemuck::cast_slice(offsets), &self.bytes[values.bytes.clone()])
            }
        })
    }

    /// The values of a column that is not one of lists.
    fn single(&self, column: usize) -> Option<Items<'_>> {
        self.items(column).filter(|_| !self.columns[column].kind.list)
    }

    /// The values of a BOOL column, 0 or 1; 0 where null, likewise below.
    pub fn bool(&self, column: usize) -> Option<&[u8]> {
        match self.single(column)? {
            Items::Bool(values) => Some(values),
            _ => None,
        }
    }

    /// The values of an INT32 column.
    pub fn int32(&self, column: usize) -> Option<&[i32]> {
        match self.single(column)? {
            Items::Int32(values) => Some(values),
            _ => None,
        }
    }

    /// The values of an INT64 or UNIX_TIMESTAMP column.
    pub fn int64(&self, column: usize) -> Option<&[i64]> {
        match self.single(column)? {
            Items::Int64(values) => Some(values),
            _ => None,
        }
    }

    /// The values of a FLOAT column.
    pub fn float(&self, column: usize) -> Option<&[f32]> {
        match self.single(column)? {
            Items::Float(values) => Some(values),
            _ => None,
        }
    }

    /// The values of a DOUBLE column.
    pub fn double(&self, column: usize) -> Option<&[f64]> {
        match self.single(column)? {
            Items::Double(values) => Some(values),
            _ => None,
        }
    }

    /// The rows + 1 offsets and the text of a STRING or JSON column, or the bytes of a BYTES column.
    pub fn string(&self, column: usize) -> Option<(&[i64], &[u8])> {
        match self.single(column)? {
            Items::Text(offsets, text) => Some((offsets, text)),
            _ => None,
        }
    }

    /// The rows + 1 offsets of a column of lists: row i has the items from offset i up to offset i + 1.
    pub fn list_offsets(&self, column: usize) -> Option<&[i64]> {
        let column = self.columns.get(column).filter(|column| column.kind.list)?;
        Some(&self.list_offsets[column.list_offsets..][..self.rows + 1])
    }

    /// Arrow's validity bitmap: bit `row % 8` of byte `row / 8` is 1 where there is a value. `None`: no nulls.
    pub fn validity(&self, column: usize) -> Option<&[u8]> {
        let start = self.columns.get(column)?.validity?.get();
        Some(&self.bits[start..][..self.rows.div_ceil(8)])
    }

    /// The validity bitmap of the items of a column of lists. `None`: no nulls among them.
    pub fn item_validity(&self, column: usize) -> Option<&[u8]> {
        let column = self.columns.get(column)?;
        let start = column.item_validity?.get();
        Some(&self.item_bits[start..][..column.values.count.div_ceil(8)])
    }

    /// Feast's field status of each row.
    pub fn statuses(&self, column: usize) -> Option<&[u8]> {
        Some(&self.statuses[self.columns.get(column)?.statuses..][..self.rows])
    }

    /// Nanoseconds since 1970 of each row; `None` if the server sent none.
    pub fn event_timestamps(&self, column: usize) -> Option<&[i64]> {
        let start = self.columns.get(column)?.event_timestamps?.get();
        Some(&self.event_timestamps[start..][..self.rows])
    }

    /// Whether columns were judged by their age: then what is too old is missing in matrices.
    pub fn is_judged(&self) -> bool {
        self.judged
    }

    /// Bytes held, for judging what an answer takes.
    pub fn size(&self) -> usize {
        8 * (self.words.len() + self.list_offsets.len() + self.event_timestamps.len())
            + 4 * self.halves.len()
            + self.names.len()
            + self.bytes.len()
            + self.bits.len()
            + self.item_bits.len()
            + self.statuses.len()
            + size_of::<Column>() * self.columns.len()
    }
}
