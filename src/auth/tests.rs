use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::*;
use crate::observe::statistics::Stats;
use crate::transport::lookup;

fn environment(variables: &[(&'static str, &'static str)], file: &Path) -> Environment {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    Environment {
        variable: Box::new(move |name| variables.get(name).map(|value| (*value).to_owned())),
        service_account_file: file.to_owned(),
    }
}

fn configured(keys: &[(&str, &str)]) -> Config {
    let mut config = Config::new().unwrap();
    keys.iter().for_each(|(key, value)| config.set(key, value).unwrap());
    config.validate().unwrap();
    config
}

/// A file of this test's own.
fn file(text: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("feast-token-{}-{number}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

fn first_token(config: &Config, environment: &Environment) -> Result<Option<String>> {
    let auth = Auth::new(config, environment)?;
    let pool = Pool::new(config, Arc::new(lookup), Arc::new(Stats::default()))?;
    let token = auth.token(&pool, Deadline::NEVER, None)?;
    Ok(token.map(|token| token.reveal().to_owned()))
}

#[test]
fn sources_come_in_feasts_order() {
    let nowhere = Path::new("/nonexistent");
    let mounted = file(" mounted\n");
    let empty = file("");
    let given = file("given\n");
    let given = given.to_str().unwrap();
    let oidc = ("auth.type", "oidc");
    let kubernetes = ("auth.type", "kubernetes");
    let intra = ("INTRA_COMMUNICATION_BASE64", "abc");
    for (keys, variables, mount, expected) in [
        (vec![], vec![intra], mounted.as_path(), None),
        (vec![oidc, ("auth.token", "t")], vec![("FEAST_OIDC_TOKEN", "e")], &mounted, Some("t")),
        (
            vec![oidc, ("auth.token_env_var", "MINE")],
            vec![("MINE", "m"), ("FEAST_OIDC_TOKEN", "e")],
            &mounted,
            Some("m"),
        ),
        (vec![oidc, ("auth.token_file", given)], vec![("FEAST_OIDC_TOKEN", "e")], &mounted, Some("given")),
        (vec![oidc], vec![("FEAST_OIDC_TOKEN", "e")], &mounted, Some("e")),
        (vec![oidc], vec![("FEAST_OIDC_TOKEN", "")], &mounted, Some("mounted")),
        (
            vec![oidc, ("auth.token", "t")],
            vec![intra],
            &mounted,
            Some("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhYmMifQ."),
        ),
        (vec![kubernetes, ("auth.user_token", "u")], vec![("LOCAL_K8S_TOKEN", "l")], &mounted, Some("u")),
        (vec![kubernetes, ("auth.token_file", given)], vec![], &mounted, Some("given")),
        (vec![kubernetes], vec![("LOCAL_K8S_TOKEN", "l")], &mounted, Some("mounted")),
        (vec![kubernetes], vec![("LOCAL_K8S_TOKEN", "l")], nowhere, Some("l")),
        (vec![kubernetes], vec![("LOCAL_K8S_TOKEN", "l")], &empty, Some("l")),
        // {"sub":":::abc"}
        (
            vec![kubernetes],
            vec![intra],
            nowhere,
            Some("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiI6OjphYmMifQ."),
        ),
    ] {
        let got = first_token(&configured(&keys), &environment(&variables, mount)).unwrap();
        assert_eq!(got.as_deref(), expected, "{keys:?} {variables:?}");
    }
    for (keys, variables, words) in [
        (vec![oidc], vec![], "there is no token"),
        (vec![oidc, ("auth.token_env_var", "MINE")], vec![("FEAST_OIDC_TOKEN", "e")], "`MINE`"),
        (vec![oidc, ("auth.token_env_var", "MINE")], vec![("MINE", "")], "not set or is empty"),
        (vec![oidc, ("auth.token_env_var", "MINE")], vec![("MINE", "a\r\nX: b")], "MINE: the token contains"),
        (vec![oidc, ("auth.token", "ü")], vec![], "auth.token: the token contains"),
        (vec![kubernetes], vec![], "LOCAL_K8S_TOKEN"),
    ] {
        let error = first_token(&configured(&keys), &environment(&variables, nowhere)).unwrap_err();
        assert_eq!(error.code, Code::Config);
        assert!(error.message.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_token_file_is_read_again_when_it_changes_and_missed_when_it_goes() {
    let path = file("one");
    let tokens = TokenFile::new(path.clone());
    let start = Instant::now();
    let later = |seconds| start + Duration::from_secs(seconds);
    let first = tokens.token(start).unwrap();
    assert_eq!(first.reveal(), "one");
    assert!(!tokens.changed_since(&first));
    assert!(Arc::ptr_eq(&tokens.token(later(2)).unwrap(), &first), "an unchanged file is the same token");
    let next = path.with_extension("next");
    std::fs::write(&next, "second\n").unwrap();
    std::fs::rename(&next, &path).unwrap();
    assert_eq!(tokens.token(later(2)).unwrap().reveal(), "one", "looked at just now");
    assert_eq!(tokens.token(later(4)).unwrap().reveal(), "second");
    assert!(tokens.changed_since(&first));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(tokens.token(later(6)).unwrap().reveal(), "second", "the last one known");
    let error = TokenFile::new(path).token(start).unwrap_err();
    assert_eq!(error.code, Code::Unauthenticated);
    assert!(error.message.contains("No such file"), "{error}");
    let split = TokenFile::new(file("a\r\nX-Evil: b"));
    assert!(split.token(start).unwrap_err().message.contains("a character that a header cannot have"));
}

/// An identity provider without a network.
#[derive(Default)]
struct Provider {
    discoveries: AtomicU64,
    tokens: AtomicU64,
    /// Of each token, in seconds; 0: not said.
    life: f64,
    /// Refuses from now on.
    down: Mutex<bool>,
    /// Token requests wait for this.
    open: (Mutex<bool>, Condvar),
    forms: Mutex<Vec<String>>,
    endpoint: String,
    /// The deadlines of token requests.
    deadlines: Mutex<Vec<Deadline>>,
    /// Stands in the answer as it is.
    expires_in: Option<String>,
    /// Instead of `token-N`.
    token: Option<String>,
    status: u16,
}

impl Provider {
    fn new(life: f64) -> Provider {
        let endpoint = "http://idp/token".to_owned();
        Provider {
            life,
            endpoint,
            status: 401,
            open: (Mutex::new(true), Condvar::new()),
            ..Provider::default()
        }
    }
}

impl HttpClient for Provider {
    fn exchange(&self, _: &Http, form: Option<&Secret>, deadline: Deadline) -> Result<(u16, Vec<u8>)> {
        let Some(form) = form else {
            self.discoveries.fetch_add(1, Ordering::SeqCst);
            return Ok((200, format!("{{\"token_endpoint\":\"{}\"}}", self.endpoint).into_bytes()));
        };
        self.forms.lock().unwrap().push(form.reveal().to_owned());
        self.deadlines.lock().unwrap().push(deadline);
        let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let mut open = self.open.0.lock().unwrap();
        while !*open {
            open = self.open.1.wait(open).unwrap();
        }
        if *self.down.lock().unwrap() {
            let said =
                format!("{{\"error\":\"invalid_client\",\"error_description\":\"who? {}\"}}", form.reveal());
            return Ok((self.status, said.into_bytes()));
        }
        let life = self.expires_in.clone().or((self.life > 0.0).then(|| self.life.to_string()));
        let expires = life.map_or(String::new(), |life| format!(",\"expires_in\":{life}"));
        let token = self.token.clone().unwrap_or_else(|| format!("token-{number}"));
        Ok((200, format!("{{\"access_token\":\"{token}\"{expires}}}").into_bytes()))
    }
}

fn client(margin: &str, more: &[(&str, &str)]) -> ClientCredentials {
    // The last of a key counts.
    let mut keys = vec![
        ("auth.type", "oidc"),
        ("auth.auth_discovery_url", "http://idp/.well-known/openid-configuration"),
        ("auth.client_id", "feast client"),
        ("auth.client_secret", "s&cret+%"),
        ("auth.token_refresh_margin_seconds", margin),
    ];
    keys.extend(more);
    ClientCredentials::new(&configured(&keys), &environment(&[], Path::new("/nonexistent"))).unwrap()
}

#[test]
fn sixty_four_threads_cause_one_discovery_and_one_token() {
    let provider = Provider::new(3600.0);
    let client = client("30", &[]);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(client.token(&provider, Deadline::NEVER).unwrap().reveal(), "token-1");
                }
            });
        }
    });
    let asked = (provider.discoveries.load(Ordering::SeqCst), provider.tokens.load(Ordering::SeqCst));
    assert_eq!(asked, (1, 1));
    let form = "grant_type=client_credentials&client_id=feast+client&client_secret=s%26cret%2B%25";
    assert_eq!(*provider.forms.lock().unwrap(), [form]);
}

#[test]
fn a_user_and_password_make_the_password_grant() {
    let provider = Provider::new(3600.0);
    client("30", &[("auth.username", "ann"), ("auth.password", "p w")])
        .token(&provider, Deadline::NEVER)
        .unwrap();
    let form =
        "grant_type=password&client_id=feast+client&client_secret=s%26cret%2B%25&username=ann&password=p+w";
    assert_eq!(*provider.forms.lock().unwrap(), [form]);
}

#[test]
fn others_go_on_with_the_old_token_while_one_fetches_the_new() {
    // Stale at once, valid for an hour.
    let provider = Provider::new(3600.0);
    let client = client("3599.9999", &[]);
    assert_eq!(client.token(&provider, Deadline::NEVER).unwrap().reveal(), "token-1");
    std::thread::sleep(Duration::from_millis(2));
    *provider.open.0.lock().unwrap() = false;
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| client.token(&provider, Deadline::NEVER).unwrap());
        while provider.tokens.load(Ordering::SeqCst) < 2 {
            std::thread::yield_now();
        }
        for _ in 0..100 {
            assert_eq!(client.token(&provider, Deadline::NEVER).unwrap().reveal(), "token-1");
        }
        *provider.open.0.lock().unwrap() = true;
        provider.open.1.notify_all();
        assert_eq!(fetching.join().unwrap().reveal(), "token-2");
    });
    assert_eq!(provider.discoveries.load(Ordering::SeqCst), 1);
    // A provider that refuses is no reason to drop a token that is still valid.
    std::thread::sleep(Duration::from_millis(2));
    *provider.down.lock().unwrap() = true;
    assert_eq!(client.token(&provider, Deadline::NEVER).unwrap().reveal(), "token-2");
}

#[test]
fn a_refusal_is_shared_by_those_who_waited_and_repeats_no_secret() {
    let provider = Provider::new(3600.0);
    let client = client("30", &[]);
    *provider.down.lock().unwrap() = true;
    *provider.open.0.lock().unwrap() = false;
    std::thread::scope(|scope| {
        let callers: Vec<_> =
            (0..16).map(|_| scope.spawn(|| client.token(&provider, Deadline::NEVER))).collect();
        while provider.tokens.load(Ordering::SeqCst) < 1 {
            std::thread::yield_now();
        }
        // The others are waiting, or will come when it is over and ask once more.
        std::thread::sleep(Duration::from_millis(20));
        *provider.open.0.lock().unwrap() = true;
        provider.open.1.notify_all();
        for caller in callers {
            let error = caller.join().unwrap().unwrap_err();
            assert_eq!(error.code, Code::Unauthenticated);
            let words = "the identity provider at http://idp/token refused a token with HTTP 401: invalid_client (who? ";
            assert!(error.message.contains(words), "{error}");
            assert!(!error.message.contains("s&cret") && !error.message.contains("s%26cret"), "{error}");
        }
    });
    assert!(provider.tokens.load(Ordering::SeqCst) <= 16);
    *provider.down.lock().unwrap() = false;
    assert!(client.token(&provider, Deadline::NEVER).is_ok(), "the next call tries again");
}

#[test]
fn waiting_for_a_token_ends_at_the_deadline() {
    let provider = Provider::new(3600.0);
    let client = client("30", &[]);
    *provider.open.0.lock().unwrap() = false;
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| client.token(&provider, Deadline::NEVER));
        while provider.tokens.load(Ordering::SeqCst) < 1 {
            std::thread::yield_now();
        }
        let soon = Deadline::after(Instant::now(), Some(Duration::from_millis(5)));
        assert_eq!(client.token(&provider, soon).unwrap_err().code, Code::Timeout);
        *provider.open.0.lock().unwrap() = true;
        provider.open.1.notify_all();
        assert!(fetching.join().unwrap().is_ok());
    });
}

#[test]
fn a_token_that_is_refused_is_fetched_anew() {
    let provider = Provider::new(0.0);
    let client = client("30", &[]);
    let first = client.token(&provider, Deadline::NEVER).unwrap();
    assert!(Arc::ptr_eq(&client.token(&provider, Deadline::NEVER).unwrap(), &first));
    assert!(client.forget(&first));
    let second = client.token(&provider, Deadline::NEVER).unwrap();
    assert_eq!(second.reveal(), "token-2");
    assert!(client.forget(&first), "somebody else's refusal of the old token");
    assert!(Arc::ptr_eq(&client.token(&provider, Deadline::NEVER).unwrap(), &second));
}

#[test]
fn a_life_may_be_written_in_quotes_or_not_at_all() {
    for (expires_in, kept) in
        [("\"3600\"", true), ("\"soon\"", true), ("null", true), ("{}", true), ("\"0\"", false)]
    {
        let provider = Provider { expires_in: Some(expires_in.to_owned()), ..Provider::new(0.0) };
        let client = client("30", &[]);
        (0..3).for_each(|_| drop(client.token(&provider, Deadline::NEVER).unwrap()));
        assert_eq!(provider.tokens.load(Ordering::SeqCst), if kept { 1 } else { 3 }, "{expires_in}");
    }
}

#[test]
fn the_secret_is_sent_nowhere_odd() {
    let asked = |discovery: &str, endpoint: &str| {
        let provider = Provider { endpoint: endpoint.to_owned(), ..Provider::new(3600.0) };
        let keys = [("auth.auth_discovery_url", discovery), ("auth.verify_ssl", "false")];
        let outcome = client("30", &keys).token(&provider, Deadline::NEVER);
        (outcome.map_err(|error| error.message).err(), provider.tokens.load(Ordering::SeqCst))
    };
    assert_eq!(asked("https://idp/c", "https://idp/token"), (None, 1));
    assert_eq!(asked("http://idp/c", "https://idp/token"), (None, 1));
    for (endpoint, words) in [
        ("http://idp/token", "would send the client's secret without TLS"),
        ("file:///etc/passwd", "is no http URL"),
        ("/token", "is no http URL"),
        ("https://idp/\\r\\nX: y", "cannot be used"),
    ] {
        let (error, tokens) = asked("https://u:TOPSECRET@idp/c", endpoint);
        let error = error.unwrap();
        assert!(tokens == 0 && error.contains(words) && error.contains("https://idp/c"), "{error}");
        assert!(!error.contains("TOPSECRET"), "{error}");
    }
}

#[test]
fn a_refresh_takes_a_part_of_the_calls_time_and_pauses_when_it_fails() {
    let provider = Provider::new(3600.0);
    let client = client("3599.9999", &[]);
    let start = Instant::now();
    let deadline = Deadline::after(start, Some(Duration::from_secs(8)));
    client.token(&provider, deadline).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    *provider.down.lock().unwrap() = true;
    (0..10).for_each(|_| assert_eq!(client.token(&provider, deadline).unwrap().reveal(), "token-1"));
    let deadlines = provider.deadlines.lock().unwrap();
    assert_eq!(deadlines.len(), 2, "a failed refresh is not repeated at once");
    assert_eq!(deadlines[0], deadline);
    assert!(deadlines[1].remaining(start).unwrap() < Duration::from_secs(5), "{deadlines:?}");
}

#[test]
fn a_busy_provider_is_a_reason_to_try_again() {
    for (status, retriable) in [(503, true), (429, true), (400, false)] {
        let provider = Provider { status, ..Provider::new(1.0) };
        *provider.down.lock().unwrap() = true;
        let error = client("30", &[]).token(&provider, Deadline::NEVER).unwrap_err();
        assert_eq!((error.code, error.retriable), (Code::Unauthenticated, retriable), "{error}");
    }
}

#[test]
fn a_pipe_is_no_token_file() {
    let path = file("");
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = TokenFile::new(path).token(Instant::now()).unwrap_err();
    assert!(error.message.contains("not a regular file"), "{error}");
}

#[test]
fn the_end_that_a_token_names_counts_before_expires_in() {
    // {"exp":1}
    let provider = Provider { token: Some("h.eyJleHAiOjF9.s".to_owned()), ..Provider::new(3600.0) };
    let client = client("30", &[]);
    (0..3).for_each(|_| drop(client.token(&provider, Deadline::NEVER).unwrap()));
    assert_eq!(provider.tokens.load(Ordering::SeqCst), 3);
}
