//! The publishers' signatures: what a part cannot have, and files that are not where they
//! may be.

use minikube_offline::bundle::{Attestation, BundleIndex, Digest, Member, attestation_path, blob_path};

use super::Case;
use crate::draft::{Contents, Draft};

const JSON: &str = "the index is not format 1";
const NOBODYS: &str = "no part needs";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = files();
    cases.extend(signatures());
    cases.extend(texts());
    cases
}

/// A bundle whose kubelet and second image are signed, spoilt.
fn signed(name: &str, says: &str, spoil: impl Fn(&mut BundleIndex) + Sync + 'static) -> Case {
    Case::draft(name, says, move |draft| {
        *draft = Draft::of(&Contents::signed());
        spoil(&mut draft.index);
    })
}

fn of_program(index: &mut BundleIndex) -> &mut Attestation {
    &mut index.binaries[2].origin.attestations[0]
}

fn of_image(index: &mut BundleIndex) -> &mut Attestation {
    &mut index.images[1].origin.attestations[0]
}

/// The member with the signature.
fn member(index: &mut BundleIndex) -> &mut Member {
    let path = attestation_path(of_program(index).signature);
    let mut members = index.members.iter_mut();
    members.find(|member| member.path == path).expect("a member")
}

fn files() -> Vec<Case> {
    let moved = |name: &str, says: &str, to: fn(Digest) -> String| {
        signed(name, says, move |index| {
            let digest = of_program(index).signature;
            member(index).path = to(digest);
        })
    };
    vec![
        Case::draft(
            "a file of attestations of more than 4 MiB",
            "more than an attestation's file can have",
            |draft| {
                let mut contents = Contents::signed();
                contents.attestations[0] = vec![b'A'; (4 << 20) + 1];
                *draft = Draft::of(&contents);
            },
        ),
        signed(
            "files of attestations of more than 64 MiB",
            "the attestations have",
            |index| {
                let one = of_image(index).clone();
                for number in 0..17u8 {
                    let (sha256, size) = (Digest::of(&[number]), 4 << 20);
                    let (log, path) = (Some(sha256), attestation_path(sha256));
                    let image = usize::from(number) / 7;
                    let signature = Attestation { log, ..one.clone() };
                    index.images[image].origin.attestations.push(signature);
                    index.members.insert(0, Member { path, size, sha256 });
                    index.frames[0].members += 1;
                    index.frames[0].plain_size += 512 + size;
                }
            },
        ),
        signed("attestations that no part names", NOBODYS, |index| {
            index.binaries[2].origin.attestations.clear();
            index.images[1].origin.attestations.clear();
        }),
        signed("a document that no signature names", NOBODYS, |index| {
            of_image(index).documents = vec![of_program(index).signature];
        }),
        moved("attestations among the blobs", NOBODYS, blob_path),
        moved("attestations in the place of a program", NOBODYS, |_| {
            "bin/linux/amd64/kubelet.sig".to_owned()
        }),
        moved("attestations under another directory", NOBODYS, |digest| {
            format!("attestations/../{}", digest.hex())
        }),
        moved("attestations under a name of its own", NOBODYS, |_| {
            "attestations/kubelet.sig".to_owned()
        }),
        moved("attestations under a digest in capitals", NOBODYS, |digest| {
            attestation_path(digest).to_uppercase()
        }),
        signed("attestations twice", "or it is there twice", |index| {
            let certificate = of_program(index).certificates[0];
            let member = member(index);
            (member.path, member.sha256) = (attestation_path(certificate), certificate);
        }),
        signed(
            "attestations of another content",
            "has the digest of another blob",
            |index| {
                member(index).sha256 = Digest::of(b"other");
            },
        ),
        signed("a signature that is not there", "is missing", |index| {
            of_program(index).signature = Digest::of(b"nobody's");
        }),
        signed("an entry in a log that is not there", "is missing", |index| {
            of_program(index).log = Some(Digest::of(b"nobody's"));
        }),
        signed("a layer as a certificate", "is missing", |index| {
            let layer = index.images[0].layers[0];
            of_program(index).certificates.push(layer);
        }),
    ]
}

fn signatures() -> Vec<Case> {
    let url = "whose URL is too long or not plain text";
    let what = "does not name what is signed, or names it twice";
    vec![
        signed("a program with a document", what, |index| {
            let document = of_image(index).documents[0];
            of_program(index).documents.push(document);
        }),
        signed("an image without a document", NOBODYS, |index| {
            of_image(index).documents.clear();
        }),
        signed("an image that is signed as a program is", what, |index| {
            let signature = of_program(index).clone();
            index.images[0].origin.attestations.push(signature);
        }),
        signed(
            "a signature without a certificate",
            "without a certificate",
            |index| of_program(index).certificates.clear(),
        ),
        signed("nine signatures", "too many attestations", |index| {
            let signature = of_program(index).clone();
            index.binaries[2].origin.attestations = vec![signature; 9];
        }),
        signed("nine certificates", "of too many files", |index| {
            let certificate = of_program(index).certificates[0];
            of_program(index).certificates = vec![certificate; 9];
        }),
        signed("nine documents", "of too many files", |index| {
            let document = of_image(index).documents[0];
            of_image(index).documents = vec![document; 9];
        }),
        signed("a URL of more than 2048 bytes", url, |index| {
            of_program(index).url = "u".repeat(2049);
        }),
        signed("a URL that clears a screen", url, |index| {
            of_program(index).url = format!("https://x/{}", "\u{1b}[2J");
        }),
        signed("a URL of two lines", url, |index| {
            of_image(index).url += "\nwhole";
        }),
    ]
}

/// A bundle whose parts are signed, with one piece of its index another.
fn texts() -> Vec<Case> {
    let log = r#""log":null"#;
    let replaced = |name: &str, says: &str, from: &'static str, to: &'static str| {
        Case::replace(name, says, from, to).on_signed()
    };
    vec![
        replaced(
            "a kind of signature that is unknown",
            JSON,
            log,
            r#""log":null,"kind":"sigstore-bundle""#,
        ),
        replaced(
            "a signature with a key twice",
            JSON,
            log,
            r#""log":null,"log":null"#,
        ),
        replaced(
            "a signature without a log",
            "the index is not in its canonical form",
            r#","log":null"#,
            "",
        ),
        replaced("an entry in a log that is empty", JSON, log, r#""log":"""#),
        replaced(
            "a certificate that is no digest",
            JSON,
            r#""certificates":["sha256:"#,
            r#""certificates":["../../"#,
        ),
        replaced(
            "certificates that are null",
            JSON,
            r#""documents":[]"#,
            r#""documents":null"#,
        ),
        replaced(
            "signatures that are null",
            JSON,
            r#""attestations":[]"#,
            r#""attestations":null"#,
        ),
        replaced(
            "an origin without attestations",
            JSON,
            r#","attestations":[]"#,
            "",
        ),
        replaced(
            "signatures that are one",
            JSON,
            r#""attestations":[]"#,
            r#""attestations":{}"#,
        ),
    ]
}
