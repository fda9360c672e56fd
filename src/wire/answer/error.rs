//! Why an answer cannot be read.

use super::scanner::SyntaxError;
use crate::columns::Mixed;

/// Why an answer cannot be read.
pub enum ReadError {
    /// The text is not the JSON expected.
    Syntax(SyntaxError),
    /// It is, and does not answer the request.
    Answer(String),
    /// A value does not fit the type declared for its column; the text says which value.
    Value(String),
    /// As [`Value`](ReadError::Value), before it is known which; the value begins at `at`.
    Unfit {
        /// Offset in the text.
        at: usize,
        /// As in "VALUE … ".
        why: &'static str,
    },
    /// Not a error: the column does not have the type that it seemed to have, and must be read again.
    Mixed,
    /// Not a error: the answer must be read into columns first.
    NotDense,
}

/// The outcome of reading a part of an answer.
pub type ReadResult<T> = Result<T, ReadError>;

impl From<SyntaxError> for ReadError {
    fn from(syntax_error: SyntaxError) -> ReadError {
        ReadError::Syntax(syntax_error)
    }
}

impl From<Mixed> for ReadError {
    fn from(_: Mixed) -> ReadError {
        ReadError::Mixed
    }
}

/// The answer does not answer the request.
pub fn refuse<T>(why: impl Into<String>) -> ReadResult<T> {
    Err(ReadError::Answer(why.into()))
}
