//! Which proxy stands between this machine and a URL.
//!
//! `hyper_util::client::proxy::matcher` is not used: its `NO_PROXY` matching is private to it,
//! so that messages could not name the proxy that a request goes through, and it knows no
//! `host:port`, no `*.example` and no spaces between entries.

use reqwest::Url;

use crate::host::Environment;

/// The proxies of this run: `--proxy`, or those of the environment in either case.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    exceptions: Vec<String>,
}

/// Text that is not the address of a proxy.
#[derive(Debug, thiserror::Error)]
#[error(
    "{origin} is not the address of a proxy, such as `http://user:password@proxy.example:3128` or `socks5://localhost:1080`"
)]
pub struct ProxyError {
    /// The flag or the variable; its value may hold a password.
    pub origin: String,
}

impl Proxies {
    /// `flag` (`--proxy`) for every URL, else `HTTPS_PROXY`, `HTTP_PROXY` and
    /// `ALL_PROXY`; never for the hosts in `NO_PROXY`. A lower-case name wins, as curl
    /// has it.
    pub fn of(flag: Option<&str>, environment: &Environment) -> Result<Self, ProxyError> {
        let variable = |name: &str| {
            [name.to_lowercase(), name.to_owned()]
                .into_iter()
                .find_map(|name| {
                    let value = environment.variable(&name)?.to_string_lossy().into_owned();
                    Some((format!("the value of `{name}`"), value))
                })
        };
        let exceptions = variable("NO_PROXY").map(|(_, value)| value).unwrap_or_default();
        let (http, https) = if let Some(flag) = flag {
            let flag = Some(("the value of `--proxy`".to_owned(), flag.to_owned()));
            (flag.clone(), flag)
        } else {
            let all = || variable("ALL_PROXY");
            (
                variable("HTTP_PROXY").or_else(all),
                variable("HTTPS_PROXY").or_else(all),
            )
        };
        let parsed = |given: Option<(String, String)>| {
            given
                .map(|(origin, value)| parse(&value).ok_or(ProxyError { origin }))
                .transpose()
        };
        Ok(Self {
            http: parsed(http)?,
            https: parsed(https)?,
            exceptions: exceptions
                .split([',', ' '])
                .map(|entry| entry.trim().trim_start_matches("*.").trim_start_matches('.'))
                .filter(|entry| !entry.is_empty())
                .map(str::to_lowercase)
                .collect(),
        })
    }

    /// The proxy for `url`, with its user and password.
    #[must_use]
    pub fn between(&self, url: &Url) -> Option<&Url> {
        let proxy = match url.scheme() {
            "http" => self.http.as_ref(),
            _ => self.https.as_ref(),
        }?;
        (!self.is_exception(url)).then_some(proxy)
    }

    /// The same for a message: without the password.
    #[must_use]
    pub fn shown(&self, url: &Url) -> Option<String> {
        let mut proxy = self.between(url)?.clone();
        if proxy.password().is_some() {
            // Both cannot fail: a proxy's URL has a host.
            let _ = proxy.set_password(Some("***"));
        }
        Some(proxy.as_str().trim_end_matches('/').to_owned())
    }

    fn is_exception(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default();
        self.exceptions.iter().any(|entry| {
            let (name, only_port) = match entry.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') => (name, digits.parse().ok()),
                _ => (entry.as_str(), None),
            };
            let same_port = only_port.is_none_or(|only| Some(only) == port);
            let below = host
                .strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            same_port && (name == "*" || below || is_in_network(host, name))
        })
    }
}

/// Reads an address; without a scheme it is an HTTP proxy, as everywhere.
fn parse(text: &str) -> Option<Url> {
    let text = text.trim();
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    Url::parse(&full).ok().filter(|url| {
        let known = ["http", "https", "socks5", "socks5h", "socks4", "socks4a"].contains(&url.scheme());
        known && url.host_str().is_some_and(|host| !host.is_empty())
    })
}

/// Whether the address `host` is in `network`, such as `10.0.0.0/8`.
fn is_in_network(host: &str, network: &str) -> bool {
    let Some((base, length)) = network.split_once('/') else {
        return false;
    };
    let bits = |text: &str| {
        Some(match text.parse::<std::net::IpAddr>().ok()? {
            std::net::IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
            std::net::IpAddr::V6(address) => (address.to_bits(), 128_u32),
        })
    };
    match (bits(host), bits(base), length.parse::<u32>()) {
        (Some((host, width)), Some((base, same)), Ok(length)) if width == same && length <= width => {
            length == 0 || (host ^ base) >> (128 - length) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(flag: Option<&str>, variables: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::of(flag, &Environment::of(variables, 0)).expect("proxies");
        proxies.shown(&Url::parse(url).expect("url"))
    }

    #[test]
    fn the_flag_wins_and_each_variable_has_its_scheme() {
        let variables = [
            ("HTTP_PROXY", "plain:1"),
            ("https_proxy", "http://u:secret@tls:2"),
        ];
        assert_eq!(
            shown(None, &variables, "http://a/").as_deref(),
            Some("http://plain:1")
        );
        assert_eq!(
            shown(None, &variables, "https://a/").as_deref(),
            Some("http://u:***@tls:2")
        );
        assert_eq!(
            shown(Some("socks5://localhost:1080"), &variables, "https://a/").as_deref(),
            Some("socks5://localhost:1080")
        );
        assert_eq!(
            shown(None, &[("all_proxy", "socks5h://p:1")], "https://a/").as_deref(),
            Some("socks5h://p:1")
        );
        assert_eq!(shown(None, &[], "https://a/"), None);
        let two = [("HTTPS_PROXY", "big:1"), ("https_proxy", "small:1")];
        assert_eq!(shown(None, &two, "https://a/").as_deref(), Some("http://small:1"));
    }

    #[test]
    fn no_proxy_names_hosts_domains_ports_and_networks() {
        let between =
            |no_proxy: &str, url: &str| shown(Some("p:1"), &[("NO_PROXY", no_proxy)], url).is_some();
        assert!(!between("a.example", "https://a.example/"));
        assert!(!between(".example", "https://a.example/"));
        assert!(!between("x, *.example", "https://a.example/"));
        assert!(between("a.example", "https://ba.example/"));
        assert!(!between("*", "https://a.example/"));
        assert!(!between("a.example:5000", "http://a.example:5000/"));
        assert!(between("a.example:5000", "http://a.example/"));
        assert!(!between("10.0.0.0/8", "http://10.1.2.3/"));
        assert!(between("10.0.0.0/8", "http://11.1.2.3/"));
        assert!(!between("::1", "http://[::1]:80/"));
    }

    #[test]
    fn a_bad_address_is_named_without_its_value() {
        let error = Proxies::of(Some("ftp://u:secret@x"), &Environment::default()).expect_err("ftp");
        assert!(error.to_string().contains("--proxy"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
