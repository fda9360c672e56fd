//! The rules that calls follow, as plain state machines: clock and randomness are arguments, and none of them waits,
//! locks or sends.

pub mod admission;
pub mod attempt_times;
pub mod buckets;
pub mod deadline;
pub mod hedge;
pub mod merging;
pub mod outlier;
pub mod path_death;
pub mod rebalance;
pub mod retry;
