//! What a program may want to know although no call fails: told to its callback, if it has set one.

use std::sync::{PoisonError, RwLock};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Something works otherwise than probably wanted.
    Warning = 1,
    /// Something happened that is part of normal life.
    Info = 2,
}

type Callback = dyn Fn(Level, &str) + Send + Sync;

/// The process's callback, and the least important level that it wants.
static CALLBACK: RwLock<Option<(Level, Box<Callback>)>> = RwLock::new(None);

/// Sets the process's callback, or takes it away. When this returns, the old one is not running and not called again.
pub fn set_callback(callback: Option<(Level, Box<Callback>)>) {
    *CALLBACK.write().unwrap_or_else(PoisonError::into_inner) = callback;
}

/// Tells the callback. The message is only made if somebody listens; it holds no secret.
pub fn write(level: Level, message: impl FnOnce() -> String) {
    let callback = CALLBACK.read().unwrap_or_else(PoisonError::into_inner);
    if let Some((most, callback)) = &*callback
        && level <= *most
    {
        callback(level, &message());
    }
}
