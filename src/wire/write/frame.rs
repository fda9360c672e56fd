//! Columns of rows to be written.

use std::ops::Range;

use crate::error::{Error, Result};

/// Which rows of a column have no value; `None`: all have one.
pub type Nulls = Option<Vec<bool>>;

/// Texts, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    ends: Vec<usize>,
    data: String,
}

impl Texts {
    /// Adds one.
    pub fn push(&mut self, text: &str) {
        self.data.push_str(text);
        self.ends.push(self.data.len());
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One of them.
    pub fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.data[start..self.ends[at]]
    }
}

/// Values of one type, one a row, or the items of all lists one after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Items {
    /// Integers.
    Int(Vec<i64>),
    /// Reals.
    Real(Vec<f64>),
    /// Booleans.
    Bool(Vec<bool>),
    /// Moments in nanoseconds since 1970.
    Timestamp(Vec<i64>),
    /// Text.
    Text(Texts),
}

impl Items {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Items::Int(values) | Items::Timestamp(values) => values.len(),
            Items::Real(values) => values.len(),
            Items::Bool(values) => values.len(),
            Items::Text(texts) => texts.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them.
    pub fn select(self, wanted: impl Iterator<Item = usize>) -> Items {
        match self {
            Items::Int(values) => Items::Int(wanted.map(|at| values[at]).collect()),
            Items::Real(values) => Items::Real(wanted.map(|at| values[at]).collect()),
            Items::Bool(values) => Items::Bool(wanted.map(|at| values[at]).collect()),
            Items::Timestamp(values) => Items::Timestamp(wanted.map(|at| values[at]).collect()),
            Items::Text(texts) => {
                let mut selected = Texts::default();
                wanted.for_each(|at| selected.push(texts.get(at)));
                Items::Text(selected)
            }
        }
    }
}

/// Lists: that of row i has the items `ends[i - 1]` up to `ends[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    /// One a row.
    pub ends: Vec<usize>,
    /// Of all lists.
    pub items: Items,
}

impl Lists {
    /// The items of a row's list.
    pub(super) fn items_of(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start..self.ends[row]
    }

    /// The row of an item.
    pub(super) fn row_of(&self, item: usize) -> usize {
        self.ends.partition_point(|&end| end <= item)
    }
}

/// The values of a column, one a row, something where it is null.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Single values.
    Single(Items),
    /// Lists of them.
    Lists(Lists),
    /// JSON texts of any kind.
    Json(Texts),
    /// Nothing but nulls, so many.
    Null(usize),
}

impl Values {
    /// Rows.
    pub fn rows(&self) -> usize {
        match self {
            Values::Single(items) => items.len(),
            Values::Lists(lists) => lists.ends.len(),
            Values::Json(texts) => texts.len(),
            Values::Null(rows) => *rows,
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub(super) name: String,
    pub(super) values: Values,
    pub(super) nulls: Nulls,
}

impl Column {
    /// Whether a row has no value.
    pub fn is_null(&self, row: usize) -> bool {
        matches!(self.values, Values::Null(_)) || self.nulls.as_ref().is_some_and(|nulls| nulls[row])
    }

    /// Whether the server's data frame changes its values where one of them is null.
    pub(super) fn minds_nulls(&self) -> bool {
        match &self.values {
            Values::Single(items) => matches!(items, Items::Int(_) | Items::Bool(_) | Items::Timestamp(_)),
            // Numbers and booleans among them.
            Values::Json(_) => (0..self.values.rows()).any(|row| !self.is_null(row) && self.is_plain(row)),
            Values::Lists(_) | Values::Null(_) => false,
        }
    }

    /// Whether the JSON of a row is a number or a boolean.
    fn is_plain(&self, row: usize) -> bool {
        let Values::Json(texts) = &self.values else { return false };
        is_number(texts.get(row)) || texts.get(row).starts_with(['t', 'f'])
    }

    /// The first number that JSON cannot write, where it is no null, and its row.
    fn unwritable(&self, reals: &[f64], row_of: impl Fn(usize) -> usize) -> Option<(usize, f64)> {
        let found = reals.iter().enumerate().filter(|(_, real)| !real.is_finite());
        found.map(|(at, &real)| (row_of(at), real)).find(|&(row, _)| !self.is_null(row))
    }

    /// The error of a row.
    pub(super) fn refuse(&self, row: usize, why: impl std::fmt::Display) -> Error {
        Error::argument(format!("column `{}`, row {row}: {why}", self.name))
    }

    /// What its values are, for people.
    pub(super) fn kind(&self) -> &'static str {
        match &self.values {
            Values::Single(Items::Int(_)) => "integers",
            Values::Single(Items::Real(_)) => "reals",
            Values::Single(Items::Bool(_)) => "booleans",
            Values::Single(Items::Timestamp(_)) => "timestamps",
            Values::Single(Items::Text(_)) => "text",
            Values::Lists(_) => "lists",
            Values::Json(_) => "JSON",
            Values::Null(_) => "nulls",
        }
    }
}

/// Rows to be written: columns of equal length, each with a name of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub(super) columns: Vec<Column>,
}

impl Frame {
    /// Adds a column. Whether its length is that of the others is seen when the frame is written.
    pub fn add(&mut self, name: &str, values: Values, nulls: Nulls) -> Result<()> {
        if name.is_empty() {
            return Err(Error::argument("the name of the column is empty"));
        }
        if self.columns.iter().any(|column| column.name == name) {
            return Err(Error::argument(format!("the frame has a column `{name}` already")));
        }
        let column = Column { name: name.to_owned(), values, nulls };
        let unwritable = match &column.values {
            Values::Single(Items::Real(reals)) => column.unwritable(reals, |row| row),
            Values::Lists(lists) => match &lists.items {
                Items::Real(reals) => column.unwritable(reals, |item| lists.row_of(item)),
                _ => None,
            },
            _ => None,
        };
        if let Some((row, value)) = unwritable {
            return Err(
                column.refuse(row, format!("{value} cannot be written as JSON; a missing value is a null"))
            );
        }
        self.columns.push(column);
        Ok(())
    }

    /// Adds a column by a JSON array of anything.
    pub fn add_json(&mut self, name: &str, json: &str) -> Result<()> {
        let values: Vec<&serde_json::value::RawValue> = serde_json::from_str(json).map_err(|error| {
            Error::argument(format!(
                "column `{name}`: not a JSON array: {error} (NaN and Infinity are no JSON, either)"
            ))
        })?;
        let mut texts = Texts::default();
        values.iter().for_each(|value| texts.push(value.get()));
        let nulls: Vec<bool> = values.iter().map(|value| value.get() == "null").collect();
        let nulls = nulls.contains(&true).then_some(nulls);
        self.add(name, Values::Json(texts), nulls)
    }

    /// Rows of the first column.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.rows())
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }
}

/// Whether a JSON text is a number.
pub(super) fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_twice_and_numbers_that_json_cannot_write_are_refused() {
        let mut frame = Frame::default();
        let reals = |values: &[f64]| Values::Single(Items::Real(values.to_vec()));
        frame.add("a", reals(&[1.0, f64::NAN]), Some(vec![false, true])).unwrap();
        let refused =
            |frame: &mut Frame, name: &str, values| frame.add(name, values, None).unwrap_err().message;
        assert_eq!(refused(&mut frame, "a", reals(&[])), "the frame has a column `a` already");
        assert!(
            refused(&mut frame, "b", reals(&[1.0, f64::NAN])).starts_with("column `b`, row 1: NaN cannot")
        );
        let lists =
            Values::Lists(Lists { ends: vec![1, 1, 3], items: Items::Real(vec![0.0, 1.0, f64::INFINITY]) });
        assert!(refused(&mut frame, "b", lists).starts_with("column `b`, row 2: inf cannot"));
        assert!(frame.add_json("b", "[NaN]").unwrap_err().message.contains("NaN and Infinity are no JSON"));
        assert_eq!(frame.columns(), 1, "a refused column leaves no trace");
    }
}
