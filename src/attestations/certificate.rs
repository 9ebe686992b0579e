//! The short-lived certificate of a signer's key. Sources: RFC 5280; sigstore/fulcio,
//! `docs/certificate-specification.md` and `docs/oid-info.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Roots, Signer};
use crate::bundle::is_plain;

/// Extended key usage `codeSigning` (RFC 5280, 4.2.1.12), as DER without its head.
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];

/// Fulcio's extensions with the issuer of the identity: a `UTF8String`, and of old the
/// bare text.
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
const OLD_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");

/// What the keys of such certificates sign with.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 5] = [
    webpki::aws_lc_rs::ECDSA_P256_SHA256,
    webpki::aws_lc_rs::ECDSA_P384_SHA384,
    webpki::aws_lc_rs::ECDSA_P521_SHA512,
    webpki::aws_lc_rs::ED25519,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
];

/// A signer's certificate, and those of its issuers that came with it.
pub(super) struct Certificate {
    own: CertificateDer<'static>,
    parsed: x509_cert::Certificate,
    issuers: Vec<CertificateDer<'static>>,
}

impl Certificate {
    /// The first one in `files`; the rest are its issuers'.
    pub(super) fn read(files: &[&[u8]]) -> Result<Self, String> {
        let mut all = Vec::new();
        for file in files {
            all.extend(certificates(file)?);
        }
        let mut all = all.into_iter();
        let own = all.next().ok_or("there is no certificate")?;
        let parsed = x509_cert::Certificate::from_der(&own)
            .map_err(|error| format!("the certificate is none: {error}"))?;
        Ok(Self {
            own,
            parsed,
            issuers: all.collect(),
        })
    }

    /// Fails unless the certificate's key made `signature`, base64 of what its algorithm
    /// makes, of `content`.
    pub(super) fn check_signature(&self, content: &[u8], signature: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(signature);
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|_| "the signature is not base64")?;
        let own = self.webpki()?;
        for algorithm in ALGORITHMS {
            match own.verify_signature(algorithm, content, &bytes) {
                Ok(()) => return Ok(()),
                Err(webpki::Error::InvalidSignatureForPublicKey) => {
                    return Err("the certificate's key did not sign this".to_owned());
                }
                // Another kind of key.
                Err(_) => {}
            }
        }
        Err("the certificate's key is of a kind that signs nothing here".to_owned())
    }

    /// Fails unless an authority issued the certificate, for signing. As to time, at its own
    /// first moment, in which the authority counted: when the signature was made nobody knows
    /// here.
    pub(super) fn check_issuer(&self, roots: &Roots) -> Result<(), String> {
        let begins = self.parsed.tbs_certificate.validity.not_before.to_unix_duration();
        let (own, mut refused) = (self.webpki()?, String::new());
        for authority in roots.at(begins)? {
            let issuers = self.issuers.iter().chain(authority.others());
            let (anchors, issuers) = (authority.anchors()?, issuers.cloned().collect::<Vec<_>>());
            let verified = own.verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                &issuers,
                UnixTime::since_unix_epoch(begins),
                KeyUsage::required(CODE_SIGNING),
                None,
                None,
            );
            let Err(error) = verified.map(|_| ()) else {
                return Ok(());
            };
            refused = format!("its certificate does not lead to a trusted root: {error}");
        }
        Err(refused)
    }

    /// Whom the certificate names.
    pub(super) fn signer(&self, has_root: bool) -> Result<Signer, String> {
        let validity = &self.parsed.tbs_certificate.validity;
        let identity = self.identity().ok_or("the certificate names no identity")?;
        let issuer = self.issuer();
        let issuer = issuer.unwrap_or_else(|| "an issuer that is not named".to_owned());
        // They are shown to a person.
        if !is_plain(&identity) || !is_plain(&issuer) {
            return Err(
                "the certificate names an identity with characters that are not plain text".to_owned(),
            );
        }
        Ok(Signer {
            identity,
            issuer,
            not_before: validity.not_before.to_date_time().to_string(),
            not_after: validity.not_after.to_date_time().to_string(),
            has_root,
        })
    }

    fn identity(&self) -> Option<String> {
        let names = self.parsed.tbs_certificate.get::<SubjectAltName>().ok()??.1;
        names.0.iter().find_map(|name| match name {
            GeneralName::Rfc822Name(mail) => Some(mail.to_string()),
            GeneralName::UniformResourceIdentifier(url) => Some(url.to_string()),
            _ => None,
        })
    }

    fn issuer(&self) -> Option<String> {
        let extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        let find = |wanted| {
            let mut all = extensions.clone();
            all.find(|extension| extension.extn_id == wanted)
                .map(|extension| extension.extn_value.as_bytes())
        };
        if let Some(der) = find(ISSUER) {
            return Utf8StringRef::from_der(der).ok().map(|text| text.to_string());
        }
        find(OLD_ISSUER).map(|text| String::from_utf8_lossy(text).into_owned())
    }

    fn webpki(&self) -> Result<EndEntityCert<'_>, String> {
        EndEntityCert::try_from(&self.own).map_err(|error| format!("the certificate cannot be used: {error}"))
    }
}

/// The certificates in a file: PEM, or base64 of it, as Kubernetes publishes them.
pub(super) fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = String::from_utf8_lossy(file);
    let decoded = STANDARD.decode(text.trim());
    let pem = decoded.as_deref().unwrap_or(file);
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificates are not PEM: {error}"))
}

/// Whether the certificate is its own issuer's.
pub(super) fn is_root(certificate: &CertificateDer<'_>) -> bool {
    x509_cert::Certificate::from_der(certificate).is_ok_and(|parsed| {
        let names = parsed.tbs_certificate;
        names.subject.to_der().ok() == names.issuer.to_der().ok()
    })
}
