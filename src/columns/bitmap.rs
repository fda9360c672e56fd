//! Arrow's validity bitmaps.

use super::Start;

/// A validity bitmap in the making, at the end of its buffer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bitmap {
    start: usize,
    /// Rows so far.
    pub count: usize,
    nulls: bool,
}

impl Bitmap {
    /// Begins at this byte of its buffer.
    pub fn at(start: usize) -> Bitmap {
        Bitmap { start, ..Bitmap::default() }
    }

    /// Its first byte.
    pub fn start(&self) -> usize {
        self.start
    }

    /// A row with a value.
    #[inline]
    pub fn valid(&mut self, bits: &mut Vec<u8>) {
        if self.nulls {
            let byte = self.start + self.count / 8;
            if bits.len() <= byte {
                bits.resize(byte + 1, 0);
            }
            bits[byte] |= 1 << (self.count % 8);
        }
        self.count += 1;
    }

    /// A row without one.
    pub fn null(&mut self, bits: &mut Vec<u8>) {
        if !self.nulls {
            // The first null: everything before it has a value.
            self.nulls = true;
            bits.resize(self.start + self.count / 8, 0xff);
            if !self.count.is_multiple_of(8) {
                bits.push((1 << (self.count % 8)) - 1);
            }
        }
        self.count += 1;
    }

    /// The bitmap's start, if it is needed.
    pub fn end(self, bits: &mut Vec<u8>) -> Option<Start> {
        self.nulls.then(|| {
            bits.resize(self.start + self.count.div_ceil(8), 0);
            Start::new(self.start)
        })
    }
}

/// Whether a bitmap has a value in a row; without a bitmap each row has one.
pub fn is_valid(validity: Option<&[u8]>, row: usize) -> bool {
    validity.is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1)
}
