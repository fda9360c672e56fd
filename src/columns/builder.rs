//! Grows a response column by column. A column begun with a type takes values of that type; one begun without
//! gets its type from its values.
//!
//! The lattice, the same whatever the order of the rows: nulls fit every type; integers give INT64; integers
//! and reals give DOUBLE if each integer is exactly a double; booleans BOOL; strings STRING; lists the like
//! list, an empty one fitting every list; anything else, and any other mixture, is [`Mixed`].

use super::bitmap::Bitmap;
use super::{Column, Element, Response, Start, Type, Values};

/// The value does not fit the column's type so far.
#[derive(Debug)]
pub struct Mixed;

/// What a value did to its column.
pub type Fit = Result<(), Mixed>;

/// A response in the making, and the column being filled.
#[derive(Debug, Default)]
pub struct Builder {
    pub(super) response: Response,
    kind: Type,
    words_start: usize,
    halves_start: usize,
    bytes_start: usize,
    list_offsets_start: usize,
    rows: Bitmap,
    /// Of lists; a column of single values counts its rows only.
    items: Bitmap,
    /// About so many there will be.
    cells: usize,
    /// Memory was short; what was to be stored is not there.
    no_memory: bool,
}

/// Room for a column's statuses or timestamps: for two columns at first, since the others mostly share those of the second;
/// if they do not, for all.
fn make_room<T>(values: &mut Vec<T>, rows: usize, cells: usize) {
    if values.capacity() - values.len() < rows {
        let wanted = if values.is_empty() { rows.saturating_mul(2).min(cells) } else { cells };
        // Without memory for all of it at once, there may be some for what really comes.
        let _ = values.try_reserve_exact(wanted.saturating_sub(values.len()));
    }
}

/// Adds a value, or says that there is no memory for it: a large answer must not end the process.
#[inline]
pub fn push<T>(values: &mut Vec<T>, value: T, no_memory: &mut bool) {
    // Asked for once: the rest of the answer is only passed over.
    if values.len() == values.capacity() && (*no_memory || values.try_reserve(1).is_err()) {
        *no_memory = true;
        return;
    }
    values.push(value);
}

impl Default for Type {
    fn default() -> Type {
        Type::NULL
    }
}

impl Builder {
    /// For answers of `rows` rows, with room for about so many cells.
    pub fn new(rows: usize, cells: usize) -> Builder {
        let mut response = Response { rows, calls_in_request: 1, ..Response::default() };
        // Without memory for all of it at once, there may be some for what really comes.
        let _ = response.words.try_reserve_exact(cells);
        Builder { response, cells, ..Builder::default() }
    }

    /// Says which columns there will be: `entities` entities first. Each must be filled once.
    pub fn name_columns<'a>(&mut self, names: impl Iterator<Item = &'a str> + Clone, entities: usize) {
        let response = &mut self.response;
        let (count, length) =
            names.clone().fold((0, 0), |(count, length), name| (count + 1, length + name.len() + 1));
        response.columns.reserve_exact(count);
        response.names.reserve_exact(length);
        for name in names {
            let start = response.names.len();
            response.names.extend_from_slice(name.as_bytes());
            response.columns.push(Column {
                name: start as u32..response.names.len() as u32,
                kind: Type::NULL,
                values: Values::default(),
                validity: None,
                list_offsets: 0,
                item_validity: None,
                statuses: 0,
                event_timestamps: None,
            });
            response.names.push(0);
        }
        response.entities = entities;
    }

    /// Rows that the response has in the end.
    pub fn rows(&self) -> usize {
        self.response.rows
    }

    /// Rows of the column so far.
    pub fn column_rows(&self) -> usize {
        self.rows.count
    }

    /// The column's type so far.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// Begins a column of this type, or of one to be found out for [`Type::NULL`].
    pub fn begin_column(&mut self, kind: Type) {
        let response = &self.response;
        self.words_start = response.words.len();
        self.halves_start = response.halves.len();
        self.bytes_start = response.bytes.len();
        self.list_offsets_start = response.list_offsets.len();
        self.rows = Bitmap::at(response.bits.len());
        self.items = Bitmap::at(response.item_bits.len());
        self.kind = Type::NULL;
        if kind.list {
            self.become_list();
        }
        self.become_element(kind.element);
    }

    /// Begins the same column again.
    pub fn begin_again(&mut self, kind: Type) {
        self.response.words.truncate(self.words_start);
        self.response.halves.truncate(self.halves_start);
        self.response.bytes.truncate(self.bytes_start);
        self.response.list_offsets.truncate(self.list_offsets_start);
        self.response.bits.truncate(self.rows.start());
        self.response.item_bits.truncate(self.items.start());
        self.begin_column(kind);
    }

    /// Ends the column and makes it number `place`.
    pub fn end_column(&mut self, place: usize) {
        let validity = self.rows.end(&mut self.response.bits);
        let item_validity = self.items.end(&mut self.response.item_bits);
        let list_offsets = self.list_offsets_start;
        let element = self.kind.element;
        let halves = matches!(element, Element::Int32 | Element::Float);
        let column = &mut self.response.columns[place];
        column.kind = self.kind;
        column.values = Values {
            count: if self.kind.list { self.items.count } else { self.rows.count },
            start: if halves { self.halves_start } else { self.words_start },
            bytes: self.bytes_start..self.response.bytes.len(),
        };
        (column.validity, column.list_offsets, column.item_validity) =
            (validity, list_offsets, item_validity);
    }

    /// Values so far: rows, or items of lists.
    fn count(&self) -> usize {
        if self.kind.list { self.items.count } else { self.rows.count }
    }

    /// From no type to this one; all values so far are null.
    fn become_element(&mut self, element: Element) {
        self.kind.element = element;
        let count = self.count();
        match element {
            Element::Null => (),
            Element::Bool => self.response.bytes.resize(self.bytes_start + count, 0),
            Element::Int32 | Element::Float => self.response.halves.resize(self.halves_start + count, 0),
            Element::Int64 | Element::UnixTimestamp | Element::Double => {
                self.response.words.resize(self.words_start + count, 0);
            }
            Element::String | Element::Bytes | Element::Json => {
                self.response.words.resize(self.words_start + count + 1, 0);
            }
        }
    }

    /// From single values, all null, to lists.
    fn become_list(&mut self) {
        self.kind.list = true;
        self.response.list_offsets.resize(self.list_offsets_start + self.rows.count + 1, 0);
    }

    /// What stands in the place of a null.
    fn push_nothing(&mut self) {
        match self.kind.element {
            Element::Null => (),
            Element::Bool => push(&mut self.response.bytes, 0, &mut self.no_memory),
            Element::Int32 | Element::Float => push(&mut self.response.halves, 0, &mut self.no_memory),
            Element::Int64 | Element::UnixTimestamp | Element::Double => {
                push(&mut self.response.words, 0, &mut self.no_memory);
            }
            Element::String | Element::Bytes | Element::Json => self.end_text(),
        }
    }

    /// A row without a value.
    pub fn null(&mut self) {
        self.rows.null(&mut self.response.bits);
        if self.kind.list { self.end_list_offset() } else { self.push_nothing() }
    }

    /// An item without a value, in a list.
    pub fn null_item(&mut self) {
        self.items.null(&mut self.response.item_bits);
        self.push_nothing();
    }

    fn end_list_offset(&mut self) {
        push(&mut self.response.list_offsets, self.items.count as i64, &mut self.no_memory);
    }

    /// A row that is a list begins; its items follow.
    pub fn begin_list(&mut self) -> Fit {
        match self.kind {
            Type { list: true, .. } => Ok(()),
            Type::NULL => {
                self.become_list();
                Ok(())
            }
            _ => Err(Mixed),
        }
    }

    /// The row's list is complete.
    pub fn end_list(&mut self) {
        self.end_list_offset();
        self.rows.valid(&mut self.response.bits);
    }

    #[inline]
    fn valid(&mut self) {
        if self.kind.list {
            self.items.valid(&mut self.response.item_bits);
        } else {
            self.rows.valid(&mut self.response.bits);
        }
    }

    #[inline]
    fn push_word(&mut self, word: u64) {
        push(&mut self.response.words, word, &mut self.no_memory);
        self.valid();
    }

    /// A value of an INT64 or UNIX_TIMESTAMP column.
    #[inline]
    pub fn push_int64(&mut self, value: i64) {
        self.push_word(value as u64);
    }

    /// A value of a DOUBLE column.
    #[inline]
    pub fn push_double(&mut self, value: f64) {
        self.push_word(value.to_bits());
    }

    /// A value of an INT32 column.
    pub fn push_int32(&mut self, value: i32) {
        push(&mut self.response.halves, value as u32, &mut self.no_memory);
        self.valid();
    }

    /// A value of a FLOAT column.
    #[inline]
    pub fn push_float(&mut self, value: f32) {
        push(&mut self.response.halves, value.to_bits(), &mut self.no_memory);
        self.valid();
    }

    /// A value of a BOOL column.
    pub fn push_bool(&mut self, value: bool) {
        push(&mut self.response.bytes, u8::from(value), &mut self.no_memory);
        self.valid();
    }

    /// A value of a STRING, BYTES or JSON column of at most so many bytes, appended to the buffer by `write`.
    pub fn push_text<E>(
        &mut self,
        most: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.no_memory && self.response.bytes.try_reserve(most).is_ok() {
            write(&mut self.response.bytes)?;
        } else {
            self.no_memory = true;
        }
        self.end_text();
        self.valid();
        Ok(())
    }

    fn end_text(&mut self) {
        let end = (self.response.bytes.len() - self.bytes_start) as u64;
        push(&mut self.response.words, end, &mut self.no_memory);
    }

    /// A boolean, in a column whose type is being found out. Likewise below.
    pub fn bool(&mut self, value: bool) -> Fit {
        self.expect(Element::Bool)?;
        self.push_bool(value);
        Ok(())
    }

    #[inline]
    fn expect(&mut self, element: Element) -> Fit {
        match self.kind.element {
            known if known == element => Ok(()),
            Element::Null => {
                self.become_element(element);
                Ok(())
            }
            _ => Err(Mixed),
        }
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) -> Fit {
        if self.kind.element == Element::Double {
            self.push_double(exact_double(value).ok_or(Mixed)?);
            return Ok(());
        }
        self.expect(Element::Int64)?;
        self.push_int64(value);
        Ok(())
    }

    /// A real number.
    #[inline]
    pub fn double(&mut self, value: f64) -> Fit {
        if self.kind.element == Element::Int64 {
            for word in &mut self.response.words[self.words_start..] {
                *word = exact_double(*word as i64).ok_or(Mixed)?.to_bits();
            }
            self.kind.element = Element::Double;
        }
        self.expect(Element::Double)?;
        self.push_double(value);
        Ok(())
    }

    /// A string of at most so many bytes, appended to the buffer by `write`.
    pub fn string<E: From<Mixed>>(
        &mut self,
        most: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(Element::String)?;
        self.push_text(most, write)
    }

    /// The statuses of column `place` follow.
    pub fn begin_statuses(&mut self, place: usize) {
        make_room(&mut self.response.statuses, self.response.rows, self.cells);
        self.response.columns[place].statuses = self.response.statuses.len();
    }

    /// One of them.
    #[inline]
    pub fn status(&mut self, status: u8) {
        push(&mut self.response.statuses, status, &mut self.no_memory);
    }

    /// The server sent no statuses for column `place`: `present` where there is a value, `null` where not.
    pub fn make_statuses(&mut self, place: usize, present: u8, null: u8) {
        let Response { columns, statuses, bits, rows, .. } = &mut self.response;
        make_room(statuses, *rows, self.cells);
        let column = &mut columns[place];
        column.statuses = statuses.len();
        let validity = column.validity.map(|start| &bits[start.get()..]);
        statuses.extend((0..*rows).map(|row| if super::is_valid(validity, row) { present } else { null }));
    }

    /// The event timestamps of column `place` follow.
    pub fn begin_event_timestamps(&mut self, place: usize) {
        make_room(&mut self.response.event_timestamps, self.response.rows, self.cells);
        let start = self.response.event_timestamps.len();
        self.response.columns[place].event_timestamps = Some(Start::new(start));
    }

    /// One of them.
    #[inline]
    pub fn event_timestamp(&mut self, nanoseconds: i64) {
        push(&mut self.response.event_timestamps, nanoseconds, &mut self.no_memory);
    }

    /// Column `place` has the statuses and event timestamps of column `other`.
    pub fn share(&mut self, other: usize, place: usize) {
        let Column { statuses, event_timestamps, .. } = self.response.columns[other];
        let column = &mut self.response.columns[place];
        (column.statuses, column.event_timestamps) = (statuses, event_timestamps);
    }

    /// Whether everything could be stored. Else the response is not to be used.
    pub fn has_memory(&self) -> bool {
        !self.no_memory
    }

    /// The server sent no event timestamps for column `place` after all.
    pub fn no_event_timestamps(&mut self, place: usize) {
        self.response.columns[place].event_timestamps = None;
    }

    /// The response, when every column has been filled.
    pub fn finish(self) -> Response {
        self.response
    }
}

/// The integer as a double if that is exactly it.
pub fn exact_double(integer: i64) -> Option<f64> {
    let double = integer as f64;
    (double as i128 == i128::from(integer)).then_some(double)
}

#[cfg(test)]
mod tests {
    use super::super::{Items, is_valid};
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
                let mut builder = Builder::new(rows, rows);
                builder.name_columns(["a"].into_iter(), 0);
                builder.begin_column(Type::NULL);
                for row in 0..rows {
                    if row == null {
                        builder.null();
                    } else {
                        builder.integer(row as i64).unwrap();
                    }
                }
                builder.end_column(0);
                builder.make_statuses(0, 1, 2);
                let response = builder.finish();
                let bits = response.validity(0);
                for row in 0..rows {
                    assert_eq!(is_valid(bits, row), row != null, "{row} of {rows}");
                    assert_eq!(response.statuses(0).unwrap()[row], if row == null { 2 } else { 1 });
                }
                match response.items(0) {
                    Some(Items::Int64(values)) => assert_eq!((values.len(), values[null]), (rows, 0)),
                    other => assert!(rows == 1 && matches!(other, Some(Items::Null)), "{other:?}"),
                }
            }
        }
    }
}
