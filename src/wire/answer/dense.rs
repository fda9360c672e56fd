//! An answer's numbers straight into a matrix of the caller's, without columns in between.

use super::error::{ReadError, ReadResult, refuse};
use super::frame::{Columns, Layout};
use super::repeats::{Repeats, limit_rows, status};
use super::scanner::{Number, Scanner};
use super::values::{special, to_double, to_float};
use crate::columns::{Dense, Element, Matrix, Type};
use crate::wire::request::Request;

/// Fills the matrix with the features in the order asked, row by row. The answer is [`ReadError::NotDense`] where
/// only columns can tell: lists that come in another order than asked, and declared types other than FLOAT,
/// DOUBLE and lists of them.
pub struct DenseReader<'a, 'm, M> {
    matrix: &'m mut M,
    row_stride: usize,
    missing: f32,
    statuses: bool,
    /// The column's statuses have not come yet.
    make_statuses: bool,
    request: &'m Request,
    repeats: Repeats<'a>,
    entities: usize,
    /// Features read.
    read: usize,
    /// They came in the order asked.
    in_order: bool,
    /// Columns of the matrix that lists took beyond one.
    extra: usize,
}

impl<'a, M: Matrix<f32>> Columns<'a> for DenseReader<'a, '_, M> {
    fn begin(&mut self, _: &'a str, layout: &Layout, _: &Request) -> ReadResult<()> {
        self.repeats = Repeats::default();
        (self.entities, self.read, self.in_order, self.extra) = (layout.entities(), 0, true, 0);
        Ok(())
    }

    fn column(&mut self, scanner: &mut Scanner<'a>, place: usize) -> ReadResult<()> {
        let rows = self.request.rows();
        if place < self.entities {
            return pass_entity(scanner, rows);
        }
        let feature = place - self.entities;
        self.in_order &= feature == self.read;
        if self.extra > 0 && !self.in_order {
            return Err(ReadError::NotDense);
        }
        self.read += 1;
        let at = feature + self.extra;
        if at >= self.row_stride {
            return Err(ReadError::NotDense);
        }
        let mut width = None;
        let mut statuses_read = 0;
        let mut counts = [0, 0];
        let mut values_end = None;
        scanner.object(|scanner, key| {
            if key.is("values") {
                self.make_statuses = self.statuses && statuses_read == 0;
                let read = self.values(scanner, feature, at)?;
                if width.replace(read).is_some() {
                    return refuse("`values` stands in it twice");
                }
                if read > 1 && statuses_read > 0 {
                    return Err(ReadError::NotDense);
                }
                if !self.statuses && counts == [0, 0] {
                    values_end = Some(scanner.at());
                    if let Some(tail) = self.repeats.tail_again(scanner) {
                        counts = [tail.timestamps, tail.statuses];
                        values_end = None;
                    }
                }
            } else if key.is("statuses") && self.statuses {
                // How wide lists are is known after the values, which the Go server sends last.
                let width = width.unwrap_or(1);
                let (mut row, stride, matrix) = (0, self.row_stride, &mut *self.matrix);
                statuses_read = self.repeats.statuses(scanner, rows, |status| {
                    (0..width).for_each(|item| matrix.put_status(row * stride + at + item, status));
                    row += 1;
                })?;
            } else if key.is("event_timestamps") {
                counts[0] = self.repeats.timestamps(scanner, rows, |_| ())?;
            } else if key.is("statuses") {
                counts[1] = self.repeats.statuses(scanner, rows, |_| ())?;
            } else {
                scanner.value()?;
            }
            Ok(())
        })?;
        let Some(width) = width else { return refuse("it has no `values`") };
        if let Some(end) = values_end {
            let [timestamps, statuses] = counts;
            self.repeats.keep_tail(scanner, end, place, [statuses, timestamps]);
        }
        for (what, read) in [("statuses", statuses_read.max(counts[1])), ("event timestamps", counts[0])] {
            if read != 0 && read != rows {
                return refuse(format!("it has {rows} values and {read} {what}"));
            }
        }
        self.extra += width - 1;
        Ok(())
    }
}

impl<'m, M: Matrix<f32>> DenseReader<'_, 'm, M> {
    /// For features of which nothing is declared by their names in the answer.
    pub fn new(dense: &'m mut Dense<'_, f32, M>, request: &'m Request) -> Self {
        DenseReader {
            row_stride: dense.row_stride,
            missing: dense.missing,
            statuses: dense.statuses,
            make_statuses: false,
            matrix: &mut *dense.out,
            request,
            repeats: Repeats::default(),
            entities: 0,
            read: 0,
            in_order: true,
            extra: 0,
        }
    }

    /// Reads the values of a feature to column `at` of the matrix; returns how many columns it took.
    fn values(&mut self, scanner: &mut Scanner, feature: usize, at: usize) -> ReadResult<usize> {
        let about = self.request.features().map(|features| features[feature].declared()).unwrap_or_default();
        let declared = about.kind;
        let element = declared.element;
        if !matches!(element, Element::Null | Element::Float | Element::Double) {
            return Err(ReadError::NotDense);
        }
        let rows = self.request.rows();
        let usual = self.missing;
        self.missing = about.missing.map_or(usual, |missing| missing as f32);
        let (mut row, mut any) = (0, false);
        let mut width = None;
        let text = scanner.clone();
        let outcome = scanner.array(|scanner| {
            limit_rows(row, rows)?;
            let first = scanner.peek();
            let takes_lists = declared.list || declared == Type::NULL;
            if first != b'n' && (declared.list || width.is_some() || (first == b'[' && takes_lists)) {
                // Nulls before the first list are as wide as it is, so its row must be the first.
                if !self.in_order || (row > 0 && width.is_none()) {
                    return Err(ReadError::NotDense);
                }
                // Once it is known how wide lists are, no row writes more than that.
                let room = width.unwrap_or(self.row_stride - at);
                let items = self.list(scanner, element, row * self.row_stride + at, room)?;
                any = true;
                if *width.get_or_insert(items) != items
                    || items == 0
                    || about.list_length.is_some_and(|length| length != items)
                {
                    return Err(ReadError::NotDense);
                }
            } else {
                let value = self.value(scanner, element)?;
                any |= value.is_some();
                for item in 0..width.unwrap_or(1) {
                    self.put(row * self.row_stride + at + item, value, value.is_some());
                }
            }
            row += 1;
            Ok::<_, ReadError>(())
        });
        self.missing = usual;
        match outcome {
            Err(ReadError::Unfit { at, why }) => {
                let mut scanner = text;
                scanner.skip(at - scanner.at());
                let value: String = scanner.value()?.chars().take(60).collect();
                return Err(ReadError::Value(format!(
                    "{}row {row}: {value} {why}",
                    self.request.feature_words(feature)
                )));
            }
            outcome => outcome?,
        }
        // Of what has no value and is not declared nobody knows how wide it is.
        if (declared.list && width.is_none()) || (declared == Type::NULL && !any) {
            return Err(ReadError::NotDense);
        }
        if row != rows {
            return refuse(format!("it has {row} rows, {rows} were asked for"));
        }
        Ok(width.unwrap_or(1))
    }

    fn list(
        &mut self,
        scanner: &mut Scanner,
        element: Element,
        start: usize,
        room: usize,
    ) -> ReadResult<usize> {
        if scanner.peek() != b'[' {
            return Err(ReadError::Unfit { at: scanner.at(), why: "is no list" });
        }
        let mut items = 0;
        scanner.array(|scanner| {
            if items == room {
                return Err(ReadError::NotDense);
            }
            let value = self.value(scanner, element)?;
            self.put(start + items, value, true);
            items += 1;
            Ok(())
        })?;
        Ok(items)
    }

    #[inline]
    fn put(&mut self, at: usize, value: Option<f32>, present: bool) {
        self.matrix.put(at, value.unwrap_or(self.missing));
        if self.make_statuses {
            // What the server says comes later, if it says anything.
            let status = if present { status::PRESENT } else { status::NULL_VALUE };
            self.matrix.put_status(at, status);
        }
    }

    /// A single value; `None` for a null.
    #[inline]
    fn value(&self, scanner: &mut Scanner, element: Element) -> ReadResult<Option<f32>> {
        let first = scanner.peek();
        let at = scanner.at();
        let number = match first {
            b'n' if scanner.literal("null") => return Ok(None),
            b't' if element == Element::Null && scanner.literal("true") => Number::Integer(1),
            b'f' if element == Element::Null && scanner.literal("false") => Number::Integer(0),
            b'"' => match special(scanner.string()?.raw) {
                Some(special) => Number::Double(special),
                None => return Err(ReadError::Unfit { at, why: "is no number" }),
            },
            b't' | b'f' | b'[' | b'{' => return Err(ReadError::Unfit { at, why: "is no number" }),
            _ => scanner.number()?,
        };
        let value = match (number, element) {
            // Undeclared numbers are rounded to the nearest, as numpy's astype(float32) does.
            (Number::Double(double), Element::Null) => Some(double as f32),
            (Number::Integer(integer), Element::Null) => Some(integer as f32),
            (number, Element::Float) => to_float(number),
            (number, _) => to_double(number).map(|double| double as f32),
        };
        value.map(Some).ok_or(ReadError::Unfit {
            at,
            why: if element == Element::Double {
                "is not exactly a double"
            } else {
                "is not a number of 32 bits"
            },
        })
    }
}

/// Entities are not part of the matrix, but must be those of the request: as many rows as it has.
fn pass_entity(scanner: &mut Scanner, rows: usize) -> ReadResult<()> {
    let mut count = None;
    scanner.object(|scanner, key| {
        if !key.is("values") {
            scanner.value()?;
            return Ok(());
        }
        let mut values = 0;
        scanner.array(|scanner| {
            values += 1;
            scanner.value().map(drop)
        })?;
        if count.replace(values).is_some() { refuse("`values` stands in it twice") } else { Ok(()) }
    })?;
    match count {
        Some(count) if count == rows => Ok(()),
        Some(count) => refuse(format!("it has {count} rows, {rows} were asked for")),
        None => refuse("it has no `values`"),
    }
}
