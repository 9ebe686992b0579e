//! Who may issue certificates to signers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use serde::Deserialize;
use x509_cert::der::DateTime;

use super::AttestationError;
use super::certificate::{certificates, is_root};
use crate::bundle::plain;

/// The authorities that count.
#[derive(Debug)]
pub struct Roots {
    path: PathBuf,
    authorities: Vec<Authority>,
}

/// An authority: its own certificates, and those between it and the signers.
#[derive(Debug)]
pub(super) struct Authority {
    anchors: Vec<CertificateDer<'static>>,
    others: Vec<CertificateDer<'static>>,
    /// When it begins to count, and when it ends to, in seconds since 1970.
    from: Duration,
    to: Option<(Duration, String)>,
}

/// Sigstore's `trusted_root.json`, as far as it is about authorities. Source:
/// sigstore/protobuf-specs, `sigstore_trustroot.proto`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrustedRoot {
    certificate_authorities: Vec<ListedAuthority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedAuthority {
    cert_chain: Chain,
    #[serde(default)]
    valid_for: Option<Interval>,
}

/// RFC 3339; an end that is not there has not come.
#[derive(Deserialize)]
struct Interval {
    start: Option<String>,
    end: Option<String>,
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
    pub fn load(path: &Path) -> Result<Self, AttestationError> {
        let refused = |reason: String| AttestationError::Roots {
            path: path.to_owned(),
            reason,
        };
        let bytes = fs::read(path).map_err(|error| refused(error.to_string()))?;
        let authorities = match serde_json::from_slice::<TrustedRoot>(&bytes) {
            Ok(root) => {
                let all = root.certificate_authorities.iter().map(Authority::listed);
                all.collect::<Result<Vec<_>, _>>().map_err(refused)?
            }
            Err(_) => vec![Authority::of(certificates(&bytes).map_err(refused)?)],
        };
        if authorities.iter().all(|authority| authority.anchors.is_empty()) {
            return Err(refused("there is no root certificate in it".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            authorities,
        })
    }

    /// The authorities that counted at `time`, which is seconds since 1970; a sentence where
    /// none did.
    pub(super) fn at(&self, time: Duration) -> Result<Vec<&Authority>, String> {
        let counting: Vec<&Authority> = self.authorities.iter().filter(|it| it.counts_at(time)).collect();
        if counting.is_empty() {
            let ends = self.authorities.iter().filter_map(|it| it.to.as_ref()).max();
            let ends = ends.map_or_else(String::new, |(_, end)| {
                format!("; the last one counts until {end}")
            });
            return Err(format!(
                "no authority in `{}` counts for the time of its certificate{ends}",
                self.path.display()
            ));
        }
        Ok(counting)
    }
}

impl Authority {
    /// The authority with these certificates, whenever.
    fn of(certificates: Vec<CertificateDer<'static>>) -> Self {
        let (anchors, others) = certificates
            .into_iter()
            .partition(|certificate| is_root(certificate));
        Self {
            anchors,
            others,
            from: Duration::ZERO,
            to: None,
        }
    }

    fn listed(listed: &ListedAuthority) -> Result<Self, String> {
        let certificates = listed.cert_chain.certificates.iter().map(|certificate| {
            let der = STANDARD.decode(&certificate.raw_bytes);
            der.map(CertificateDer::from)
                .map_err(|_| "a certificate in it is not base64".to_owned())
        });
        let mut authority = Self::of(certificates.collect::<Result<_, _>>()?);
        if let Some(interval) = &listed.valid_for {
            let time = |text: &String| Ok::<_, String>((seconds(text)?, text.clone()));
            authority.from = interval.start.as_deref().map_or(Ok(Duration::ZERO), seconds)?;
            authority.to = interval.end.as_ref().map(time).transpose()?;
        }
        Ok(authority)
    }

    fn counts_at(&self, time: Duration) -> bool {
        let ended = self.to.as_ref().is_some_and(|(end, _)| time > *end);
        self.from <= time && !ended && !self.anchors.is_empty()
    }

    /// Its roots.
    pub(super) fn anchors(&self) -> Result<Vec<TrustAnchor<'_>>, String> {
        let anchors = self.anchors.iter().map(webpki::anchor_from_trusted_cert);
        anchors
            .collect::<Result<_, _>>()
            .map_err(|error| format!("a given root cannot be used: {error}"))
    }

    /// What lies between them and the signers.
    pub(super) fn others(&self) -> &[CertificateDer<'static>] {
        &self.others
    }
}

/// The whole seconds since 1970 of a time as RFC 3339 has it, in UTC.
fn seconds(text: &str) -> Result<Duration, String> {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.trim_start_matches(|c: char| c.is_ascii_digit()) == "Z" => whole,
        Some(_) => "",
        None => text.strip_suffix('Z').unwrap_or_default(),
    };
    let time: Result<DateTime, _> = format!("{whole}Z").parse();
    time.map(|time| time.unix_duration())
        .map_err(|_| format!("`{}` in it is no time", plain(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_and_without_a_fraction() {
        let at = |text: &str| seconds(text).map(|time| time.as_secs());
        assert_eq!(at("1970-01-02T00:00:00Z"), Ok(86_400));
        assert_eq!(at("2021-03-07T03:20:29.000Z"), Ok(1_615_087_229));
        for text in [
            "",
            "Z",
            "2021-03-07",
            "2021-03-07T03:20:29",
            "2021-03-07T03:20:29+01:00",
            "2021-03-07T03:20:29.x",
        ] {
            assert_eq!(at(text), Err(format!("`{text}` in it is no time")));
        }
    }
}
