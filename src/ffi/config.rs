//! `feast_config_t`.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::{guard, object};
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
    guard::value(ptr::null_mut(), || Config::new().ok().map(|config| object::give(feast_config_t { config })))
}

/// Frees a configuration. Stores opened with it are not touched.
///
/// @param config  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each configuration.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_config_free(config: *mut feast_config_t) {
    // SAFETY: made by `feast_config_new`, and freed once as the header asks.
    guard::value((), || unsafe { object::take(config) }.map(drop));
}

/// Sets one key, such as "path", "connection_pool_size" or "auth.token". Keys are named as under online_store of a
/// feature_store.yaml, those of its auth section with "auth." before them; "header.NAME" adds an HTTP header.
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

/// Takes over the online_store and auth sections of a Feast feature_store.yaml, as Feast reads it: $NAME and ${NAME}
/// are replaced by environment variables, numbers and booleans are those of YAML 1.1. online_store.type must be
/// "remote"; any key of CONFIGURATION.md may stand there. Keys that are not there keep their values; a key of these
/// two sections that is not known goes to the log callback as a warning; other sections are passed over. Later
/// feast_config_set() calls have the last word. Should be called while no other thread changes the environment.
///
/// @param config  in; changed. A refused file changes nothing.
/// @param path    in, the file's path, NUL-terminated UTF-8; borrowed for the call.
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_CONFIG with file, line and key if the file cannot be read or used; FEAST_INVALID_ARGUMENT
///         for NULL or a path that is not UTF-8.
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
