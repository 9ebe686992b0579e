//! What can be wrong with a bundle.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::bundle::{Checksum, Digest, IndexError, Platform, SignatureError, TrailerError, in_words};
use crate::explain::{Explain, Explanation, Kind};
use crate::trust::Refusal;

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The file cannot be read.
    #[error("cannot open `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file ends too early, or is no bundle at all.
    #[error("`{}` is {found} bytes long and should be {expected}: it was not copied whole", path.display())]
    CutShort {
        /// The file.
        path: PathBuf,
        /// What its header says.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// It is split, and not all of its volumes lie beside it.
    #[error("`{}` is split, and {} of its {count} volumes {} missing: {}", path.display(), missing.len(), are(missing.len()), list(missing))]
    MissingVolumes {
        /// The bundle.
        path: PathBuf,
        /// How many volumes it has.
        count: usize,
        /// Those that are not there.
        missing: Vec<ExpectedVolume>,
        /// A file with the name of one of them but for capital letters.
        spelled: Option<PathBuf>,
    },
    /// It is split, and files besides its volumes have a volume's name.
    #[error(
        "`{}` has {count} volume{}, and beside it {} {} that {} none of them: {}",
        path.display(),
        if *count == 1 { "" } else { "s" },
        are(surplus.len()),
        if surplus.len() == 1 { "a file" } else { "files" },
        are(surplus.len()),
        list(&surplus.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>())
    )]
    SurplusVolumes {
        /// The bundle.
        path: PathBuf,
        /// How many volumes it has.
        count: usize,
        /// The files.
        surplus: Vec<PathBuf>,
    },
    /// A volume has another length than the index says.
    #[error(
        "`{}` is {found} bytes long, and volume {number} of {count} should be {expected}",
        path.display()
    )]
    VolumeLength {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        number: usize,
        /// How many volumes there are.
        count: usize,
        /// What the index says.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// Volumes lie under one another's names.
    #[error("{}", list(volumes))]
    Misplaced {
        /// Those with a wrong name.
        volumes: Vec<MisplacedVolume>,
    },
    /// It is a key, or a signature, and not what was signed with it.
    #[error("`{}` is a key or a signature, and no bundle", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// It neither begins nor ends as a bundle does.
    #[error("`{}` is not a bundle", path.display())]
    NotABundle {
        /// The file.
        path: PathBuf,
    },
    /// The trailer is not a bundle's.
    #[error("`{}` is not a whole bundle", path.display())]
    Trailer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TrailerError,
    },
    /// The index is not one that can be used.
    #[error("the index of `{}` cannot be used", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: IndexError,
    },
    /// No trusted key signed it.
    #[error("`{}` is not authentic: nothing of it was used", path.display())]
    NotAuthentic {
        /// The file.
        path: PathBuf,
        /// The ids of the keys that count.
        trusted: String,
        /// Why it is refused.
        #[source]
        source: Refusal,
    },
    /// It has nothing for this platform.
    #[error("`{}` is for {}, and not for {platform}", path.display(), in_words(there))]
    OtherPlatform {
        /// The file.
        path: PathBuf,
        /// The platform that was asked for.
        platform: Platform,
        /// Those that it is for.
        there: Vec<Platform>,
    },
    /// What stands in the signature's place is none.
    #[error("the signature of `{}` cannot be used", path.display())]
    Signature {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: SignatureError,
    },
    /// A run of bytes does not have its digest.
    #[error(transparent)]
    Damaged(Box<Damage>),
    /// The payload is stored whole and still does not decode to what the index says.
    #[error("`{}` was packed wrongly: `{member}` {reason}", path.display())]
    Payload {
        /// The file.
        path: PathBuf,
        /// The member that it is about.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A volume as the index has it.
#[derive(Debug)]
pub struct ExpectedVolume {
    /// Where it should lie.
    pub path: PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of the file.
    pub sha256: Digest,
}

impl fmt::Display for ExpectedVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, size, sha256 } = self;
        write!(f, "`{}` ({size} bytes, {sha256})", path.display())
    }
}

/// A volume with another's name.
#[derive(Debug)]
pub struct MisplacedVolume {
    /// Where it lies.
    pub path: PathBuf,
    /// Its number, from 1.
    pub number: usize,
    /// Whether that volume lies under its own name, too.
    pub twice: bool,
}

impl fmt::Display for MisplacedVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let a_copy_of = if self.twice { "a second copy of " } else { "" };
        write!(
            f,
            "`{}` is {a_copy_of}volume {}",
            self.path.display(),
            self.number
        )
    }
}

/// A bundle has up to 999 volumes: a person reads the first of them.
fn list(items: &[impl fmt::Display]) -> String {
    const MOST: usize = 20;
    let shown: Vec<String> = items.iter().take(MOST).map(ToString::to_string).collect();
    let shown = shown.join(", ");
    match items.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// A run of bytes that does not have its digest.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{}` is damaged: {what}, bytes {offset} to {}, has digest {found} and should have {expected}{}",
    path.display(),
    offset + size,
    others.as_ref().map_or_else(String::new, ToString::to_string)
)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// What the bytes hold, for a person.
    pub what: String,
    /// Where they start.
    pub offset: u64,
    /// How many they are.
    pub size: u64,
    /// What the index says.
    pub expected: Checksum,
    /// What they have.
    pub found: Checksum,
    /// What else of the payload is damaged, where all of it was looked at.
    pub others: Option<OtherDamage>,
}

/// More chunks of a payload that do not have their digests.
#[derive(Debug)]
pub struct OtherDamage {
    /// How many they are.
    pub chunks: usize,
    /// How many chunks the payload has.
    pub of: usize,
    /// The first of the runs that they make: where they are, for a person.
    pub places: Vec<String>,
    /// How many runs are not among these.
    pub more_places: usize,
}

impl fmt::Display for OtherDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chunks, of, .. } = self;
        let (are, what) = if *chunks == 1 {
            ("is", "other")
        } else {
            ("are", "others")
        };
        write!(
            f,
            "; so {are} {chunks} {what} of the {of} chunks: {}",
            self.places.join(", ")
        )?;
        match self.more_places {
            0 => Ok(()),
            1 => f.write_str(", and one more run"),
            more => write!(f, ", and {more} more runs"),
        }
    }
}

impl From<Damage> for VerifyError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

impl Explain for VerifyError {
    fn explain(&self) -> Explanation {
        let kind = match self {
            Self::Read { source, .. } => Kind::of_io(source),
            Self::NotAuthentic { .. } => Kind::NotAuthentic,
            Self::OtherPlatform { .. } => Kind::Unfit,
            Self::Key { .. } | Self::NotABundle { .. } => Kind::Usage,
            _ => Kind::Damaged,
        };
        if let Self::NotAuthentic { trusted, source, .. } = self {
            let hint = refusal_hint(*source, trusted);
            return kind.hint(hint);
        }
        if let Self::MissingVolumes {
            spelled: Some(found), ..
        } = self
        {
            let hint = format!(
                "`{}` is spelt with other letters than the bundle: give all files the same, large or small",
                found.display()
            );
            return kind.hint(hint);
        }
        if let Self::SurplusVolumes { surplus, .. } = self {
            let names = surplus.iter().map(|path| format!("'{}'", path.display()));
            let names: Vec<String> = names.collect();
            let hint = format!(
                "move {them} away, or remove {them}: rm {}; the bundle itself is not damaged, but `cat` over such \
                 names would take {them}, too",
                names.join(" "),
                them = if names.len() == 1 { "it" } else { "them" },
            );
            return kind.hint(hint);
        }
        let hint = match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "give the path of a bundle, such as ./minikube-offline-v1.35.run"
            }
            Self::Read { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                "it is a directory: give the path of the bundle in it, such as ./minikube-offline-v1.35.run; a volume is a file, too"
            }
            Self::Read { source, .. } if source.kind() == io::ErrorKind::Other => {
                "it is a pipe, a device or a socket: a bundle and its volumes are files"
            }
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "make it readable for this user, as its owner or root: `sudo chmod a+r FILE`, and `sudo chmod a+x` the \
                 directories above it"
            }
            Self::Key { .. } => {
                "give the bundle, and a key behind `--key`: `minikube-offline verify bundle.run --key KEY.pub`"
            }
            Self::NotABundle { .. } => {
                "give the file that `minikube-offline pack` wrote, which ends in .run; of a split one the first file"
            }
            Self::Read { .. } => {
                "if it lies on a stick or a disk that was taken out, put it back and run the same command again"
            }
            Self::Index {
                source: IndexError::Format { .. },
                ..
            }
            | Self::Trailer {
                source: TrailerError::Format { .. },
                ..
            } => "use the minikube-offline that packed it, or a newer one; the bundle itself can also be run",
            Self::MissingVolumes { .. } => {
                "put all volumes into the directory of the bundle, under these names; `sha256sum` tells which file is which"
            }
            Self::Misplaced { volumes } if volumes.iter().all(|volume| volume.twice) => {
                "take the volume that has this number from where it was packed; where only another copy is at \
                 hand, damaged or not, `repair --from OTHER_COPY` takes it from there"
            }
            Self::Misplaced { .. } => {
                "give each volume the number that it has, and leave the digits at three"
            }
            Self::OtherPlatform { .. } => {
                "carry a bundle that was packed for this platform, too: `pack --platform` takes several"
            }
            Self::Payload { .. } => "pack the bundle again; nothing on this machine can fix it",
            _ => {
                "copy the file again from where it was packed, and compare both with `sha256sum`; where only \
                 another copy is at hand, damaged or not, `repair --from OTHER_COPY` takes from it what is bad here"
            }
        };
        kind.hint(hint)
    }
}

fn refusal_hint(refusal: Refusal, trusted: &str) -> String {
    let what = match refusal {
        Refusal::Forged { .. } => {
            "do not use it; get it again from its packer, by a way that you trust".to_owned()
        }
        Refusal::Unknown { key_id } => format!(
            "ask its packer whether {key_id} is their key; if so, `minikube-offline trust add` pins it, \
             or `trust rotate` when it was signed with an older one"
        ),
        _ => "have it signed where it was packed: `minikube-offline sign BUNDLE --key SECRET`".to_owned(),
    };
    format!("{what} (what counts here: {trusted})")
}

/// An error that passes through `std::io::Read` and comes out as itself.
impl From<VerifyError> for io::Error {
    fn from(error: VerifyError) -> Self {
        let kind = match &error {
            VerifyError::Read { source, .. } => source.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_volumes_the_first_are_named() {
        let missing = |count: usize| VerifyError::MissingVolumes {
            path: "x.run".into(),
            count: 999,
            missing: (1..=count)
                .map(|number| ExpectedVolume {
                    path: format!("x.run.{number:03}").into(),
                    size: 1,
                    sha256: Digest::of(b""),
                })
                .collect(),
            spelled: None,
        };
        let said = missing(20).to_string();
        assert!(said.contains("`x.run.020`") && !said.contains("more"), "{said}");
        let said = missing(999).to_string();
        assert!(
            said.contains("999 of its 999 volumes are missing: `x.run.001`"),
            "{said}"
        );
        assert!(
            said.ends_with(", and 979 more") && !said.contains("`x.run.021`"),
            "{said}"
        );
    }

    #[test]
    fn what_is_no_bundle_or_may_not_be_read_is_told_with_what_helps() {
        let path = || PathBuf::from("x.run");
        let key = VerifyError::Key { path: path() }.explain();
        assert_eq!(key.kind, Kind::Usage);
        assert!(key.hints[0].starts_with("give the bundle, and a key "));
        let denied = VerifyError::Read {
            path: path(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert!(denied.explain().hints[0].starts_with("make it readable "));
    }
}
