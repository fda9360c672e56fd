//! What a server is called in answers, errors and figures.

use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::Arc;

/// A server's URL as it may be shown, and its address if that tells it from others. Kept as C wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerName(Arc<CStr>);

impl ServerName {
    /// Of this text.
    pub fn new(text: &str) -> ServerName {
        // Configured text has no NUL.
        ServerName(CString::new(text).unwrap_or_default().into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// For C.
    pub fn as_c_str(&self) -> &CStr {
        &self.0
    }

    /// The names of several servers.
    pub fn join<'a>(names: impl IntoIterator<Item = &'a ServerName>) -> String {
        names.into_iter().map(ServerName::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
