//! What is declared of columns for matrices, and whether an answer keeps to it.

use super::{Builder, Response};

/// What is declared of a column for matrices.
#[derive(Clone, Copy, Debug)]
pub struct InMatrices {
    column: usize,
    width: Option<usize>,
    missing: Option<f64>,
}

impl Builder {
    /// What is declared of column `place` for matrices.
    pub fn declare(&mut self, place: usize, width: Option<usize>, missing: Option<f64>) {
        if width.is_some() || missing.is_some() {
            self.response.in_matrices.push(InMatrices { column: place, width, missing });
        }
    }

    /// The first row of column `place`, which is one of lists, whose list has another number of items, and that number.
    pub fn list_of_other_length(&self, place: usize, length: usize) -> Option<(usize, usize)> {
        let (offsets, validity) = (self.response.list_offsets(place)?, self.response.validity(place));
        let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).enumerate();
        lengths.into_iter().find(|&(row, items)| super::is_valid(validity, row) && items != length)
    }

    /// The name of column `place`.
    pub fn name(&self, place: usize) -> &[u8] {
        self.response.name(place).unwrap_or_default()
    }
}

impl Response {
    fn in_matrices(&self, column: usize) -> Option<&InMatrices> {
        self.in_matrices.iter().find(|known| known.column == column)
    }

    /// Items that each list of a column is declared to have.
    pub fn declared_width(&self, column: usize) -> Option<usize> {
        self.in_matrices(column)?.width
    }

    /// What stands for a missing value of a column in matrices, if that is declared.
    pub fn declared_missing(&self, column: usize) -> Option<f64> {
        self.in_matrices(column)?.missing
    }
}
