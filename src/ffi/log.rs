//! The log callback.

use std::ffi::{CString, c_char, c_void};

use super::guard;
use crate::observe::log::{self, Level};

/// Something works otherwise than probably wanted, such as a key in a file that nothing reads.
pub const FEAST_LOG_WARNING: i32 = 1;
/// Something happened that is part of normal life.
pub const FEAST_LOG_INFO: i32 = 2;

/// Gets a message: its FEAST_LOG_ level, NUL-terminated UTF-8 that is borrowed for the call, and the pointer given to
/// feast_set_log_callback().
pub type feast_log_callback_t =
    Option<unsafe extern "C" fn(level: i32, message: *const c_char, user_data: *mut c_void)>;

/// The host's pointer, which it allows to be used on any thread.
struct UserData(*mut c_void);

// SAFETY: the header asks the host for this.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

/// Sets the process's log callback; without one nothing is logged. Messages hold no secret. They come on the thread
/// whose call gives rise to them, or on a thread of the library's for asynchronous calls, which all of the store's then
/// wait for; several at the same time from several threads. When this function returns, the
/// callback set before is not running and not called again.
///
/// @param callback   in, may be NULL: no more messages. It must not call this library, longjmp or throw.
/// @param user_data  in, may be NULL; borrowed until another callback is set, and passed on.
/// @param level      in, FEAST_LOG_WARNING, or FEAST_LOG_INFO for both.
/// Thread safety: any thread, but not from within the callback.
/// Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn feast_set_log_callback(callback: feast_log_callback_t, user_data: *mut c_void, level: i32) {
    let _uncancelled = guard::Uncancelled::now();
    guard::value((), || {
        let level = if level >= FEAST_LOG_INFO { Level::Info } else { Level::Warning };
        let user_data = UserData(user_data);
        log::set_callback(callback.map(|callback| {
            let call = move |level: Level, message: &str| {
                let user_data = &user_data;
                if let Ok(message) = CString::new(message) {
                    // SAFETY: the header asks for a callback that may be called so.
                    unsafe { callback(level as i32, message.as_ptr(), user_data.0) };
                }
            };
            (level, Box::new(call) as Box<dyn Fn(Level, &str) + Send + Sync>)
        }));
        Some(())
    });
}
