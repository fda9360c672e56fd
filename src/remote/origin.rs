//! Where an answer is from.

use crate::auth::Token;
use crate::server_name::ServerName;

/// See the module.
#[derive(Clone)]
pub struct Origin {
    /// The server that gave it, as it may be shown.
    pub server: ServerName,
    /// The token that it was asked with.
    pub token: Option<Token>,
}
