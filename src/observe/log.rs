//! What a program may want to know although no call fails: told to its callback, if it has set one.

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::process::fork;
use crate::process::sync::lock;

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

/// A callback, and the least important level that it wants.
struct Listener {
    most: Level,
    callback: Box<Callback>,
    running: Running,
}

/// The process's. Locked only while no fork can happen, and never while a callback runs: a child of a fork would find it
/// locked for ever.
static LISTENER: Mutex<Option<Arc<Listener>>> = Mutex::new(None);

/// The level of the least important messages that somebody wants. Nobody takes the lock where nobody listens: that waits
/// while a fork happens, for which the host may be waiting with locks of its own.
static WANTED: AtomicI32 = AtomicI32::new(0);

/// Between two looks at whether a callback still runs.
const A_MOMENT: Duration = Duration::from_micros(100);

/// Threads of this process amid the callback; those of the process that it was forked from do not count.
#[derive(Default)]
struct Running(AtomicU64);

impl Running {
    /// The process's number and the threads, as one word.
    fn word(generation: u32, threads: u32) -> u64 {
        u64::from(generation) << 32 | u64::from(threads)
    }

    fn threads(word: u64) -> u32 {
        if word >> 32 == u64::from(fork::generation()) { word as u32 } else { 0 }
    }

    fn begin(&self) {
        let more = |word| Some(Running::word(fork::generation(), Running::threads(word) + 1));
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
    }

    fn end(&self) {
        let fewer = |word| Some(Running::word(fork::generation(), Running::threads(word).checked_sub(1)?));
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
    }

    fn nobody(&self) -> bool {
        Running::threads(self.0.load(Ordering::SeqCst)) == 0
    }
}

/// Sets the process's callback, or takes it away; forks are to be watched already. When this returns, the old one is not running and not called again.
pub fn set_callback(callback: Option<(Level, Box<Callback>)>) {
    let listener =
        callback.map(|(most, callback)| Arc::new(Listener { most, callback, running: Running::default() }));
    let old = {
        let _no_fork = fork::prevent_fork();
        WANTED.store(listener.as_ref().map_or(0, |listener| listener.most as i32), Ordering::SeqCst);
        std::mem::replace(&mut *lock(&LISTENER), listener)
    };
    if let Some(old) = old {
        while !old.running.nobody() {
            std::thread::sleep(A_MOMENT);
        }
    }
}

/// Tells the callback. The message is only made if somebody listens; it holds no secret.
pub fn write(level: Level, message: impl FnOnce() -> String) {
    if level as i32 > WANTED.load(Ordering::SeqCst) {
        return;
    }
    let listener = {
        let _no_fork = fork::prevent_fork();
        match &*lock(&LISTENER) {
            Some(listener) if level <= listener.most => {
                // Before the lock is given back: whoever replaces it sees that it runs.
                listener.running.begin();
                Arc::clone(listener)
            }
            _ => return,
        }
    };
    let amid = Amid(listener);
    (amid.0.callback)(level, &message());
}

/// A callback that runs, however it ends.
struct Amid(Arc<Listener>);

impl Drop for Amid {
    fn drop(&mut self) {
        self.0.running.end();
    }
}
