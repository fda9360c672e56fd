//! Where a store's bearer token comes from. Follows `feast/permissions/client` of Feast 0.67: the same sources in the
//! same order.

mod file;
mod host;
mod jwt;
mod oidc;

use std::sync::Arc;
use std::time::Instant;

pub use crate::config::Token;
use crate::config::{AuthConfig, AuthKind, Config, Environment, Secret};
use crate::error::{Code, Error, Result};
use crate::policy::deadline::Deadline;
use crate::transport::{Http, Pool};
use file::TokenFile;
use host::HostToken;
use oidc::ClientCredentials;

/// What can be had without asking an identity provider.
pub enum AtHand {
    /// The token to send; `None` without authentication.
    Token(Option<Token>),
    /// A token that is still valid; it is time to fetch another one.
    Stale(Token),
    /// A token must be fetched first.
    Nothing,
    /// The program must set one first.
    Awaited,
}

/// Why a call ends that waits for the program's token.
pub const WITHOUT_HOST_TOKEN: &str = "the time was up while waiting for a token from feast_remote_set_token";

/// Gives tokens to any number of threads.
pub struct Auth {
    source: Source,
    /// Goes before those of the source.
    host: HostToken,
    /// `header.Authorization` is configured.
    header: bool,
}

enum Source {
    None,
    /// As long as the store is open.
    Fixed(Token),
    File(TokenFile),
    /// Fetched from an identity provider.
    Oidc(Box<ClientCredentials>),
}

impl Auth {
    /// Chooses the source. Nothing goes over the network yet.
    pub fn new(config: &Config, environment: &Environment) -> Result<Auth> {
        let auth = &config.auth;
        let source = match auth.kind {
            AuthKind::None | AuthKind::Host => Source::None,
            AuthKind::Oidc => of_oidc(config, environment)?,
            AuthKind::Kubernetes => of_kubernetes(auth, environment)?,
        };
        let host = HostToken::new(auth.kind == AuthKind::Host);
        Ok(Auth { source, host, header: config.sets_authorization() })
    }

    /// The next attempts use this token.
    pub fn set_token(&self, token: &str) -> Result<()> {
        if self.header {
            return Err(Error::argument("header.Authorization and a token would both set the same header"));
        }
        if token.is_empty() {
            return Err(Error::argument("the token is empty"));
        }
        let token = checked(Secret::new(token.to_owned()), "token")
            .map_err(|error| Error::argument(error.message + " (without `Bearer `)"))?;
        self.host.set(Arc::new(token));
        Ok(())
    }

    /// Nobody waits for a token of the program's any more.
    pub fn close(&self) {
        self.host.close();
    }

    /// The token to send now; `None` without authentication. Takes until the deadline at most. `refused`: the program is to
    /// set another one.
    pub fn token(&self, pool: &Pool, deadline: Deadline, refused: Option<&Token>) -> Result<Option<Token>> {
        if let Some(token) = self.host.at_hand(refused) {
            return Ok(Some(token));
        }
        if self.host.waits() {
            return self.host.wait_for(refused, deadline).map(Some);
        }
        match &self.source {
            Source::None => Ok(None),
            Source::Fixed(token) => Ok(Some(Arc::clone(token))),
            Source::File(file) => file.token(Instant::now()).map(Some),
            Source::Oidc(client) => client.token(&PoolHttp { pool }, deadline).map(Some),
        }
    }

    /// The token to send now, as far as it can be had without going over the network.
    pub fn at_hand(&self, refused: Option<&Token>) -> Result<AtHand> {
        if let Some(token) = self.host.at_hand(refused) {
            return Ok(AtHand::Token(Some(token)));
        }
        if self.host.waits() {
            return Ok(AtHand::Awaited);
        }
        match &self.source {
            Source::None => Ok(AtHand::Token(None)),
            Source::Fixed(token) => Ok(AtHand::Token(Some(Arc::clone(token)))),
            Source::File(file) => file.token(Instant::now()).map(|token| AtHand::Token(Some(token))),
            Source::Oidc(client) => Ok(client.at_hand()),
        }
    }

    /// The server refused this token, which the program set or has replaced since: whether another is there or waited for.
    pub fn is_renewed_by_host(&self, token: &Token) -> bool {
        self.host.may_renew(token)
    }

    /// The server refused this token: whether asking again may give another.
    pub fn refused(&self, token: &Token) -> bool {
        match &self.source {
            Source::None | Source::Fixed(_) => false,
            Source::File(file) => file.changed_since(token),
            Source::Oidc(client) => client.forget(token),
        }
    }
}

/// HTTP to the identity provider; a test's own, or the store's pool.
pub trait HttpClient {
    /// The status and body of one exchange. `form`: a POST of it, else a GET.
    fn exchange(&self, http: &Http, form: Option<&Secret>, deadline: Deadline) -> Result<(u16, Vec<u8>)>;
}

struct PoolHttp<'a> {
    pool: &'a Pool,
}

impl HttpClient for PoolHttp<'_> {
    fn exchange(&self, http: &Http, form: Option<&Secret>, deadline: Deadline) -> Result<(u16, Vec<u8>)> {
        let transfer = self.pool.exchange(http, form.map(Secret::reveal), deadline)?;
        match transfer.result {
            Ok(status) => Ok((status, transfer.body)),
            Err(fault) => Err(fault.into_error()),
        }
    }
}

fn of_oidc(config: &Config, environment: &Environment) -> Result<Source> {
    let auth = &config.auth;
    if let Some(intra) = intra_communication(environment) {
        return fixed(jwt::unsigned("preferred_username", &intra), "INTRA_COMMUNICATION_BASE64");
    }
    if !auth.token.is_empty() {
        return fixed(auth.token.clone(), "auth.token");
    }
    if !auth.token_env_var.is_empty() {
        let name = &auth.token_env_var;
        return match environment.non_empty(name) {
            Some(token) => fixed(Secret::new(token), name),
            None => Err(Error::config(format!(
                "auth.token_env_var is `{name}`, and the environment variable is not set or is empty"
            ))),
        };
    }
    if !auth.token_file.is_empty() {
        return Ok(Source::File(TokenFile::new(auth.token_file.clone().into())));
    }
    if !auth.client_secret.is_empty() {
        return Ok(Source::Oidc(Box::new(ClientCredentials::new(config, environment)?)));
    }
    if let Some(token) = environment.non_empty("FEAST_OIDC_TOKEN") {
        return fixed(Secret::new(token), "FEAST_OIDC_TOKEN");
    }
    let file = TokenFile::new(environment.service_account_file.clone());
    if file.token(Instant::now()).is_ok() {
        return Ok(Source::File(file));
    }
    Err(Error::config(
        "auth: type is oidc and there is no token: set token, token_env_var, token_file, or client_secret with \
         auth_discovery_url and client_id, or the environment variable FEAST_OIDC_TOKEN, or run in a Kubernetes pod with \
         a service account",
    ))
}

fn of_kubernetes(auth: &AuthConfig, environment: &Environment) -> Result<Source> {
    if let Some(intra) = intra_communication(environment) {
        return fixed(jwt::unsigned("sub", &format!(":::{intra}")), "INTRA_COMMUNICATION_BASE64");
    }
    if !auth.user_token.is_empty() {
        return fixed(auth.user_token.clone(), "auth.user_token");
    }
    if !auth.token_file.is_empty() {
        return Ok(Source::File(TokenFile::new(auth.token_file.clone().into())));
    }
    let file = TokenFile::new(environment.service_account_file.clone());
    if file.token(Instant::now()).is_ok() {
        return Ok(Source::File(file));
    }
    match environment.non_empty("LOCAL_K8S_TOKEN") {
        Some(token) => fixed(Secret::new(token), "LOCAL_K8S_TOKEN"),
        None => Err(Error::config(
            "auth: type is kubernetes and there is no token: set user_token or token_file, run in a pod with a service \
             account, or set the environment variable LOCAL_K8S_TOKEN",
        )),
    }
}

/// Feast's servers among each other: a shared word in an unsigned token.
fn intra_communication(environment: &Environment) -> Option<String> {
    environment.non_empty("INTRA_COMMUNICATION_BASE64")
}

fn fixed(token: Secret, origin: &str) -> Result<Source> {
    checked(token, origin).map(|token| Source::Fixed(Arc::new(token)))
}

/// A token that can stand in a header: CR and LF would end it and begin another.
fn checked(token: Secret, origin: &str) -> Result<Secret> {
    if token.reveal().bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
        Ok(token)
    } else {
        Err(Error::config(format!("{origin}: the token contains a character that a header cannot have")))
    }
}

/// An error of the identity provider or of a token's file, as the call's.
fn unauthenticated(why: String) -> Error {
    Error::new(Code::Unauthenticated, format!("no token: {why}"))
}

#[cfg(test)]
mod tests;
