//! How connections are made: proxies, certificates.

use std::fs;
use std::path::Path;

use reqwest::blocking::{Client, ClientBuilder};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Proxy};

use super::{HttpError, HttpOptions, Proxies};

/// One client for hosts whose certificates are checked, and one for the others. Neither
/// follows a redirect: [`Way`](super::redirect::Way) does.
pub(super) fn clients(
    options: &HttpOptions,
    proxies: &Proxies,
    certificates: &[Certificate],
) -> Result<[Client; 2], HttpError> {
    let client = |insecure: bool| finish(builder(options, proxies), certificates, insecure);
    Ok([client(false)?, client(true)?])
}

fn builder(options: &HttpOptions, proxies: &Proxies) -> ClientBuilder {
    let proxies = proxies.clone();
    Client::builder()
        .user_agent(concat!("minikube-offline/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .proxy(Proxy::custom(move |url| proxies.between(url).cloned()))
        // For connecting, and for each read of the body: not for the whole.
        .timeout(options.patience.stall)
        .connect_timeout(options.patience.stall / 2)
        // A stream of HTTP/2 that stalls would be dropped, and its connection, which all
        // requests to a host share, taken again: each retry would wait on what is dead.
        .http1_only()
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
