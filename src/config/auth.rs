//! The `auth` section.

use std::time::Duration;

use super::Secret;
use crate::error::{Error, Result};

/// Kinds of authentication, as Feast names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthKind {
    /// `no_auth`
    #[default]
    None,
    /// `oidc`
    Oidc,
    /// `kubernetes`
    Kubernetes,
    /// `host`: the program sets its tokens itself. Not one of Feast's.
    Host,
}

/// The `auth` section.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)] // CONFIGURATION.md documents each key
pub struct AuthConfig {
    pub kind: AuthKind,
    pub token: Secret,
    pub token_env_var: String,
    pub token_file: String,
    pub auth_discovery_url: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub username: String,
    pub password: Secret,
    pub verify_ssl: bool,
    pub ca_cert_path: String,
    pub token_refresh_margin: Duration,
    pub user_token: Secret,
}

impl AuthConfig {
    /// Feast's rules for oidc (feast/permissions/auth_model.py, OidcClientAuthConfig): one source of tokens, complete.
    pub(super) fn validate(&self) -> Result<()> {
        let refuse = |why: String| Err(Error::config(format!("auth: {why}")));
        let secrets = !self.token.is_empty() || !self.client_secret.is_empty() || !self.password.is_empty();
        match self.kind {
            AuthKind::None if secrets || !self.token_env_var.is_empty() || !self.user_token.is_empty() => {
                return refuse(
                    "credentials are set and type is no_auth; set type to oidc or kubernetes".to_owned(),
                );
            }
            AuthKind::None if !self.token_file.is_empty() => {
                return refuse("token_file needs type oidc or kubernetes".to_owned());
            }
            AuthKind::Kubernetes if !self.user_token.is_empty() && !self.token_file.is_empty() => {
                return refuse("only one of user_token, token_file may be set".to_owned());
            }
            AuthKind::Host
                if secrets
                    || [&self.token_env_var, &self.token_file, &self.auth_discovery_url]
                        .iter()
                        .any(|value| !value.is_empty())
                    || !self.user_token.is_empty() =>
            {
                return refuse(
                    "type is host, so the program sets the token (feast_remote_set_token), and other \
                     sources are not used"
                        .to_owned(),
                );
            }
            AuthKind::Oidc => (),
            _ => return Ok(()),
        }
        let mut client = vec![
            ("client_secret", self.client_secret.is_empty()),
            ("auth_discovery_url", self.auth_discovery_url.is_empty()),
            ("client_id", self.client_id.is_empty()),
        ];
        if !self.username.is_empty() || !self.password.is_empty() {
            client.push(("username", self.username.is_empty()));
            client.push(("password", self.password.is_empty()));
        }
        let missing: Vec<&str> = client.iter().filter(|(_, empty)| *empty).map(|(name, _)| *name).collect();
        let complete = missing.is_empty();
        if !complete && missing.len() < client.len() {
            return refuse(format!("incomplete client credentials: {} missing", missing.join(", ")));
        }
        let sources = [
            ("token", !self.token.is_empty()),
            ("token_env_var", !self.token_env_var.is_empty()),
            ("token_file", !self.token_file.is_empty()),
            ("client_secret", complete),
        ];
        let set: Vec<&str> = sources.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
        if set.len() > 1 {
            return refuse(format!(
                "only one of token, token_env_var, token_file, client_secret may be set, but got: {}",
                set.join(", ")
            ));
        }
        Ok(())
    }
}
