//! How one server is spoken to: URL, headers, TLS, proxy, limits. Made once, used for every connection to it.

mod host;

use std::ffi::{CStr, CString, c_long, c_void};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroize;

use super::no_proxy;
use super::proxies::proxies;
use super::share::Share;
use super::sys::*;
use super::text_list::TextList;
use super::trust::{Trust, use_trust};
use super::upstream::Upstream;
use super::url::{Url, c_text};
use crate::config::{Config, Environment, without_credentials};
use crate::error::{Code, Error, Result};
use crate::wire::endpoint::Endpoint;
use crate::wire::request::RequestHeaders;
pub use host::Host;

/// libcurl reads at most this much at a time. Over TLS more than a record at a time brings nothing.
const RECEIVE_BUFFER: c_long = 64 * 1024;
const TLS_RECEIVE_BUFFER: c_long = 16 * 1024;
/// libcurl's least. Its default of 64 KiB is allocated for each request, and so large a block makes malloc tidy
/// up its whole arena when it is freed.
const SEND_BUFFER: c_long = 16 * 1024;
/// Identity providers' answers are small.
const PROVIDER_ANSWER: usize = 1 << 20;

/// The variable that names the file of the authorities.
const AUTHORITIES: &str = "FEAST_CA_CERT_FILE_PATH";

const DISCOVERY_URL: &str = "auth.auth_discovery_url";

/// See the module.
#[derive(Clone)]
pub struct Http {
    url: CString,
    /// The address that connections are made to, whatever the URL's name stands for: an entry of `CURLOPT_CONNECT_TO`.
    connect_to: Option<CString>,
    upstream: Arc<Upstream>,
    /// The store's path, which the endpoints are below.
    base: String,
    headers: Vec<CString>,
    user_agent: CString,
    /// For TLS only.
    trust: Option<Arc<Trust>>,
    /// The key that names the file, and the file.
    authorities: Option<(&'static str, String)>,
    verify: bool,
    client_cert: Option<(CString, Option<CString>)>,
    /// Of http and of https URLs; empty: none.
    proxies: [CString; 2],
    no_proxy: CString,
    /// `no_proxy` names the server.
    unproxied: bool,
    connect_timeout_ms: c_long,
    idle_timeout_s: c_long,
    /// At which a connection is replaced.
    pub max_age: Option<Duration>,
    /// Of an answer.
    pub max_bytes: usize,
}

fn is_https(url: &str) -> bool {
    url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
}

impl Http {
    /// To each of the feature servers, in the order in which they are configured.
    pub fn to_servers(config: &Config, environment: &Environment) -> Result<Vec<Http>> {
        let mut servers: Vec<Http> = Vec::new();
        for base in &config.paths {
            let http = match servers.first() {
                None => Http::to_server(config, environment, base)?,
                Some(first) => first.to_another(config, base)?,
            };
            servers.push(http);
        }
        Ok(servers)
    }

    fn to_server(config: &Config, environment: &Environment, base: &str) -> Result<Http> {
        let url = format!("{base}{}", Endpoint::GetOnlineFeatures.target());
        // The last two are taken out: libcurl would wait for a 100 Continue, and ask for compression.
        let mut headers = vec![
            c"Content-Type: application/json".to_owned(),
            c"Expect:".to_owned(),
            c"Accept-Encoding:".to_owned(),
        ];
        for (name, value) in &config.headers {
            headers.retain(|line| !is_header(line, name));
            headers.push(c_text(format!("{name}: {value}"))?);
        }
        let client_cert = match &config.client_cert {
            Some(cert) => {
                Some((c_text(cert.as_str())?, config.client_key.as_deref().map(c_text).transpose()?))
            }
            None => None,
        };
        let http = Http {
            base: base.to_owned(),
            headers,
            authorities: config.cert.clone().map(|path| ("cert", path)).or_else(|| {
                // As Feast's SDK has it, where no `cert` is set.
                let path = environment.non_empty(AUTHORITIES)?;
                Some((AUTHORITIES, path))
            }),
            verify: config.verify_ssl,
            client_cert,
            max_bytes: config.max_response_bytes,
            ..Http::bare(config)?
        };
        http.with_url(config, environment, &url, "path")
    }

    /// To the identity provider.
    pub fn to_identity_provider(config: &Config, environment: &Environment, url: &str) -> Result<Http> {
        let auth = &config.auth;
        let http = Http {
            headers: vec![c"Accept: application/json".to_owned(), c"Expect:".to_owned()],
            authorities: (!auth.ca_cert_path.is_empty())
                .then(|| ("auth.ca_cert_path", auth.ca_cert_path.clone())),
            verify: auth.verify_ssl,
            max_bytes: PROVIDER_ANSWER,
            ..Http::bare(config)?
        };
        http.with_url(config, environment, url, DISCOVERY_URL)
    }

    fn bare(config: &Config) -> Result<Http> {
        let ours = concat!("feast_remote/", env!("CARGO_PKG_VERSION"));
        Ok(Http {
            url: CString::default(),
            connect_to: None,
            upstream: Arc::new(Upstream::new(config.dead_connection_timeout)),
            base: String::new(),
            headers: Vec::new(),
            user_agent: c_text(if config.user_agent.is_empty() { ours } else { &config.user_agent })?,
            trust: None,
            authorities: None,
            verify: true,
            client_cert: None,
            proxies: Default::default(),
            no_proxy: CString::default(),
            unproxied: false,
            connect_timeout_ms: c_long::try_from(config.connect_timeout.as_millis()).unwrap_or(c_long::MAX),
            // Not 0, which is no limit for libcurl 8.15 and newer only.
            idle_timeout_s: config
                .connection_idle_timeout
                .map_or(c_long::from(i32::MAX), |timeout| timeout.as_secs() as c_long),
            max_age: config.connection_max_age,
            max_bytes: 0,
        })
    }

    /// `key`: where the URL comes from.
    fn with_url(mut self, config: &Config, environment: &Environment, url: &str, key: &str) -> Result<Http> {
        let (https, both) = (is_https(url), key == DISCOVERY_URL);
        (self.proxies, self.no_proxy) = proxies(config, environment, [both || !https, both || https])?;
        let mut http = self.at(url)?;
        // A token's endpoint may be an https one whatever its discovery's is. An https proxy is always verified, and
        // libcurl asks for its authorities in the same way.
        let https_proxy = http.proxies.iter().any(|proxy| is_https(&proxy.to_string_lossy()));
        if https_proxy || http.verify && (http.is_https() || key == DISCOVERY_URL) {
            let authorities = http.authorities.as_ref().map(|(key, path)| (*key, path.as_str()));
            http.trust = Some(Arc::new(Trust::load(authorities, environment)?));
        }
        http.checked(key)
    }

    /// Refuses a URL now rather than at each call.
    fn checked(self, key: &str) -> Result<Http> {
        match self.parse_url(&self.url) {
            Err(error) if error.code == Code::Config => {
                Err(Error::config(format!("{key}: {}", error.message)))
            }
            parsed => parsed.map(|_| self),
        }
    }

    /// In the same way to another server, with this base URL.
    fn to_another(&self, config: &Config, base: &str) -> Result<Http> {
        let http = self.at(&format!("{base}{}", Endpoint::GetOnlineFeatures.target()))?;
        let upstream = Arc::new(Upstream::new(config.dead_connection_timeout));
        Http { base: base.to_owned(), upstream, ..http }.checked("path")
    }

    /// The same server at one of the addresses of its name, as a server of its own. Its certificate is checked for the name.
    pub fn at_address(&self, address: IpAddr, dead_connection_timeout: Option<Duration>) -> Result<Http> {
        // libcurl takes an empty host and port for any.
        let entry = match address {
            IpAddr::V4(address) => format!("::{address}:"),
            IpAddr::V6(address) => format!("::[{address}]:"),
        };
        let upstream = Arc::new(Upstream::new(dead_connection_timeout));
        Ok(Http { connect_to: Some(c_text(entry)?), upstream, ..self.clone() })
    }

    /// The same for another URL.
    pub fn at(&self, url: &str) -> Result<Http> {
        let unproxied = no_proxy::names(&self.no_proxy.to_string_lossy(), url);
        Ok(Http { url: c_text(url)?, unproxied, ..self.clone() })
    }

    /// What its slots have in common.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The base URL as it may be shown.
    pub fn shown_base(&self) -> String {
        without_credentials(&self.base)
    }

    /// The URL as it may be shown.
    pub fn shown_url(&self) -> String {
        without_credentials(&self.url.to_string_lossy())
    }

    /// The proxies, empty for none, credentials and all.
    pub fn proxies(&self) -> [&str; 2] {
        self.proxies.each_ref().map(|proxy| proxy.to_str().unwrap_or_default())
    }

    /// How long a connection may take to be made.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.connect_timeout_ms).unwrap_or(0))
    }

    /// Whether the URL is an https one.
    pub fn is_https(&self) -> bool {
        is_https(&self.url.to_string_lossy())
    }

    /// Whether there is a proxy for its URL.
    pub fn uses_proxy(&self) -> bool {
        !self.unproxied && !self.proxies[usize::from(self.is_https())].is_empty()
    }

    /// Whether connections use TLS, to the server or to a proxy.
    pub fn uses_tls(&self) -> bool {
        let proxy = &self.proxies[usize::from(self.is_https())];
        self.is_https() || is_https(&proxy.to_string_lossy())
    }

    /// The server, and what stands in the request line. libcurl puts a URL together again for each request, byte by byte;
    /// the less it sees of it the better. `None` where it needs the whole: to a proxy, or if it would change something.
    fn server_and_target(&self, url: &CStr) -> Option<(CString, CString)> {
        let url = url.to_str().ok()?;
        let authority = url.find("://")? + 3;
        let (server, target) = url.split_at(authority + url[authority..].find(['/', '?', '#'])?);
        let as_it_is = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~=&?".contains(&byte);
        let names_host = server.len() > authority;
        if !(names_host && !self.uses_proxy() && target.starts_with('/') && target.bytes().all(as_it_is)) {
            return None;
        }
        Some((CString::new(server).ok()?, CString::new(target).ok()?))
    }

    fn parse_url(&self, url: &CStr) -> Result<(Url, Option<CString>)> {
        let (server, target) = self.server_and_target(url).unzip();
        Ok((Url::parse(server.as_deref().unwrap_or(url))?, target))
    }

    /// Sends the next requests to another endpoint of the server. What is returned must outlive the handle.
    ///
    /// # Safety
    /// `easy` is a live handle that runs no transfer.
    pub unsafe fn set_endpoint(&self, easy: *mut CURL, endpoint: Endpoint) -> Result<Url> {
        let (url, target) = self.parse_url(&c_text(format!("{}{}", self.base, endpoint.target()))?)?;
        let target = target.as_ref().map_or(std::ptr::null(), |target| target.as_ptr());
        // SAFETY: the option takes a string, which libcurl copies, or NULL; the handle is live.
        let code = unsafe {
            match curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target) {
                CURLE_OK => url.set(easy),
                code => code,
            }
        };
        match code {
            CURLE_OK => Ok(url),
            code => Err(Error::new(Code::Internal, format!("libcurl refused an option: {}", describe(code)))),
        }
    }

    /// Sets an easy handle up. The share handle, this value and what is returned must outlive it.
    ///
    /// # Safety
    /// `easy` is a live handle that runs no transfer.
    pub unsafe fn configure(&self, easy: *mut CURL, share: &Share) -> Result<Lent> {
        let (url, target) = self.parse_url(&self.url)?;
        let connect_to = match &self.connect_to {
            Some(entry) => TextList::of(entry)?,
            None => TextList::empty(),
        };
        let https = self.is_https();
        let use_trust: extern "C" fn(*mut CURL, *mut c_void, *mut c_void) -> CURLcode = use_trust;
        // SAFETY: every option gets the type that its manual page names; strings are copied by libcurl.
        let code = unsafe {
            let text = |option, text: &CStr| curl_easy_setopt(easy, option, text.as_ptr());
            let long = |option, value: c_long| curl_easy_setopt(easy, option, value);
            let mut codes = vec![
                url.set(easy),
                text(CURLOPT_PROTOCOLS_STR, c"http,https"),
                // Both set, libcurl does not look into the environment for each transfer.
                text(CURLOPT_PROXY, &self.proxies[usize::from(https)]),
                text(CURLOPT_NOPROXY, if self.unproxied { c"*" } else { &self.no_proxy }),
                long(CURLOPT_NOSIGNAL, 1),
                long(CURLOPT_FOLLOWLOCATION, 0),
                long(CURLOPT_HTTP_VERSION, c_long::from(CURL_HTTP_VERSION_1_1)),
                text(CURLOPT_ACCEPT_ENCODING, c"gzip, deflate"), // undone if it comes unasked
                text(CURLOPT_USERAGENT, &self.user_agent),
                long(CURLOPT_BUFFERSIZE, if https { TLS_RECEIVE_BUFFER } else { RECEIVE_BUFFER }),
                long(CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER),
                long(CURLOPT_TCP_KEEPALIVE, 1),
                long(CURLOPT_CONNECTTIMEOUT_MS, self.connect_timeout_ms),
                long(CURLOPT_MAXAGE_CONN, self.idle_timeout_s),
                long(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 as c_long),
                curl_easy_setopt(easy, CURLOPT_SHARE, share.handle()),
            ];
            if self.connect_to.is_some() {
                codes.push(curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to.as_ptr()));
            }
            if let Some(target) = &target {
                codes.push(text(CURLOPT_REQUEST_TARGET, target));
            }
            if let Some(trust) = &self.trust {
                codes.push(curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, use_trust));
                codes.push(curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, trust.as_ptr()));
            }
            if !self.verify {
                codes.push(long(CURLOPT_SSL_VERIFYPEER, 0));
                codes.push(long(CURLOPT_SSL_VERIFYHOST, 0));
            }
            if let Some((cert, key)) = &self.client_cert {
                codes.push(text(CURLOPT_SSLCERT, cert));
                codes.push(text(CURLOPT_SSLKEY, key.as_ref().unwrap_or(cert)));
                // Without one OpenSSL would ask at the terminal for that of an encrypted key.
                codes.push(text(CURLOPT_KEYPASSWD, c""));
                // A resumed session would show the server the certificate of its first handshake.
                codes.push(long(CURLOPT_SSL_SESSIONID_CACHE, 0));
            }
            codes.into_iter().find(|&code| code != CURLE_OK)
        };
        match code {
            Some(code) => {
                Err(Error::new(Code::Internal, format!("libcurl refused an option: {}", describe(code))))
            }
            None => Ok(Lent { url, connect_to }),
        }
    }

    /// The header lines of a request, with a bearer token, headers of its own and a content type if there are some.
    pub fn header_list(
        &self,
        token: Option<&str>,
        own: Option<&RequestHeaders>,
        content_type: Option<&str>,
    ) -> Result<TextList> {
        let mut list = TextList::empty();
        for line in &self.headers {
            if !own.is_some_and(|own| own.names(header_name(line))) {
                list.push(line)?;
            }
        }
        for line in own.iter().flat_map(|own| own.lines()) {
            list.push(line)?;
        }
        if let Some(content_type) = content_type {
            list.push(&c_text(format!("Content-Type: {content_type}"))?)?;
        }
        if let Some(token) = token {
            let mut line = c_text(format!("Authorization: Bearer {token}"))?;
            let pushed = list.push(&line);
            line.zeroize();
            pushed?;
        }
        Ok(list)
    }
}

fn header_name(line: &CString) -> &str {
    line.to_str().ok().and_then(|line| line.split_once(':')).map_or("", |(name, _)| name)
}

fn is_header(line: &CString, name: &str) -> bool {
    header_name(line).eq_ignore_ascii_case(name)
}

/// What an easy handle that was configured reads for each request.
pub struct Lent {
    /// Its URL.
    pub url: Url,
    /// The address that it connects to, or empty.
    pub connect_to: TextList,
}
