//! Columns into a row-major matrix of one number type, as model servers want it.

use super::{Items, Response, Type, is_valid};
use crate::error::{Code, Error, Result};

/// Feast's number of that status.
const OUTSIDE_MAX_AGE: u8 = 4;

/// A type that matrices are made of.
pub trait Number: Copy {
    /// From a boolean's 0 or 1, or a smaller integer.
    fn from_i32(value: i32) -> Self;
    /// From an integer, if it fits.
    fn from_i64(value: i64) -> Option<Self>;
    /// From a FLOAT's value.
    fn from_f32(value: f32) -> Option<Self> {
        Self::from_f64(value.into())
    }
    /// From a real number, if it fits.
    fn from_f64(value: f64) -> Option<Self>;
    /// What does not fit, for an error's text.
    const REFUSED: &'static str;
}

/// Rounds to the nearest, as numpy's astype(float32) does.
impl Number for f32 {
    fn from_i32(value: i32) -> f32 {
        value as f32
    }
    fn from_i64(value: i64) -> Option<f32> {
        Some(value as f32)
    }
    fn from_f32(value: f32) -> Option<f32> {
        Some(value)
    }
    fn from_f64(value: f64) -> Option<f32> {
        Some(value as f32)
    }
    const REFUSED: &'static str = "";
}

impl Number for f64 {
    fn from_i32(value: i32) -> f64 {
        value.into()
    }
    fn from_i64(value: i64) -> Option<f64> {
        super::exact_double(value)
    }
    fn from_f64(value: f64) -> Option<f64> {
        Some(value)
    }
    const REFUSED: &'static str = "is not exactly a double";
}

impl Number for i64 {
    fn from_i32(value: i32) -> i64 {
        value.into()
    }
    fn from_i64(value: i64) -> Option<i64> {
        Some(value)
    }
    fn from_f64(value: f64) -> Option<i64> {
        exact_integer(value)
    }
    const REFUSED: &'static str = "is not an integer of 64 bits";
}

/// The double as an integer if it is exactly one.
pub(super) fn exact_integer(value: f64) -> Option<i64> {
    // -2^63 is exact as a double, 2^63 is the first beyond the range; -0.0 has a sign to lose.
    let whole = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    (whole && value.trunc() == value && !(value == 0.0 && value.is_sign_negative())).then_some(value as i64)
}

/// Which columns make a matrix, and where each begins.
#[derive(Debug)]
pub struct DenseLayout {
    /// Column of the response, and how many of the matrix it takes.
    columns: Vec<(usize, usize)>,
    width: usize,
    /// A column without any value of which nothing is declared: it may be one of numbers or of lists.
    unknown: Option<usize>,
}

impl DenseLayout {
    /// Of these columns of a response. A column of lists takes as many columns as its lists have items, which
    /// must be the same number in every row that has one.
    pub fn new(response: &Response, columns: impl Iterator<Item = usize>) -> Result<DenseLayout> {
        let mut layout = DenseLayout { columns: Vec::new(), width: 0, unknown: None };
        for column in columns {
            if let (Some(Items::Text(..)), Some(kind)) =
                (response.items(column), response.column_type(column))
            {
                return Err(refused(response, column, format!("{} is no number", kind.name())));
            }
            let declared = response.declared_width(column);
            let width = match (declared, response.list_offsets(column)) {
                (Some(width), _) => width,
                (None, None) => 1,
                (None, Some(offsets)) => list_width(response, column, offsets)?,
            };
            if declared.is_none() && response.column_type(column) == Some(Type::NULL) {
                layout.unknown.get_or_insert(column);
            }
            layout.columns.push((column, width));
            layout.width += width;
        }
        Ok(layout)
    }

    /// Columns of the matrix.
    pub fn width(&self) -> usize {
        self.width
    }
}

fn list_width(response: &Response, column: usize, offsets: &[i64]) -> Result<usize> {
    let validity = response.validity(column);
    let mut width = None;
    for (row, pair) in offsets.windows(2).enumerate() {
        if !is_valid(validity, row) {
            continue;
        }
        let length = pair[1] - pair[0];
        if *width.get_or_insert(length) != length {
            return Err(refused(
                response,
                column,
                format!("row {row} has a list of {length} items, rows before it of {}", width.unwrap_or(0)),
            ));
        }
    }
    match width {
        Some(0) => Err(refused(response, column, "its lists are empty".to_owned())),
        Some(width) => Ok(width as usize),
        None => Err(refused(response, column, "every list is null, so their length is unknown".to_owned())),
    }
}

fn refused(response: &Response, column: usize, why: String) -> Error {
    let name = String::from_utf8_lossy(response.name(column).unwrap_or_default()).into_owned();
    Error::new(Code::Type, format!("column `{name}`: {why}"))
}

/// Memory of the caller's that takes a matrix: a slice, or what C passed.
pub trait Matrix<T> {
    /// Sets the value number `at`.
    fn put(&mut self, at: usize, value: T);
    /// Sets the status number `at`. Only called if statuses are wanted.
    fn put_status(&mut self, at: usize, status: u8);
}

/// How to fill a row-major matrix.
pub struct Dense<'a, T, M> {
    /// Takes the values.
    pub out: &'a mut M,
    /// Statuses are wanted too, at the same places.
    pub statuses: bool,
    /// From one row to the next, in values.
    pub row_stride: usize,
    /// For nulls.
    pub missing: T,
}

impl<T: Number, M: Matrix<T>> Dense<'_, T, M> {
    /// Whether rows of so many columns fit.
    pub fn check_stride(&self, columns: usize) -> Result<()> {
        if columns <= self.row_stride {
            return Ok(());
        }
        Err(Error::argument(format!(
            "row_stride is {}, the features take {columns} columns",
            self.row_stride
        )))
    }

    /// Fills the matrix. On an error, what has been written so far stays.
    pub fn fill(&mut self, response: &Response, layout: &DenseLayout) -> Result<()> {
        self.check_stride(layout.width)?;
        // Were it a list, the columns behind it would stand elsewhere than in another answer.
        if let Some(unknown) = layout.unknown
            && layout.width < self.row_stride
        {
            let why = format!(
                "it has no value and is not declared, so it is not known how many columns it takes; declare it, or pass {} \
                 as row_stride",
                layout.width
            );
            return Err(refused(response, unknown, why));
        }
        let mut at = 0;
        for &(column, width) in &layout.columns {
            self.fill_column(response, column, width, at)?;
            if let (true, Some(statuses)) = (self.statuses, response.statuses(column)) {
                for (row, &status) in statuses.iter().enumerate() {
                    let start = row * self.row_stride + at;
                    (start..start + width).for_each(|at| self.out.put_status(at, status));
                }
            }
            at += width;
        }
        Ok(())
    }

    fn fill_column(&mut self, response: &Response, column: usize, width: usize, at: usize) -> Result<()> {
        let items = response.items(column).unwrap_or(Items::Null);
        let missing = match response.declared_missing(column) {
            None => self.missing,
            Some(missing) => T::from_f64(missing).ok_or_else(|| {
                refused(response, column, format!("its missing value {missing} {}", T::REFUSED))
            })?,
        };
        let usual = std::mem::replace(&mut self.missing, missing);
        let filled = self.fill_items(response, column, width, at, items);
        self.missing = usual;
        filled
    }

    fn fill_items(
        &mut self,
        response: &Response,
        column: usize,
        width: usize,
        at: usize,
        items: Items<'_>,
    ) -> Result<()> {
        let outcome = match items {
            // Text has no place in a layout.
            Items::Null | Items::Text(..) => self.scatter(response, column, width, at, &[], |(): &()| None),
            Items::Bool(values) => {
                self.scatter(response, column, width, at, values, |&v| Some(T::from_i32(v.into())))
            }
            Items::Int32(values) => {
                self.scatter(response, column, width, at, values, |&v| Some(T::from_i32(v)))
            }
            Items::Int64(values) => self.scatter(response, column, width, at, values, |&v| T::from_i64(v)),
            Items::Float(values) => self.scatter(response, column, width, at, values, |&v| T::from_f32(v)),
            Items::Double(values) => self.scatter(response, column, width, at, values, |&v| T::from_f64(v)),
        };
        outcome.map_err(|(row, item)| {
            let value = match items {
                Items::Int64(values) => values[item].to_string(),
                Items::Float(values) => format!("{:?}", values[item]),
                Items::Double(values) => format!("{:?}", values[item]),
                _ => String::new(),
            };
            refused(response, column, format!("row {row}: {value} {}", T::REFUSED))
        })
    }

    /// Writes a column's values to their places; row and item of the first that does not fit.
    fn scatter<V>(
        &mut self,
        response: &Response,
        column: usize,
        width: usize,
        at: usize,
        values: &[V],
        convert: impl Fn(&V) -> Option<T>,
    ) -> std::result::Result<(), (usize, usize)> {
        let (validity, item_validity) = (response.validity(column), response.item_validity(column));
        let offsets = response.list_offsets(column);
        let judged = response.statuses(column).filter(|_| response.is_judged());
        for row in 0..response.num_rows() {
            let start = row * self.row_stride + at;
            let first = offsets.map_or(row, |offsets| offsets[row] as usize);
            let too_old = judged.is_some_and(|statuses| statuses[row] == OUTSIDE_MAX_AGE);
            let missing = values.is_empty() || too_old || !is_valid(validity, row);
            for (at, item) in (start..start + width).zip(first..) {
                let value = if missing || !is_valid(item_validity, item) {
                    self.missing
                } else {
                    convert(&values[item]).ok_or((row, item))?
                };
                self.out.put(at, value);
            }
        }
        Ok(())
    }
}
