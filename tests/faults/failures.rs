//! What the library makes of a file that was cut off, and the kind and the hint of each
//! error: quick, as `library` is.

use std::fs;
use std::io;
use std::path::PathBuf;

use minikube_offline::bundle::{
    Attestation, BundleIndex, Digest, IndexError, KeyId, Member, Platform, Trailer, TrailerError,
    attestation_path, limits, member_span,
};
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::trust::Refusal;
use minikube_offline::verify::{MisplacedVolume, VerifyError};

use crate::draft::{Draft, block};
use crate::library::Bundle;

#[test]
fn a_file_without_its_end_is_told_by_the_length_in_its_header() {
    let sound = Draft::sound();
    let total = sound.finish_unsigned().len();
    let says = |draft: &Draft, spoil: &dyn Fn(&mut Vec<u8>)| {
        let bundle = Bundle::of(draft.clone());
        let mut content = fs::read(&bundle.path).unwrap();
        spoil(&mut content);
        fs::write(&bundle.path, content).unwrap();
        bundle.error()
    };
    let declared = |length: usize| {
        let header = format!("#!/bin/sh\nbundle_bytes={length}\nexit 9\n");
        let mut draft = sound.clone();
        draft.header = block(header.as_bytes());
        draft.fit();
        draft
    };
    for left in [total - 1, 4096, 79] {
        match says(&declared(total), &|content| content.truncate(left)) {
            VerifyError::CutShort { expected, found, .. } => {
                assert_eq!((expected, found), (total as u64, left as u64));
            }
            other => panic!("{left}: {other:?}"),
        }
    }
    // Without such a line, with this very length, and where the trailer says more.
    let cut = says(&sound, &|content| content.truncate(total - 1));
    let spoilt = says(&declared(total), &|content| *content.last_mut().unwrap() ^= 1);
    let no_magic = says(&declared(total), &|content| {
        content[total - Trailer::BYTES..].fill(0)
    });
    let longer = says(&declared(total + 5), &|content| {
        content.insert(0, b'#');
    });
    assert!(
        matches!(
            &cut,
            VerifyError::Trailer {
                source: TrailerError::Missing,
                ..
            }
        ),
        "{cut:?}"
    );
    assert!(
        matches!(
            &no_magic,
            VerifyError::Trailer {
                source: TrailerError::Missing,
                ..
            }
        ),
        "{no_magic:?}"
    );
    assert!(!matches!(&spoilt, VerifyError::CutShort { .. }), "{spoilt:?}");
    assert!(
        matches!(
            &longer,
            VerifyError::Trailer {
                source: TrailerError::Length { .. },
                ..
            }
        ),
        "{longer:?}"
    );
}

#[test]
fn an_index_is_refused_just_above_each_limit() {
    let sound = Draft::sound().index;
    let error = |spoil: &dyn Fn(&mut BundleIndex)| {
        let mut index = sound.clone();
        spoil(&mut index);
        index
            .encode()
            .map_or_else(|error| error.to_string(), |_| String::new())
    };
    let packer = |length| error(&|index| index.packer = "p".repeat(length));
    assert_eq!(packer(128), "");
    assert!(packer(129).contains("the packer's name"));
    let header = |size| error(&|index| index.header.size = size);
    assert_eq!(header(limits::HEADER_BYTES), "");
    assert!(header(limits::HEADER_BYTES + limits::BLOCK_BYTES).contains("the header has"));
    let stub = |size| error(&|index| index.stubs[0].size = size);
    assert_eq!(stub(limits::STUB_BYTES), "");
    assert!(stub(limits::STUB_BYTES + limits::BLOCK_BYTES).contains("the stub for"));
    let members = |count| error(&|index| index.members = vec![index.members[0].clone(); count]);
    assert!(!members(limits::MEMBERS).contains("there are"));
    assert!(members(limits::MEMBERS + 1).contains("there are 20001 members"));
    // Seventeen files of a signature: all but two as large as one may be.
    let most = limits::ATTESTATION_BYTES;
    let attestations = |last: u64| {
        error(&|index| {
            let digests: Vec<Digest> = (0..17u8).map(|number| Digest::of(&[number])).collect();
            let at = usize::try_from(index.frames[0].members).unwrap();
            for (number, sha256) in digests.iter().enumerate() {
                let size = [last, most / 2].get(number).copied().unwrap_or(most);
                let member = Member {
                    path: attestation_path(*sha256),
                    size,
                    sha256: *sha256,
                };
                index.members.insert(at, member);
                index.frames[0].members += 1;
                index.frames[0].plain_size += member_span(size).unwrap();
            }
            index.images[1].origin.attestations = vec![Attestation {
                url: "https://publisher.example".to_owned(),
                signature: digests[0],
                documents: digests[1..9].to_vec(),
                certificates: digests[9..].to_vec(),
                log: None,
            }];
        })
    };
    assert_eq!(attestations(most / 2), "");
    assert!(attestations(most / 2 + 1).contains("the attestations have"));
}

#[test]
fn each_error_has_the_kind_and_the_hint_that_fit_it() {
    let path = || PathBuf::from("x.run");
    let read = |kind: io::ErrorKind| VerifyError::Read {
        path: path(),
        source: kind.into(),
    };
    let refused = |source| VerifyError::NotAuthentic {
        path: path(),
        trusted: "me".to_owned(),
        source,
    };
    let key_id = KeyId::from_bytes([1; 8]);
    let index = |source| VerifyError::Index { path: path(), source };
    let trailer = |source| VerifyError::Trailer { path: path(), source };
    let misplaced = |twice: &[bool]| VerifyError::Misplaced {
        volumes: twice
            .iter()
            .map(|twice| MisplacedVolume {
                path: path(),
                number: 1,
                twice: *twice,
            })
            .collect(),
    };
    let cases = [
        (
            read(io::ErrorKind::NotFound),
            Kind::Io,
            "give the path of a bundle",
        ),
        (read(io::ErrorKind::TimedOut), Kind::Io, "if it lies on a stick"),
        (read(io::ErrorKind::Other), Kind::Io, "it is a pipe"),
        (read(io::ErrorKind::IsADirectory), Kind::Io, "it is a directory"),
        (
            read(io::ErrorKind::StorageFull),
            Kind::NoSpace,
            "if it lies on a stick",
        ),
        (
            index(IndexError::Format { found: 2 }),
            Kind::Damaged,
            "use the minikube-offline that packed it",
        ),
        (
            index(IndexError::NotCanonical),
            Kind::Damaged,
            "copy the file again",
        ),
        (
            trailer(TrailerError::Format { found: 2 }),
            Kind::Damaged,
            "use the minikube-offline that packed it",
        ),
        (
            trailer(TrailerError::Missing),
            Kind::Damaged,
            "copy the file again",
        ),
        (
            VerifyError::MissingVolumes {
                path: path(),
                count: 1,
                missing: Vec::new(),
                spelled: None,
            },
            Kind::Damaged,
            "put all volumes into the directory",
        ),
        (
            VerifyError::MissingVolumes {
                path: path(),
                count: 1,
                missing: Vec::new(),
                spelled: Some("X.RUN.001".into()),
            },
            Kind::Damaged,
            "`X.RUN.001` is spelt with other letters than the bundle",
        ),
        (misplaced(&[false]), Kind::Damaged, "give each volume the number"),
        (
            misplaced(&[true, false]),
            Kind::Damaged,
            "give each volume the number",
        ),
        (
            misplaced(&[true, true]),
            Kind::Damaged,
            "take the volume that has this number",
        ),
        (
            VerifyError::OtherPlatform {
                path: path(),
                platform: Platform::of_this_machine().unwrap(),
                there: Vec::new(),
            },
            Kind::Unfit,
            "carry a bundle that was packed for this platform, too",
        ),
        (
            VerifyError::Payload {
                path: path(),
                member: String::new(),
                reason: String::new(),
            },
            Kind::Damaged,
            "pack the bundle again",
        ),
        (
            refused(Refusal::Forged { key_id }),
            Kind::NotAuthentic,
            "do not use it",
        ),
        (
            refused(Refusal::Unknown { key_id }),
            Kind::NotAuthentic,
            "ask its packer whether 01",
        ),
        (
            refused(Refusal::Unsigned),
            Kind::NotAuthentic,
            "have it signed where it was packed",
        ),
    ];
    for (error, kind, hint) in cases {
        let failure = Failure::from(error);
        let given = failure.hints.concat();
        assert!(failure.kind == kind && given.starts_with(hint), "{failure:?}");
    }
    // Through a reader, and as itself out of it.
    for (error, kind) in [
        (read(io::ErrorKind::NotFound), io::ErrorKind::NotFound),
        (index(IndexError::NotCanonical), io::ErrorKind::InvalidData),
    ] {
        let said = error.to_string();
        let passed = io::Error::from(error);
        assert_eq!(passed.kind(), kind);
        assert_eq!(passed.downcast::<VerifyError>().unwrap().to_string(), said);
    }
}
