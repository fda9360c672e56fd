//! Tokens from an identity provider: OpenID Connect discovery, then OAuth 2.0's client credentials or password grant
//! (RFC 6749, sections 4.4 and 4.3), as Feast's OidcAuthClientManager asks for them.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{AtHand, HttpClient, Token, checked, jwt, unauthenticated};
use crate::config::{Config, Environment, Mask, Secret, form_encoded};
use crate::error::{Code, Error, Result};
use crate::observe::log::{self, Level};
use crate::policy::deadline::Deadline;
use crate::process::sync::lock;
use crate::transport::Http;

/// Life of a token that does not say how long it lives.
const UNKNOWN_LIFE: Duration = Duration::from_secs(300);
/// What one caller gives to a new token while the old one is valid, and the pause after a failure.
const LONGEST_REFRESH: Duration = Duration::from_secs(5);
const REFRESH_AGAIN: Duration = Duration::from_secs(5);
/// Of a provider's words in a message.
const MOST_WORDS: usize = 300;

/// A client of an identity provider, and the token it has. May be used by any number of threads.
pub struct ClientCredentials {
    discovery: Http,
    form: Secret,
    mask: Mask,
    margin: Duration,
    state: Mutex<State>,
    /// Signalled when a fetch has ended.
    fetched: Condvar,
}

#[derive(Default)]
struct State {
    issued: Option<Issued>,
    /// From the discovery document.
    token_endpoint: Option<String>,
    fetching: bool,
    /// Fetches that have ended.
    fetches: u64,
    /// The outcome of the last one, for those who waited for it.
    failure: Option<Error>,
}

struct Issued {
    token: Token,
    /// Replaced from here on.
    stale: Instant,
    /// Not used from here on.
    ends: Instant,
}

#[derive(Deserialize)]
struct Discovery {
    token_endpoint: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    /// A number, and with some providers a number in quotes.
    #[serde(default)]
    expires_in: Value,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

impl ClientCredentials {
    /// Nothing is fetched yet.
    pub fn new(config: &Config, environment: &Environment) -> Result<ClientCredentials> {
        let auth = &config.auth;
        let mut form = Zeroizing::new(String::new());
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &auth.client_id),
            ("client_secret", auth.client_secret.reveal()),
        ];
        if !auth.username.is_empty() && !auth.password.is_empty() {
            fields[0].1 = "password";
            fields.push(("username", &auth.username));
            fields.push(("password", auth.password.reveal()));
        }
        for (name, value) in fields {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(name);
            form.push('=');
            form.push_str(&form_encoded(value));
        }
        let discovery = Http::to_identity_provider(config, environment, &auth.auth_discovery_url)?;
        let mask = config.mask(&discovery.proxies(), environment);
        Ok(ClientCredentials {
            discovery,
            form: Secret::new(std::mem::take(&mut *form)),
            mask,
            margin: auth.token_refresh_margin,
            state: Mutex::new(State::default()),
            fetched: Condvar::new(),
        })
    }

    /// A token that is valid now. One caller at a time fetches; others go on with the old one while it is valid, and
    /// wait for the new one when it is not.
    pub fn token(&self, http: &impl HttpClient, deadline: Deadline) -> Result<Token> {
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            let (fresh, valid) = match &state.issued {
                Some(issued) => (now < issued.stale, now < issued.ends),
                None => (false, false),
            };
            let known = state.issued.as_ref().map(|issued| Arc::clone(&issued.token));
            match known {
                Some(token) if fresh || (valid && state.fetching) => return Ok(token),
                _ if !state.fetching => break,
                _ => (),
            }
            let before = state.fetches;
            let (guard, late) = crate::process::sync::wait(&self.fetched, state, deadline);
            state = guard;
            if state.fetches != before
                && let Some(failure) = &state.failure
                // Another caller's deadline is not ours.
                && failure.code != Code::Timeout
            {
                return Err(failure.clone());
            }
            if late {
                let why = "the time was up while waiting for a token from the identity provider";
                return Err(Error::new(Code::Timeout, why));
            }
        }
        state.fetching = true;
        let endpoint = state.token_endpoint.clone();
        // While the old token is valid, a provider that stalls may take a part of the call's time and no more.
        let now = Instant::now();
        let valid = state.issued.as_ref().is_some_and(|issued| now < issued.ends);
        drop(state);
        let share =
            deadline.remaining(now).map_or(LONGEST_REFRESH, |remaining| (remaining / 4).min(LONGEST_REFRESH));
        let deadline = if valid { deadline.min(Deadline::after(now, Some(share))) } else { deadline };
        // If the fetch panics, the next caller must be able to try.
        let fetching = Fetching(self);
        let outcome = self.fetch(http, endpoint, deadline);
        let mut state = lock(&self.state);
        state.failure = None;
        let mut warning = None;
        let result = match outcome {
            Ok((issued, endpoint)) => {
                let token = Arc::clone(&issued.token);
                state.issued = Some(issued);
                state.token_endpoint = Some(endpoint);
                Ok(token)
            }
            Err(error) => {
                // The provider may have moved.
                state.token_endpoint = None;
                let now = Instant::now();
                match &mut state.issued {
                    Some(issued) if now < issued.ends => {
                        issued.stale = now + REFRESH_AGAIN;
                        warning = Some(error);
                        Ok(Arc::clone(&issued.token))
                    }
                    _ => {
                        state.failure = Some(error.clone());
                        Err(error)
                    }
                }
            }
        };
        drop(state);
        drop(fetching);
        if let Some(error) = warning {
            log::write(Level::Warning, || format!("{error}; the old token is still valid and is used"));
        }
        result
    }

    /// The token that is valid now, if there is one.
    pub fn at_hand(&self) -> AtHand {
        let state = lock(&self.state);
        let now = Instant::now();
        match &state.issued {
            Some(issued) if now < issued.stale || (now < issued.ends && state.fetching) => {
                AtHand::Token(Some(Arc::clone(&issued.token)))
            }
            Some(issued) if now < issued.ends => AtHand::Stale(Arc::clone(&issued.token)),
            _ => AtHand::Nothing,
        }
    }

    /// The server refused this token; whether another may be had.
    pub fn forget(&self, token: &Token) -> bool {
        let mut state = lock(&self.state);
        if state.issued.as_ref().is_some_and(|issued| Arc::ptr_eq(&issued.token, token)) {
            state.issued = None;
        }
        true
    }

    /// The body of an HTTP 200; errors say what was asked for and what the provider said.
    fn ask(
        &self,
        http: &impl HttpClient,
        at: &Http,
        form: Option<&Secret>,
        deadline: Deadline,
        what: &str,
    ) -> Result<Vec<u8>> {
        let url = at.shown_url();
        let (status, body) = http.exchange(at, form, deadline).map_err(|error| Error {
            message: self
                .mask
                .clean(format!("no {what} from the identity provider at {url}: {}", error.message), None),
            ..error
        })?;
        if status == 200 {
            return Ok(body);
        }
        // RFC 6749, section 5.2; anything else is not for people.
        let said = serde_json::from_slice::<Refusal>(&body).map(|refusal| {
            let description =
                refusal.error_description.map(|words| format!(" ({words})")).unwrap_or_default();
            format!(": {}{description}", refusal.error)
        });
        let said = self.mask.clean(said.unwrap_or_default(), None);
        let said: String = said.chars().filter(|word| !word.is_control()).take(MOST_WORDS).collect();
        let refused = format!("the identity provider at {url} refused a {what} with HTTP {status}{said}");
        Err(Error { retriable: status == 429 || status >= 500, ..unauthenticated(refused) })
    }

    fn fetch(
        &self,
        http: &impl HttpClient,
        endpoint: Option<String>,
        deadline: Deadline,
    ) -> Result<(Issued, String)> {
        let endpoint = match endpoint {
            Some(endpoint) => endpoint,
            None => {
                let url = self.discovery.shown_url();
                let body = self.ask(http, &self.discovery, None, deadline, "discovery document")?;
                let discovery: Discovery = serde_json::from_slice(&body)
                    .map_err(|_| unauthenticated(format!("{url}: the answer names no token_endpoint")))?;
                discovery.token_endpoint
            }
        };
        let refuse = |why: &str| {
            let from = self.discovery.shown_url();
            Err(unauthenticated(format!("{from}: its token_endpoint {why}")))
        };
        let scheme = endpoint.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("https") => (),
            Some("http") if !self.discovery.is_https() => (),
            Some("http") => return refuse("would send the client's secret without TLS"),
            _ => return refuse("is no http URL"),
        }
        let token_http = match self.discovery.at(&endpoint) {
            Ok(token_http) if !endpoint.contains(char::is_control) => token_http,
            _ => return refuse("cannot be used"),
        };
        let shown = token_http.shown_url();
        let body = Zeroizing::new(self.ask(http, &token_http, Some(&self.form), deadline, "token")?);
        let answer: TokenAnswer = serde_json::from_slice(&body)
            .map_err(|_| unauthenticated(format!("{shown}: the answer holds no access_token")))?;
        if answer.access_token.is_empty() {
            return Err(unauthenticated(format!("{shown}: the access_token is empty")));
        }
        let life = jwt::expiry(&answer.access_token).map(seconds_from_now).or_else(|| {
            let said = &answer.expires_in;
            said.as_f64().or_else(|| said.as_str()?.parse().ok()).filter(|life: &f64| life.is_finite())
        });
        let life = life.map_or(UNKNOWN_LIFE, |life| {
            Duration::try_from_secs_f64(life.clamp(0.0, 1e9)).unwrap_or_default()
        });
        let token = checked(Secret::new(answer.access_token), &shown)
            .map_err(|error| unauthenticated(error.message))?;
        log::write(Level::Info, || format!("{shown}: got a token for the next {life:.0?}"));
        let now = Instant::now();
        // A token that lives no longer than the margin is used all the same, and replaced when it has ended.
        let fresh = if life > self.margin { life - self.margin } else { life };
        Ok((Issued { token: Arc::new(token), stale: now + fresh, ends: now + life }, endpoint))
    }
}

/// Ends the fetch, however it ends.
struct Fetching<'a>(&'a ClientCredentials);

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.fetching = false;
        state.fetches += 1;
        self.0.fetched.notify_all();
    }
}

fn seconds_from_now(unix: f64) -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    unix - now.as_secs_f64()
}
