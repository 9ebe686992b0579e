//! How to be let in by a registry: the challenge, and the token or the password.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};

use super::UpstreamError;
use super::credentials::Credentials;
use super::places::Place;
use crate::http::{Http, HttpError};

/// The value of `Authorization` for `place`, whose registry is at `base`; `None` when
/// the registry does not say how to be let in.
pub(super) fn authorization(
    http: &Http,
    base: &str,
    place: &Place,
    credentials: Option<&Credentials>,
) -> Result<Option<String>, UpstreamError> {
    let refused = |source: Box<dyn std::error::Error + Send + Sync>| UpstreamError::Login {
        host: place.host.clone(),
        repository: place.repository.clone(),
        source,
    };
    let auth = credentials.map_or(RegistryAuth::Anonymous, |known| {
        RegistryAuth::Basic(known.user.clone(), known.password.clone())
    });
    let reference = Reference::with_tag(place.host.clone(), place.repository.clone(), "latest".to_owned());
    let client = Client::try_from(config(http, base)?).map_err(|error| refused(error.into()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| refused(error.into()))?;
    let patience = http.patience();
    let mut failures = 0;
    loop {
        match runtime.block_on(client.auth(&reference, &auth, RegistryOperation::Pull)) {
            Ok(Some(token)) => return Ok(Some(format!("Bearer {token}"))),
            Ok(None) => break,
            Err(OciDistributionError::RequestError(error)) if !error.is_builder() => {
                failures += 1;
                if failures >= patience.attempts || !patience.pause(failures, None) {
                    return Err(refused(error.into()));
                }
            }
            Err(error) => return Err(refused(error.into())),
        }
    }
    Ok(credentials.map(|known| {
        let pair = format!("{}:{}", known.user, known.password);
        format!("Basic {}", STANDARD.encode(pair))
    }))
}

fn config(http: &Http, base: &str) -> Result<ClientConfig, UpstreamError> {
    let options = http.options();
    let plain = base.starts_with("http://");
    let host = base.split("://").nth(1).unwrap_or(base);
    let stall = Some(http.patience().stall);
    Ok(ClientConfig {
        protocol: if plain {
            ClientProtocol::Http
        } else {
            ClientProtocol::Https
        },
        accept_invalid_certificates: options.insecure_hosts.iter().any(|insecure| insecure == host),
        extra_root_certificates: certificates(&options.ca)?,
        read_timeout: stall,
        connect_timeout: stall,
        user_agent: concat!("minikube-offline/", env!("CARGO_PKG_VERSION")),
        // The token may come from another host, over TLS: the registry's proxy stands
        // for both.
        http_proxy: http.proxy_for(base),
        https_proxy: http.proxy_for(base),
        ..ClientConfig::default()
    })
}

/// The certificates one by one, as the client wants them.
fn certificates(files: &[PathBuf]) -> Result<Vec<Certificate>, UpstreamError> {
    const END: &str = "-----END CERTIFICATE-----";
    let mut certificates = Vec::new();
    for path in files {
        let text = fs::read_to_string(path).map_err(|error| HttpError::Ca {
            path: path.clone(),
            source: error.into(),
        })?;
        certificates.extend(
            text.split_inclusive(END)
                .filter(|pem| pem.contains(END))
                .map(|pem| Certificate {
                    encoding: CertificateEncoding::Pem,
                    data: pem.as_bytes().to_vec(),
                }),
        );
    }
    Ok(certificates)
}
