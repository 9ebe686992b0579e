//! Why something did not come over the network.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::ProxyError;
use crate::bundle::Digest;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::Interruption;
use crate::store::StoreError;

/// A request that did not lead to what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// A file of `--ca` has no certificate.
    #[error("`{}` should hold certificates in PEM", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why it cannot be used.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The network code cannot start.
    #[error("the network cannot be used")]
    Client(#[source] reqwest::Error),
    /// The connection failed, or broke.
    #[error("`{url}` cannot be read{}", via(proxy.as_ref()))]
    Connection {
        /// The URL.
        url: String,
        /// The proxy between.
        proxy: Option<String>,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The body broke off.
    #[error("`{url}` broke off after {bytes} bytes{}", via(proxy.as_ref()))]
    CutOff {
        /// The URL.
        url: String,
        /// The proxy between.
        proxy: Option<String>,
        /// How much is there.
        bytes: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// This run was told to end.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// It is not in the store, and nobody may be asked.
    #[error("`{url}` is not in the store, and nothing may be downloaded")]
    Offline {
        /// The URL.
        url: String,
    },
    /// The address of a proxy is none.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// It points elsewhere, and is not followed.
    #[error("`{url}` redirects {reason}")]
    Redirect {
        /// The URL.
        url: String,
        /// How.
        reason: &'static str,
    },
    /// The server said no.
    #[error("`{url}` answered {status}{}{}", said(message), via(proxy.as_ref()))]
    Status {
        /// The URL.
        url: String,
        /// The proxy between.
        proxy: Option<String>,
        /// The HTTP status.
        status: u16,
        /// The start of the answer's text.
        message: String,
        /// How long to wait before the next request, if the server said so.
        retry_after: Option<Duration>,
        /// How it lets in, if it says so: the values of `WWW-Authenticate`.
        challenge: String,
    },
    /// What came cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is more of it than there should be.
    #[error("`{url}` should have {expected} bytes at most{}; it has {}more", via(proxy.as_ref()), found.map(|found| format!("{found}, ")).unwrap_or_default())]
    TooLong {
        /// The URL.
        url: String,
        /// The proxy between.
        proxy: Option<String>,
        /// The limit.
        expected: u64,
        /// What the server announced.
        found: Option<u64>,
    },
    /// It is not a URL.
    #[error("`{url}` is not an http or https URL")]
    Url {
        /// What was given.
        url: String,
    },
    /// The content is not what it should be.
    #[error("`{url}` should have {expected}; it has {found}{}", via(proxy.as_ref()))]
    WrongDigest {
        /// The URL.
        url: String,
        /// The proxy between.
        proxy: Option<String>,
        /// What was promised.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// The server gave another part of the file than was asked for.
    #[error("`{url}` was asked for the bytes from {asked} on and answered `{answered}`{}", via(proxy.as_ref()))]
    WrongRange {
        /// The URL.
        url: String,
        /// The proxy between.
        proxy: Option<String>,
        /// Where it should have started.
        asked: u64,
        /// What the server says that it gave.
        answered: String,
    },
    /// The content is shorter or longer than it should be.
    #[error("`{url}` should have {expected} bytes; it has {found}{}", via(proxy.as_ref()))]
    WrongSize {
        /// The URL.
        url: String,
        /// The proxy between.
        proxy: Option<String>,
        /// What was promised.
        expected: u64,
        /// What came, or was announced.
        found: u64,
    },
}

fn via(proxy: Option<&String>) -> String {
    proxy.map_or_else(String::new, |proxy| format!(" (via the proxy {proxy})"))
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" (`{message}`)")
    }
}

impl HttpError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection { source, .. } => {
                let final_words = [UNTRUSTED, WITHOUT_TLS, LOCKED_OUT]
                    .iter()
                    .any(|words| says(source, words));
                !final_words && !source.is_builder()
            }
            Self::CutOff { .. } | Self::WrongRange { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether what came is not what should have come.
    pub(super) fn blames_the_content(&self) -> bool {
        matches!(
            self,
            Self::TooLong { .. } | Self::WrongDigest { .. } | Self::WrongSize { .. }
        )
    }

    /// The status, where the server answered with one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// How the server lets in, where it said so.
    #[must_use]
    pub fn challenge(&self) -> &str {
        match self {
            Self::Status { challenge, .. } => challenge,
            _ => "",
        }
    }

    /// What to do about it; nothing where nothing is known.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Ca { .. } => "`--ca` takes a file with `-----BEGIN CERTIFICATE-----` in it".to_owned(),
            Self::Client(_) => "install the machine's certificates (Debian: `ca-certificates`)".to_owned(),
            Self::Connection { source, .. } if says(source, UNTRUSTED) => {
                "when the server's certificate comes from an inner authority, name its certificate with `--ca FILE`; \
                 a registry can be named with `--insecure-registry HOST`"
                    .to_owned()
            }
            Self::Connection { source, .. } if says(source, WITHOUT_TLS) => {
                "it answers without TLS: a registry that has none is named with `--insecure-registry HOST`".to_owned()
            }
            Self::Connection { source, .. } if says(source, LOCKED_OUT) => PROXY_LOGIN.to_owned(),
            Self::Connection { proxy, .. } | Self::CutOff { proxy, .. } => reach(proxy.is_some()),
            Self::Offline { .. } => {
                "leave `--offline` away, or give the part itself: `--minikube`, `--binaries`, `--kicbase`, `--image`"
                    .to_owned()
            }
            Self::Proxy(_) => "the password may need percent-encoding: `@` is `%40`".to_owned(),
            Self::Redirect { .. } => "ask who runs the server, or try a mirror".to_owned(),
            Self::Status { url, status: 401 | 403, .. } if !is_registry(url) => {
                "the server, or something between, does not let everybody in: try another network, a proxy with \
                 `--proxy`, or a mirror with `--binary-mirror` or `--release-mirror`"
                    .to_owned()
            }
            Self::Status { status: 401 | 403, .. } => {
                "log in with `docker login HOST` (its config.json is read), or ask who runs the server".to_owned()
            }
            Self::Status { status: 407, .. } => PROXY_LOGIN.to_owned(),
            Self::Status { status: 404, .. } => "check the version, the name and the mirror".to_owned(),
            Self::Status { url, status: 429, .. } if !is_registry(url) => {
                "the server limits requests: wait, or use a mirror; what was downloaded stays".to_owned()
            }
            Self::Status { status: 429, .. } => {
                "the server limits requests: wait, log in with `docker login`, or use a mirror; what was downloaded \
                 stays"
                    .to_owned()
            }
            Self::Status {
                status: 300..=399, ..
            } => "it points elsewhere, and what is secret is not sent on: ask who runs the server".to_owned(),
            Self::Status { .. } => "try again later; what was downloaded stays".to_owned(),
            Self::TooLong { .. } | Self::WrongDigest { .. } | Self::WrongRange { .. } | Self::WrongSize { .. } => {
                "nothing of it was kept: run the same command again; when it stays so, the server or something \
                 between changes the content, so try without the proxy or mirror, or another one"
                    .to_owned()
            }
            Self::Url { .. } => "write it in full, such as `https://mirror.example/release`".to_owned(),
            Self::Interrupted(_) | Self::Store(_) => String::new(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Ca { .. } | Self::Offline { .. } | Self::Proxy(_) | Self::Url { .. } => Kind::Usage,
            Self::TooLong { .. } | Self::WrongDigest { .. } | Self::WrongSize { .. } => Kind::Damaged,
            _ => Kind::Io,
        }
    }
}

/// Whether this is a registry's: only there helps what `docker login` writes.
fn is_registry(url: &str) -> bool {
    url.contains("/v2/")
}

fn reach(has_proxy: bool) -> String {
    if has_proxy {
        "check the proxy, or leave hosts out with NO_PROXY; what was downloaded stays".to_owned()
    } else {
        "check the network; behind a proxy set HTTPS_PROXY or give `--proxy URL`; what was downloaded stays"
            .to_owned()
    }
}

/// TLS refused the server's certificate: no retry fixes that. Source: rustls,
/// `src/error.rs`.
const UNTRUSTED: &[&str] = &["invalid peer certificate"];

/// What answers speaks no TLS, as a registry does that only speaks HTTP. Source: rustls,
/// `src/error.rs`.
const WITHOUT_TLS: &[&str] = &["received corrupt message of type InvalidContentType"];

/// The proxy refused the user. Source: hyper-util, `TunnelError` and `AuthError`.
const LOCKED_OUT: &[&str] = &[
    "proxy authorization required",
    "credentials not accepted",
    "does not support user/pass authentication",
];

const PROXY_LOGIN: &str = "the proxy wants a name and a password: `--proxy http://USER:PASSWORD@HOST:PORT`";

/// Whether one of the causes says one of these `words`: the libraries' types are their own.
fn says(error: &reqwest::Error, words: &[&str]) -> bool {
    let has_one = |text: String| words.iter().any(|words| text.contains(words));
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        // io::Error hides what it wraps from `source`.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if has_one(error.to_string()) || inner.is_some_and(|inner| has_one(inner.to_string())) {
            return true;
        }
        next = error.source();
    }
    false
}

impl Explain for HttpError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Interrupted(interruption) => interruption.explain(),
            Self::Store(error) => error.explain(),
            _ => self.kind().hint(self.hint()),
        }
    }
}
