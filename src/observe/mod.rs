//! What a store tells of itself: figures, and messages to the program's callback.

pub mod log;
pub mod prometheus;
pub mod servers;
pub mod statistics;
