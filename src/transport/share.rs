//! One libcurl share handle a store: DNS answers and TLS sessions, for all of its slots.

use std::cell::UnsafeCell;
use std::ffi::c_void;

use super::sys::*;
use crate::error::{Code, Error, Result};

/// One lock for each kind of shared data; libcurl takes and returns them in callbacks, so no guard can hold
/// them.
struct Locks([UnsafeCell<libc::pthread_mutex_t>; 8]);

/// Owns the share handle. Must outlive every easy handle that uses it.
pub struct Share {
    handle: *mut CURLSH,
    locks: *mut Locks,
}

// SAFETY: libcurl uses a share handle from many threads when it has lock callbacks, which `new` sets.
unsafe impl Send for Share {}
// SAFETY: as above.
unsafe impl Sync for Share {}

extern "C" fn lock(_easy: *mut CURL, data: curl_lock_data, _access: curl_lock_access, locks: *mut c_void) {
    // SAFETY: libcurl passes back the pointer given as USERDATA, which lives as long as the share handle.
    if let Some(mutex) = unsafe { &*locks.cast::<Locks>() }.0.get(data as usize) {
        // SAFETY: the mutex was initialised in `new` and has a stable address.
        unsafe { libc::pthread_mutex_lock(mutex.get()) };
    }
}

extern "C" fn unlock(_easy: *mut CURL, data: curl_lock_data, locks: *mut c_void) {
    // SAFETY: as in `lock`.
    if let Some(mutex) = unsafe { &*locks.cast::<Locks>() }.0.get(data as usize) {
        // SAFETY: libcurl unlocks on the thread that locked.
        unsafe { libc::pthread_mutex_unlock(mutex.get()) };
    }
}

impl Share {
    pub fn new() -> Result<Share> {
        let refused = || Error::new(Code::Internal, "libcurl refused a share handle");
        // SAFETY: plain constructor.
        let handle = unsafe { curl_share_init() };
        if handle.is_null() {
            return Err(refused());
        }
        let mutex = || UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER);
        let locks = Box::into_raw(Box::new(Locks(std::array::from_fn(|_| mutex()))));
        let share = Share { handle, locks };
        type Lock = extern "C" fn(*mut CURL, curl_lock_data, curl_lock_access, *mut c_void);
        type Unlock = extern "C" fn(*mut CURL, curl_lock_data, *mut c_void);
        // SAFETY: the handle is live and each option is given the type that curl_share_setopt(3) names.
        let code = unsafe {
            curl_share_setopt(handle, CURLSHOPT_LOCKFUNC, lock as Lock)
                | curl_share_setopt(handle, CURLSHOPT_UNLOCKFUNC, unlock as Unlock)
                | curl_share_setopt(handle, CURLSHOPT_USERDATA, locks.cast::<c_void>())
                | curl_share_setopt(handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS)
                | curl_share_setopt(handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION)
        };
        if code == CURLSHE_OK { Ok(share) } else { Err(refused()) }
    }

    /// For `CURLOPT_SHARE`.
    pub fn handle(&self) -> *mut CURLSH {
        self.handle
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // SAFETY: the owner has dropped every easy handle that used the share. Should libcurl say it is still
        // in use, it and its locks stay: a leak is better than a lock that is gone.
        unsafe {
            if curl_share_cleanup(self.handle) == CURLSHE_OK {
                drop(Box::from_raw(self.locks));
            }
        }
    }
}
