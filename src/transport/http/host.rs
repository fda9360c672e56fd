//! The name whose addresses connections need.

use std::net::IpAddr;

use super::{Http, is_https};
use crate::config::{host_and_port, without_credentials};

/// A name that connections are made to, whose addresses have to be looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// The name.
    pub name: String,
    /// The port of the connections.
    pub port: u16,
    /// It is a proxy's.
    pub is_proxy: bool,
}

impl Http {
    /// Whose addresses connections to it need. `None` if libcurl knows them by itself.
    pub fn host(&self) -> Option<Host> {
        let is_proxy = self.uses_proxy();
        let (name, port) = if is_proxy {
            proxy_host_and_port(&self.proxies[usize::from(self.is_https())].to_string_lossy())
        } else {
            host_and_port(&self.url.to_string_lossy())
        };
        let without_dot = name.strip_suffix('.').unwrap_or(&name);
        let is_local = without_dot == "localhost" || without_dot.ends_with(".localhost");
        // Addresses, with a zone too, and what libcurl makes a name of only when it takes the URL apart.
        let is_libcurls = name.parse::<IpAddr>().is_ok() || name.contains([':', '%']) || !name.is_ascii();
        let known = self.connect_to.is_some() || is_local || is_libcurls;
        (!known).then_some(Host { name, port, is_proxy })
    }
}

/// Of a proxy, with libcurl's ports where it names none.
fn proxy_host_and_port(proxy: &str) -> (String, u16) {
    let with_scheme = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    let authority = without_credentials(&with_scheme);
    let (_, authority) = authority.split_once("://").unwrap_or_default();
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let (host, port) = host_and_port(&with_scheme);
    let default = if is_https(&with_scheme) { 443 } else { 1080 };
    (host, if has_port { port } else { default })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    fn host(path: &str, proxy: &str) -> Option<(String, u16, bool)> {
        let mut config = Config::new().unwrap();
        config.set("path", path).unwrap();
        config.set("proxy", proxy).unwrap();
        let http = Http::to_servers(&config, &Environment::of_process()).unwrap().remove(0);
        http.host().map(|host| (host.name, host.port, host.is_proxy))
    }

    #[test]
    fn names_are_looked_up_and_what_libcurl_knows_is_not() {
        let of = |name: &str, port, is_proxy| Some((name.to_owned(), port, is_proxy));
        assert_eq!(host("http://Feast", ""), of("feast", 80, false));
        assert_eq!(host("https://me:pw@feast.example.:6566/x", ""), of("feast.example.", 6566, false));
        for known in [
            "http://127.0.0.1",
            "http://[::1]:7",
            "http://[fe80::1%25lo]",
            "http://localhost",
            "http://x.localhost.:7",
            "http://loc%61lhost",
        ] {
            assert_eq!(host(known, ""), None, "{known}");
        }
        assert_eq!(host("http://127.0.0.1", "http://me:pw@proxy"), of("proxy", 1080, true));
        assert_eq!(host("http://feast", "proxy:3128"), of("proxy", 3128, true));
        assert_eq!(host("http://feast", "http://10.0.0.1:3128"), None);
    }
}
