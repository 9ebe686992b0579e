//! What can be wrong with what the user asks for.

use std::io;
use std::path::PathBuf;

use super::VersionWord;
use crate::explain::{Explain, Explanation, Kind};

/// A spec that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not the TOML that is wanted.
    #[error("`{}`, line {line}, column {column}: {message}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Neither the flags nor the file name a Kubernetes version.
    #[error("no Kubernetes version is given")]
    NoKubernetesVersion,
    /// A word for a release, and nobody may be asked which one it is.
    #[error("`{word}` is not a release, and nothing may be downloaded that says which one it means")]
    WordOffline {
        /// The word.
        word: VersionWord,
    },
    /// This machine is none that a bundle can be for, and no platform is given.
    #[error("no platform is given, and no bundle can be for this machine's")]
    NoPlatform,
    /// An address that goes into the lock and the bundle holds a secret.
    #[error("the address in `{flag}` holds a name or a password")]
    Credentials {
        /// The flag, without its value.
        flag: &'static str,
    },
    /// No part can have the name that is to be accepted.
    #[error("`{name}`, which `--accept-unverified` names, is none of the parts{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Accepted {
        /// The name.
        name: String,
        /// The part that has a name like it.
        near: Option<String>,
    },
    /// Kubernetes takes no release or namespace of this name.
    #[error("`{name}` cannot be a {what}: expected a-z, 0-9 and `-`, at most {} of them, with a letter or a digit at both ends", if *what == "release" { 53 } else { 63 })]
    ReleaseName {
        /// A release, or a namespace.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Flags of one chart, and several charts or none.
    #[error("`{flag}` is about one chart, and {charts} charts are given")]
    ChartFlag {
        /// The flag.
        flag: &'static str,
        /// How many charts.
        charts: usize,
    },
    /// A bundle cannot have this name.
    #[error("`{name}` is not a bundle's name: 1 to 128 of a-z, 0-9, `.`, `_` and `-`")]
    Name {
        /// The name.
        name: String,
    },
}

impl Explain for SpecError {
    fn explain(&self) -> Explanation {
        let kind = match self {
            Self::Read { source, .. } => match source.kind() {
                // A wrong name on the command line, or a file that is no text.
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory => {
                    Kind::Usage
                }
                _ => Kind::of_io(source),
            },
            _ => Kind::Usage,
        };
        let hint = match self {
            Self::Read { .. } => "name a TOML file; `minikube-offline init` writes one",
            Self::Toml { message, .. } if message.contains("expected a string") => {
                "put the value in quotes, as in `kubernetes-version = \"v1.37\"`"
            }
            Self::Toml { message, .. } if message.contains("expected a sequence") => {
                "put the values in brackets, as in `image = [\"nginx:1.27\"]`"
            }
            Self::Toml { message, .. }
                if message.contains("key with no value") || message.contains("unquoted key") =>
            {
                "the file is TOML, not YAML: `key = \"value\"`; `minikube-offline init` writes one with every key"
            }
            Self::Toml { .. } => {
                "`minikube-offline lint` names everything that is wrong with a file, `minikube-offline init` writes \
                 one with every key"
            }
            Self::NoKubernetesVersion => {
                "add `--kubernetes-version v1.35.4`, or `kubernetes-version = \"v1.35.4\"` to the TOML file"
            }
            Self::WordOffline { .. } => {
                "name the release in full, such as v1.35.4, or leave `--offline` away"
            }
            Self::NoPlatform => "add `--platform linux/amd64` or `--platform linux/arm64`",
            Self::Credentials { .. } => {
                "the address is written into the lock and the bundle: give it without; a registry is read with what \
                 `docker login HOST` left"
            }
            Self::Accepted { .. } => {
                "it takes minikube, kubeadm, kubelet or kubectl, or an image's name in full, as the message says it \
                 that refuses the part"
            }
            Self::ReleaseName { .. } => {
                "name another with `--release` and `--namespace`, or in the chart's table"
            }
            Self::ChartFlag { .. } => {
                "give one `--chart`; several, each with its values, are `[[chart]]` tables in `bundle.toml`"
            }
            Self::Name { .. } => "leave `--name` away to get a name made from the Kubernetes version",
        };
        kind.hint(hint)
    }
}
