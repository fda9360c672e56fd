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
        let is_local = name == "localhost" || name.ends_with(".localhost");
        let known = self.connect_to.is_some() || is_local || name.parse::<IpAddr>().is_ok();
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
