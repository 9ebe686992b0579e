//! Takes a verified bundle, says who signed the parts in it and how much of that is
//! proven, without a network; fails with all signatures that do not hold.
//!
//! Proven is that the key in the certificate signed the part and, with the roots of who
//! issues such certificates, that it was issued to this signer. Not proven is when it was
//! signed: the certificate is valid for minutes, and only a log of signatures knows. Nor is
//! the version: a signature of an image names its repository, and one of a binary names nothing.

mod certificate;
mod documents;
mod error;
mod roots;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use crate::bundle::{Attestation, BinaryRole, Digest, Member, Origin, Platform, attestation_path, limits};
use crate::progress::Progress;
use crate::verify::{VerifiedBundle, VerifyError};

use certificate::Certificate;
pub use error::{AttestationError, Objection};
pub use roots::Roots;

/// Who signs Kubernetes' programs and images, and who knows them. Source: kubernetes.io,
/// "Verify Signed Kubernetes Artifacts".
const KUBERNETES: [&str; 2] = [
    "krel-staging@k8s-releng-prod.iam.gserviceaccount.com",
    "krel-trust@k8s-releng-prod.iam.gserviceaccount.com",
];
const GOOGLE: &str = "https://accounts.google.com";

/// A signed program larger than this is not checked: its bytes are held in memory.
/// Kubernetes' largest had 60 MB in 2026.
const PROGRAM_BYTES: u64 = 1 << 30;

/// What is known of a part's publisher.
#[derive(Clone, Debug)]
pub struct SignedPart {
    /// The part's name.
    pub name: String,
    /// Who signed it, each by a signature that holds; nobody when none is carried.
    pub signers: Vec<Signer>,
}

/// Who signed, as the certificate has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signer {
    /// A mail address or a URL.
    pub identity: String,
    /// Who vouched for the identity.
    pub issuer: String,
    /// When the certificate begins to be valid, as RFC 3339 has it.
    pub not_before: String,
    /// When it ends to be.
    pub not_after: String,
    /// Whether the certificate leads to one of the roots; with roots, all do.
    pub has_root: bool,
}

/// The carried files, by digest.
type Files = BTreeMap<Digest, Vec<u8>>;

/// Checks every signature in the bundle; says of each part who signed it, programs first.
pub fn check(
    bundle: &VerifiedBundle,
    roots: Option<&Roots>,
    progress: &dyn Progress,
) -> Result<Vec<SignedPart>, AttestationError> {
    let index = bundle.index();
    progress.begin("verify the publishers' signatures", None);
    let paths: BTreeSet<String> = index
        .attestations()
        .flat_map(Attestation::files)
        .map(attestation_path)
        .collect();
    let files = read(
        bundle,
        |member| paths.contains(&member.path),
        limits::ATTESTATION_BYTES,
    )?;
    let is_mixed = index.cluster.platforms.len() > 1;
    let named = |name: String, platform: Platform| {
        if is_mixed {
            format!("{name} for {platform}")
        } else {
            name
        }
    };
    let (mut parts, mut objections) = (Vec::new(), Vec::new());
    for binary in &index.binaries {
        let name = named(binary.role.to_string(), binary.platform);
        let path = binary.member_path();
        let signed = !binary.origin.attestations.is_empty() && binary.size <= PROGRAM_BYTES;
        let program = read(bundle, |member| signed && member.path == path, binary.size)?;
        let part = signers(&name, &binary.origin, &mut objections, |signature| {
            signer(signature, &files, roots, program.get(&binary.sha256))
        });
        parts.push((part, binary.role != BinaryRole::Minikube));
    }
    for image in &index.images {
        let name = named(image.reference.to_string(), image.platform);
        let part = signers(&name, &image.origin, &mut objections, |signature| {
            documents::lead_to(&signature.documents, &files, image)?;
            let first = signature.documents.first().and_then(|first| files.get(first));
            signer(signature, &files, roots, first)
        });
        parts.push((part, image.reference.registry() == "registry.k8s.io"));
    }
    let strangers = parts.iter().filter(|(_, is_kubernetes)| *is_kubernetes);
    objections.extend(strangers.filter_map(|(part, _)| part.stranger()));
    if !objections.is_empty() {
        return Err(AttestationError::Objections(objections));
    }
    let parts: Vec<SignedPart> = parts.into_iter().map(|(part, _)| part).collect();
    let count = parts.iter().filter(|part| !part.signers.is_empty()).count();
    progress.end(&format!("{count} of {} parts", parts.len()));
    Ok(parts)
}

impl SignedPart {
    /// What is wrong where this is Kubernetes' own part, and somebody else signed it.
    fn stranger(&self) -> Option<Objection> {
        let known =
            |signer: &Signer| KUBERNETES.contains(&signer.identity.as_str()) && signer.issuer == GOOGLE;
        if self.signers.is_empty() || self.signers.iter().any(known) {
            return None;
        }
        let found = self
            .signers
            .iter()
            .map(|signer| format!("{} ({})", signer.identity, signer.issuer));
        Some(Objection::Stranger {
            found: found.collect(),
            name: self.name.clone(),
        })
    }
}

/// The part with who made each of its signatures; those that do not hold are objected to.
fn signers(
    name: &str,
    origin: &Origin,
    objections: &mut Vec<Objection>,
    check: impl Fn(&Attestation) -> Result<Signer, Flaw>,
) -> SignedPart {
    let mut signers = Vec::new();
    for signature in &origin.attestations {
        match check(signature) {
            Ok(signer) => signers.push(signer),
            Err(flaw) => objections.push(Objection::Signature {
                name: name.to_owned(),
                url: signature.url.clone(),
                reason: flaw.reason,
                so_published: flaw.is_broken && origin.agrees_with_publisher(),
            }),
        }
    }
    SignedPart {
        name: name.to_owned(),
        signers,
    }
}

/// Why a signature does not hold.
struct Flaw {
    reason: String,
    /// Whether its key did not sign this at all: a publisher's mistake looks like that, too.
    is_broken: bool,
}

impl From<String> for Flaw {
    fn from(reason: String) -> Self {
        Self {
            reason,
            is_broken: false,
        }
    }
}

/// Who made this signature of `content`; a sentence when nobody did.
fn signer(
    signature: &Attestation,
    files: &Files,
    roots: Option<&Roots>,
    content: Option<&Vec<u8>>,
) -> Result<Signer, Flaw> {
    let content =
        content.ok_or_else(|| "what is signed is missing, or too large to be checked".to_owned())?;
    let file = |digest: &Digest| files.get(digest).map(Vec::as_slice);
    let given: Vec<&[u8]> = signature.certificates.iter().filter_map(file).collect();
    let certificate = Certificate::read(&given)?;
    let checked = certificate.check_signature(content, file(&signature.signature).unwrap_or_default());
    checked.map_err(|reason| Flaw {
        reason,
        is_broken: true,
    })?;
    if let Some(roots) = roots {
        certificate.check_issuer(roots)?;
    }
    Ok(certificate.signer(roots.is_some())?)
}

/// The wanted members by digest; none has more than `limit` bytes.
fn read(
    bundle: &VerifiedBundle,
    wanted: impl Fn(&Member) -> bool + Send,
    limit: u64,
) -> Result<Files, VerifyError> {
    let mut files = Files::new();
    let mut members = bundle.members(wanted);
    while let Some(reader) = members.next_member()? {
        let member = reader.member();
        let mut bytes = Vec::new();
        reader
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| bundle.member_error(&member.path, source))?;
        files.insert(member.sha256, bytes);
    }
    Ok(files)
}
