//! The certificate authorities a store trusts, parsed once for all of its connections.
//!
//! libcurl would parse the CA file anew for every slot: its cache of it belongs to a multi handle. OpenSSL's
//! store is reference-counted and may be used by many handshakes at once, so ours is handed to each of them.

use std::ffi::{CStr, CString, c_char, c_int, c_ulong, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use once_cell::sync::OnceCell;

use super::sys::{CURL, CURLE_OK, CURLcode};
use crate::config::Environment;
use crate::error::{Code, Error, Result};
use crate::process::fork::prevent_fork;

// From openssl/x509_vfy.h. libcurl sets the same two.
const X509_V_FLAG_TRUSTED_FIRST: c_ulong = 0x8000;
const X509_V_FLAG_PARTIAL_CHAIN: c_ulong = 0x80000;

unsafe extern "C" {
    fn X509_STORE_new() -> *mut c_void;
    fn X509_STORE_free(store: *mut c_void);
    fn X509_STORE_set_flags(store: *mut c_void, flags: c_ulong) -> c_int;
    fn X509_STORE_load_file(store: *mut c_void, file: *const c_char) -> c_int;
    fn X509_STORE_load_path(store: *mut c_void, directory: *const c_char) -> c_int;
    fn SSL_CTX_set1_cert_store(context: *mut c_void, store: *mut c_void);
    fn ERR_clear_error();
}

#[cfg(all(feature = "vendored", target_arch = "x86_64"))]
unsafe extern "C" {
    fn SSL_in_before(connection: *const c_void) -> c_int;
    fn SSL_set0_rbio(connection: *mut c_void, read: *mut c_void);
    fn SSL_set0_wbio(connection: *mut c_void, write: *mut c_void);
    fn BIO_up_ref(bio: *mut c_void) -> c_int;
    fn BIO_free_all(bio: *mut c_void);
}

/// Owns a reference to the OpenSSL store.
pub struct Trust(*mut c_void);

// SAFETY: OpenSSL guards an X509_STORE with a lock of its own and counts its references atomically.
unsafe impl Send for Trust {}
// SAFETY: as above.
unsafe impl Sync for Trust {}

impl Trust {
    /// The authorities of one PEM file, named by this key, or the system's.
    pub fn load(file: Option<(&str, &str)>, environment: &Environment) -> Result<Trust> {
        let _no_fork = prevent_fork();
        // SAFETY: plain constructor.
        let trust = Trust(unsafe { X509_STORE_new() });
        if trust.0.is_null() {
            return Err(Error::new(Code::Internal, "out of memory"));
        }
        // SAFETY: a live store.
        unsafe { X509_STORE_set_flags(trust.0, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN) };
        match file {
            Some((key, cert)) => {
                let path = CString::new(cert)
                    .map_err(|_| Error::config(format!("{key}: the path contains a NUL")))?;
                if !trust.add(&path, X509_STORE_load_file) {
                    return Err(Error::config(format!("{key}: {cert}: holds no PEM certificate")));
                }
            }
            None => {
                let variable =
                    |name| environment.non_empty(name).map(PathBuf::from).filter(|path| path.exists());
                let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).ok();
                let file = variable("SSL_CERT_FILE").or_else(|| systems_file(environment));
                if let Some(file) = file.as_deref().and_then(text) {
                    trust.add(&file, X509_STORE_load_file);
                }
                let systems = openssl_probe::candidate_cert_dirs().map(Path::to_owned);
                let directories = variable("SSL_CERT_DIR").into_iter().chain(systems);
                for directory in directories.filter_map(|directory| text(&directory)) {
                    trust.add(&directory, X509_STORE_load_path);
                }
            }
        }
        Ok(trust)
    }

    fn add(&self, path: &CStr, load: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int) -> bool {
        // SAFETY: a live store and a NUL-terminated path. The error queue is this thread's and would otherwise
        // be found by the next call into OpenSSL.
        unsafe {
            let loaded = load(self.0, path.as_ptr()) == 1;
            ERR_clear_error();
            loaded
        }
    }

    /// For `CURLOPT_SSL_CTX_DATA`; borrowed, the trust must outlive the easy handle.
    pub fn as_ptr(&self) -> *mut c_void {
        self.0
    }
}

/// Where the distribution keeps its certificates, which the vendored OpenSSL does not know. Probing reads the process's
/// environment, which nobody is to do later than at an open: a forked child has what its parent found.
fn systems_file(environment: &Environment) -> Option<PathBuf> {
    static FOUND: OnceCell<Option<PathBuf>> = OnceCell::new();
    if let Some(found) = FOUND.get() {
        return found.clone();
    }
    let found = openssl_probe::probe().cert_file;
    if environment.non_empty("SSL_CERT_FILE").is_none() {
        // Not what a variable says.
        let _ = FOUND.set(found.clone());
    }
    found
}

/// For `CURLOPT_SSL_CTX_FUNCTION`.
pub extern "C" fn use_trust(_easy: *mut CURL, context: *mut c_void, trust: *mut c_void) -> CURLcode {
    // SAFETY: libcurl passes the SSL_CTX of a new connection and the pointer that it was given; the context
    // takes a reference of its own.
    unsafe { SSL_CTX_set1_cert_store(context, trust) };
    CURLE_OK
}

/// In place of `SSL_set_bio`, wherever libcurl calls it (`build.rs`). Where memory fails, OpenSSL's
/// `SSL_set_connect_state`, the step before this one, cannot say so, and the real function would then follow a null
/// pointer. Here the connection goes without, and `SSL_connect`, the next step, says that it failed.
///
/// # Safety
/// A live connection that has not begun; the BIO, of which both are the same, is given away.
#[cfg(all(feature = "vendored", target_arch = "x86_64"))]
unsafe extern "C" fn set_bio(connection: *mut c_void, read: *mut c_void, write: *mut c_void) {
    // SAFETY: promised by the caller. Each of the two takes a reference for itself.
    unsafe {
        if SSL_in_before(connection) == 0 {
            return BIO_free_all(write);
        }
        if read == write && !read.is_null() {
            BIO_up_ref(read);
        }
        SSL_set0_rbio(connection, read);
        SSL_set0_wbio(connection, write);
    }
}

// The name that `--wrap` makes of SSL_set_bio. Not `#[no_mangle]`: rustc would export it from the shared library.
#[cfg(all(feature = "vendored", target_arch = "x86_64"))]
std::arch::global_asm!(
    ".globl __wrap_SSL_set_bio",
    ".hidden __wrap_SSL_set_bio",
    "__wrap_SSL_set_bio:",
    "jmp {}",
    sym set_bio
);

impl Drop for Trust {
    fn drop(&mut self) {
        // SAFETY: our reference; NULL is ignored.
        unsafe { X509_STORE_free(self.0) };
    }
}
