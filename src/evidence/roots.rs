//! Who may issue certificates to signers.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use serde::Deserialize;

use super::EvidenceError;
use super::certificate::{certificates, is_root};

/// Certificates of authorities, and those between them and the signers.
#[derive(Debug)]
pub struct Roots {
    path: PathBuf,
    anchors: Vec<CertificateDer<'static>>,
    others: Vec<CertificateDer<'static>>,
}

/// Sigstore's `trusted_root.json`, as far as it is about authorities. Source:
/// sigstore/protobuf-specs, `sigstore_trustroot.proto`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrustedRoot {
    certificate_authorities: Vec<Authority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authority {
    cert_chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<RawCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: String,
}

impl Roots {
    /// Reads a file: Sigstore's `trusted_root.json`, or certificates in PEM.
    pub fn load(path: &Path) -> Result<Self, EvidenceError> {
        let refused = |reason: String| EvidenceError::Roots {
            path: path.to_owned(),
            reason,
        };
        let bytes = fs::read(path).map_err(|error| refused(error.to_string()))?;
        let all = match serde_json::from_slice::<TrustedRoot>(&bytes) {
            Ok(root) => {
                decode(&root).ok_or_else(|| refused("a certificate in it is not base64".to_owned()))?
            }
            Err(_) => certificates(&bytes).map_err(refused)?,
        };
        let (anchors, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_root);
        if anchors.is_empty() {
            return Err(refused("there is no root certificate in it".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            anchors,
            others,
        })
    }

    /// The roots.
    pub(super) fn anchors(&self) -> Result<Vec<TrustAnchor<'_>>, String> {
        let anchors = self.anchors.iter().map(webpki::anchor_from_trusted_cert);
        anchors
            .collect::<Result<_, _>>()
            .map_err(|error| format!("a root in `{}` cannot be used: {error}", self.path.display()))
    }

    /// What lies between them and the signers.
    pub(super) fn others(&self) -> &[CertificateDer<'static>] {
        &self.others
    }
}

fn decode(root: &TrustedRoot) -> Option<Vec<CertificateDer<'static>>> {
    let authorities = root.certificate_authorities.iter();
    authorities
        .flat_map(|authority| &authority.cert_chain.certificates)
        .map(|certificate| {
            STANDARD
                .decode(&certificate.raw_bytes)
                .ok()
                .map(CertificateDer::from)
        })
        .collect()
}
