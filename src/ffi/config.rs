//! `feast_config_t`.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use crate::config::{Config, Environment};

/// The settings of a store to be opened. Opaque; free with feast_config_free(). One thread at a time.
pub struct feast_config_t {
    pub(super) config: Config,
}

/// Makes a configuration with every key at its default (CONFIGURATION.md lists them; the server's URL is
/// http://localhost:6566, as for Feast itself).
///
/// @return a configuration to free with feast_config_free().
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn feast_config_new() -> *mut feast_config_t {
    guard::value(ptr::null_mut(), || {
        Config::new().ok().map(|config| Box::into_raw(Box::new(feast_config_t { config })))
    })
}

/// Frees a configuration. Stores opened with it are not touched.
///
/// @param config  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each configuration.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_config_free(config: *mut feast_config_t) {
    guard::value((), || {
        if !config.is_null() {
            // SAFETY: made by `feast_config_new`, and freed once as the header asks.
            drop(unsafe { Box::from_raw(config) });
        }
        Some(())
    });
}

/// Sets one key, such as "path", "connection_pool_size" or "request_timeout_ms". Keys are named as under
/// online_store of a feature_store.yaml.
///
/// @param config  in; changed. A refused value leaves the old one.
/// @param key     in, NUL-terminated UTF-8; borrowed for the call.
/// @param value   in, NUL-terminated UTF-8, numbers in decimal; copied.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_CONFIG for an unknown key (the message names the nearest) or a value out of range
///         (it names the range); FEAST_INVALID_ARGUMENT for NULL or text that is not UTF-8.
/// Thread safety: one thread at a time on one configuration.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_config_set(
    config: *mut feast_config_t,
    key: *const c_char,
    value: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let config = guard::object_mut(config, "config")?;
            config.config.set(guard::text(key, "key")?, guard::text(value, "value")?)
        })
    }
}

/// Takes over the online_store section of a Feast feature_store.yaml: type (must be "remote"), path, cert,
/// the connection_ keys, and any other key of CONFIGURATION.md found there. Keys that are not there keep their
/// values; keys that this library does not know, and other sections, are passed over. An auth section of a type
/// other than no_auth is refused.
///
/// @param config  in; changed. A refused file changes nothing.
/// @param path    in, the file's path, NUL-terminated UTF-8; borrowed for the call.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_CONFIG if the file cannot be read or used; FEAST_INVALID_ARGUMENT for NULL or a
///         path that is not UTF-8.
/// Thread safety: one thread at a time on one configuration.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_config_load_yaml(
    config: *mut feast_config_t,
    path: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let config = guard::object_mut(config, "config")?;
            config.config.load_yaml(guard::text(path, "path")?, &Environment::of_process())
        })
    }
}
