//! What keeps the library a good guest in somebody's process: panics stay inside, locks survive them, and forks are known of.

pub mod fork;
pub mod panics;
pub mod random;
pub mod sync;
