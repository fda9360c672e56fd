//! The library's version.

use std::ffi::{CString, c_char};

use once_cell::sync::OnceCell;

use super::guard;

/// Major version of the header. A change means that programs must be changed.
pub const FEAST_VERSION_MAJOR: u32 = 0;
/// Minor version of the header. A change means that something was added.
pub const FEAST_VERSION_MINOR: u32 = 2;
/// Patch level of the header.
pub const FEAST_VERSION_PATCH: u32 = 0;
/// The header's version in one number: major * 1000000 + minor * 1000 + patch.
pub const FEAST_VERSION_NUMBER: u32 = 2000;

/// The version of the library that is loaded, to compare with FEAST_VERSION_NUMBER of the header.
///
/// @return major * 1000000 + minor * 1000 + patch.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn feast_version_number() -> u32 {
    guard::value(FEAST_VERSION_NUMBER, || None)
}

/// The version of the library that is loaded, with those of libcurl and the TLS library inside it, such as
/// "0.2.0 (libcurl/8.22.0 OpenSSL/3.6.3 zlib/1.3.2)".
///
/// @return a static string, never NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn feast_version_string() -> *const c_char {
    static TEXT: OnceCell<CString> = OnceCell::new();
    guard::value(c"unknown".as_ptr(), || {
        let make =
            || CString::new(format!("{} ({})", env!("CARGO_PKG_VERSION"), crate::transport::version()));
        TEXT.get_or_try_init(make).ok().map(|text| text.as_ptr())
    })
}
