//! What `curl-sys` lacks, and the one-time start of libcurl.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
#[cfg(feature = "vendored")]
use std::ffi::{CString, c_ulong};
use std::net::IpAddr;

pub use curl_sys::*;
use once_cell::sync::OnceCell;
#[cfg(feature = "system")]
use openssl_sys as _;

use crate::error::{Code, Error, Result};
use crate::process::fork::prevent_fork;

// Numbers from curl/include/curl/curl.h and multi.h.
pub const CURLOPT_REQUEST_TARGET: CURLoption = CURLOPTTYPE_OBJECTPOINT + 266;
pub const CURLOPT_PREREQFUNCTION: CURLoption = CURLOPTTYPE_FUNCTIONPOINT + 312;
pub const CURLOPT_PREREQDATA: CURLoption = CURLOPTTYPE_OBJECTPOINT + 313;
pub const CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS: CURLoption = CURLOPTTYPE_LONG + 271;
pub const CURL_PREREQFUNC_OK: c_int = 0;
pub const CURLOPT_PROTOCOLS_STR: CURLoption = CURLOPTTYPE_OBJECTPOINT + 318;
pub const CURLMOPT_QUICK_EXIT: CURLMoption = CURLOPTTYPE_LONG + 21;

/// From openssl/crypto.h.
#[cfg(feature = "vendored")]
const OPENSSL_INIT_NO_ATEXIT: u64 = 0x0008_0000;
#[cfg(feature = "vendored")]
const OPENSSL_INIT_NO_LOAD_CONFIG: u64 = 0x80;
/// From openssl/conf.h.
#[cfg(feature = "vendored")]
const CONF_MFLAGS_DEFAULT_SECTION: c_ulong = 0x20;

#[cfg(feature = "vendored")]
unsafe extern "C" {
    fn OPENSSL_init_crypto(options: u64, settings: *const c_void) -> c_int;
    fn CONF_modules_load_file(file: *const c_char, application: *const c_char, flags: c_ulong) -> c_int;
    fn ERR_get_error() -> c_ulong;
    fn ERR_clear_error();
    fn ERR_error_string_n(code: c_ulong, text: *mut c_char, size: usize);
}

/// Starts libcurl on first use. It is never stopped: other stores, and other users of a shared libcurl in the
/// same process, may still be at work.
pub fn start() -> Result<()> {
    static STARTED: OnceCell<()> = OnceCell::new();
    if STARTED.get().is_some() {
        return Ok(());
    }
    // It takes milliseconds, and a child forked amid it would wait for its end for ever.
    let _no_fork = prevent_fork();
    STARTED
        .get_or_try_init(|| {
            // SAFETY: OnceCell lets one thread in at a time, and nothing of libcurl has been called before. A vendored
            // OpenSSL is private, so this is its first call: without it, OpenSSL would free itself in an atexit
            // handler while other threads of the host are still in handshakes. How the system's ends is for the host.
            let code = unsafe {
                #[cfg(feature = "fault-injection")]
                super::allocator::start_openssl();
                // The host's configuration is written for the host's OpenSSL.
                #[cfg(feature = "vendored")]
                OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG, std::ptr::null());
                global_init()
            };
            if code != CURLE_OK {
                return Err(Error::new(Code::Internal, format!("libcurl does not start (code {code})")));
            }
            check_build()
        })
        .copied()
}

/// OpenSSL as this file configures it. Once a process, whose OpenSSL has one configuration.
#[cfg(feature = "vendored")]
pub fn configure_openssl(file: &str) -> Result<()> {
    static CONFIGURED: OnceCell<String> = OnceCell::new();
    let refused = |why: &str| Error::config(format!("openssl_config: {file}: {why}"));
    let path = CString::new(file).map_err(|_| refused("the path contains a NUL"))?;
    let _no_fork = prevent_fork();
    let configured = CONFIGURED.get_or_try_init(|| {
        // SAFETY: OpenSSL has been started; a NUL-terminated path, and the default section. The error queue is this thread's.
        unsafe {
            ERR_clear_error();
            if CONF_modules_load_file(path.as_ptr(), std::ptr::null(), CONF_MFLAGS_DEFAULT_SECTION) == 1 {
                return Ok(file.to_owned());
            }
            let mut text = [0u8; 256];
            ERR_error_string_n(ERR_get_error(), text.as_mut_ptr().cast(), text.len());
            ERR_clear_error();
            let text = CStr::from_bytes_until_nul(&text).unwrap_or_default().to_string_lossy();
            Err(refused(&format!("OpenSSL does not take it: {text}")))
        }
    })?;
    if configured == file {
        return Ok(());
    }
    Err(refused(&format!("a store of this process has configured OpenSSL by {configured} before")))
}

/// The machine's OpenSSL has the machine's configuration.
#[cfg(not(feature = "vendored"))]
pub fn configure_openssl(_file: &str) -> Result<()> {
    Err(Error::config(
        "openssl_config: this library uses the machine's OpenSSL, which OPENSSL_CONF configures",
    ))
}

#[cfg(not(feature = "fault-injection"))]
unsafe fn global_init() -> CURLcode {
    // SAFETY: promised by the caller: once, and before anything else of libcurl.
    unsafe { curl_global_init(CURL_GLOBAL_DEFAULT) }
}

#[cfg(feature = "fault-injection")]
use super::allocator::start_libcurl as global_init;

/// A libcurl without these would block or crash later; say so now.
fn check_build() -> Result<()> {
    // SAFETY: libcurl returns a pointer to its own static data, valid for the whole process.
    let info = unsafe { &*curl_version_info(CURLVERSION_NOW) };
    let lacks = |what| Err(Error::new(Code::Internal, format!("this libcurl lacks {what}")));
    if info.version_num < 0x07_55_00 {
        return lacks("PROTOCOLS_STR; 7.85 or newer is needed");
    }
    if info.features & CURL_VERSION_SSL == 0 {
        return lacks("TLS");
    }
    if info.features & CURL_VERSION_ASYNCHDNS == 0 {
        return lacks("asynchronous name lookups");
    }
    Ok(())
}

/// libcurl's own description of itself and its libraries.
pub fn version() -> String {
    // SAFETY: libcurl returns a NUL-terminated string in a static buffer.
    unsafe { CStr::from_ptr(curl_version()) }.to_string_lossy().into_owned()
}

/// libcurl's words for a code.
pub fn describe(code: CURLcode) -> String {
    // SAFETY: libcurl returns a static string for any code.
    unsafe { CStr::from_ptr(curl_easy_strerror(code)) }.to_string_lossy().into_owned()
}

/// Reads a number with `curl_easy_getinfo`; 0 where libcurl has none.
///
/// # Safety
/// `easy` must be a live handle that no other thread uses, `info` one of the `long` infos.
pub unsafe fn getinfo_long(easy: *mut CURL, info: CURLINFO) -> c_long {
    let mut value: c_long = 0;
    // SAFETY: as promised by the caller; `value` is what a long info writes to.
    unsafe { curl_easy_getinfo(easy, info, &raw mut value) };
    value
}

/// Reads a time in microseconds or a size in bytes with `curl_easy_getinfo`; 0 where libcurl has none.
///
/// # Safety
/// `easy` must be a live handle that no other thread uses, `info` one of the `_T` infos.
pub unsafe fn getinfo_off_t(easy: *mut CURL, info: CURLINFO) -> u64 {
    let mut value: curl_off_t = 0;
    // SAFETY: as promised by the caller; `value` is what an off_t info writes to.
    unsafe { curl_easy_getinfo(easy, info, &raw mut value) };
    u64::try_from(value).unwrap_or(0)
}

/// The address that the last transfer's connection was made to.
///
/// # Safety
/// `easy` must be a live handle that no other thread uses.
pub unsafe fn primary_ip(easy: *mut CURL) -> Option<IpAddr> {
    let mut text: *const c_char = std::ptr::null();
    // SAFETY: as promised by the caller; libcurl gives NULL or a string that lives until the next transfer.
    unsafe {
        curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &raw mut text);
        if text.is_null() { None } else { CStr::from_ptr(text).to_str().ok()?.parse().ok() }
    }
}

/// Whether the last transfer's connection is there still, for another one.
///
/// # Safety
/// `easy` must be a live handle that no other thread uses, and belong to its multi handle.
pub unsafe fn has_connection(easy: *mut CURL) -> bool {
    let mut socket: curl_socket_t = CURL_SOCKET_BAD;
    // SAFETY: as promised by the caller; `socket` is what a socket info writes to.
    unsafe { curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &raw mut socket) };
    socket != CURL_SOCKET_BAD
}

const CURLINFO_ACTIVESOCKET: CURLINFO = 0x50_0000 + 44;
const CURLINFO_OFF_T: CURLINFO = 0x60_0000;
pub const CURLINFO_SIZE_UPLOAD_T: CURLINFO = CURLINFO_OFF_T + 7;
pub const CURLINFO_NAMELOOKUP_TIME_T: CURLINFO = CURLINFO_OFF_T + 51;
pub const CURLINFO_CONNECT_TIME_T: CURLINFO = CURLINFO_OFF_T + 52;
pub const CURLINFO_PRETRANSFER_TIME_T: CURLINFO = CURLINFO_OFF_T + 53;
pub const CURLINFO_STARTTRANSFER_TIME_T: CURLINFO = CURLINFO_OFF_T + 54;
pub const CURLINFO_APPCONNECT_TIME_T: CURLINFO = CURLINFO_OFF_T + 56;
