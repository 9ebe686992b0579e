//! How connections are made: proxies, certificates, redirects.

use std::fs;
use std::path::Path;

use reqwest::blocking::{Client, ClientBuilder};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Proxy, Url};

use super::{HttpError, HttpOptions, Proxies};

/// One client for hosts whose certificates are checked, and one for the others; neither
/// leads from HTTPS to HTTP.
pub(super) fn following(
    options: &HttpOptions,
    proxies: &Proxies,
    certificates: &[Certificate],
) -> Result<[Client; 2], HttpError> {
    let client = |insecure: bool| {
        let policy = Policy::custom(|attempt| {
            let came_by = attempt.previous().last().map(Url::scheme);
            if attempt.previous().len() > 10 {
                attempt.error("more than 10 redirects")
            } else if came_by == Some("https") && attempt.url().scheme() != "https" {
                attempt.error("a redirect from https to http")
            } else {
                attempt.follow()
            }
        });
        finish(builder(options, proxies).redirect(policy), certificates, insecure)
    };
    Ok([client(false)?, client(true)?])
}

/// A client for a request with a secret in its body, which follows no redirect.
pub(super) fn staying(
    options: &HttpOptions,
    proxies: &Proxies,
    certificates: &[Certificate],
    insecure: bool,
) -> Result<Client, HttpError> {
    let builder = builder(options, proxies).redirect(Policy::none());
    finish(builder, certificates, insecure)
}

fn builder(options: &HttpOptions, proxies: &Proxies) -> ClientBuilder {
    let proxies = proxies.clone();
    Client::builder()
        .user_agent(concat!("minikube-offline/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .proxy(Proxy::custom(move |url| proxies.between(url).cloned()))
        // For connecting, and for each read of the body: not for the whole.
        .timeout(options.patience.stall)
        .connect_timeout(options.patience.stall)
}

fn finish(builder: ClientBuilder, certificates: &[Certificate], insecure: bool) -> Result<Client, HttpError> {
    builder
        .tls_certs_merge(certificates.to_vec())
        .tls_danger_accept_invalid_certs(insecure)
        .build()
        .map_err(HttpError::Client)
}

/// The certificates in a file, in PEM.
pub(super) fn load_certificates(path: &Path) -> Result<Vec<Certificate>, HttpError> {
    let refused = |source| HttpError::Ca {
        path: path.to_owned(),
        source,
    };
    let bytes = fs::read(path).map_err(|error| refused(error.into()))?;
    let certificates = Certificate::from_pem_bundle(&bytes).map_err(|error| refused(error.into()))?;
    if certificates.is_empty() {
        return Err(refused("there is no certificate in it".into()));
    }
    Ok(certificates)
}
