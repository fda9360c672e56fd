//! Threads of ours in somebody else's process.

use std::thread::JoinHandle;

use crate::process::panics::contained;

/// A thread that takes none of the host's signals.
pub struct Worker(JoinHandle<()>);

impl Worker {
    /// Starts it; `None` if the process may have no more threads.
    pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Option<Worker> {
        // SAFETY: both sets are initialised before use; pthread_sigmask changes this thread's mask only, and it is put
        // back below. The new thread inherits the mask in which every signal is blocked.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            // A panic ends the thread and nothing else.
            let quietly = || {
                let _ = contained(|| {
                    work();
                    Ok(())
                });
            };
            let started = std::thread::Builder::new().name(name.to_owned()).spawn(quietly);
            libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
            started.ok().map(Worker)
        }
    }

    /// Whether it has nothing left to do.
    pub fn has_ended(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for its end.
    pub fn join(self) {
        let _ = self.0.join();
    }
}
