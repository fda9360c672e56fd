//! Rows to be written to a feature server, and the bodies that they go out in.
//!
//! What a feast 0.67 does with a body decides much of this: it makes a pandas data frame of it, in which a column of integers
//! with a null becomes float64 and loses digits, and one of timestamps with a null becomes nonsense. So rows go out in
//! groups, each without nulls beside such values ([`plan`]), and what cannot be written exactly is refused ([`check`]).

mod check;
mod encode;
mod frame;
mod options;
mod plan;
mod timestamp;

pub use frame::{Frame, Items, Lists, Nulls, Texts, Values};
pub use options::{Destination, PushTo, WriteOptions};
pub use plan::{Chunk, Plan};
