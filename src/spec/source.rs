//! Where an image is, in skopeo's words.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::sources::authority;
use crate::bundle::text::serde_as_text;
use crate::bundle::{Digest, ImageReference, ReferenceError, Transport};
use crate::shown::masked;

/// Where an image is. In text, with the transport names of containers-transports(5):
/// `docker-archive:PATH[:REF]`, `oci-archive:PATH[:TAG]`, `oci:DIR[:TAG]`,
/// `docker-daemon:REF`, `docker://REF[@DIGEST]`.
///
/// As in skopeo, a path ends at the first `:`, so a path with a `:` in it cannot be
/// named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ImageSource {
    /// A file that `docker save` or minikube wrote.
    DockerArchive {
        /// The file.
        path: PathBuf,
        /// Which of its images; without it, all.
        reference: Option<ImageReference>,
    },
    /// An image in this machine's Docker Engine.
    DockerDaemon {
        /// Its name.
        reference: ImageReference,
    },
    /// An image in a registry.
    Docker {
        /// Its name.
        reference: ImageReference,
        /// The digest of its manifest, or of the list of its manifests.
        digest: Option<Digest>,
    },
    /// An OCI image layout.
    Oci {
        /// The directory that has `oci-layout` in it.
        directory: PathBuf,
        /// The tag or the full name of the image; without it, there must be one only.
        name: Option<String>,
    },
    /// An OCI image layout in a tar.
    OciArchive {
        /// The file.
        path: PathBuf,
        /// As of a layout.
        name: Option<String>,
    },
}

/// Text that does not say where an image is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageSourceError {
    /// The path or the name after the transport is not there.
    #[error("`{text}` has nothing after `{transport}:`")]
    Empty {
        /// What was given.
        text: String,
        /// Its transport.
        transport: &'static str,
    },
    /// The image is named by a digest, by which an archive cannot carry it.
    #[error(
        "`{text}` names no tag: an image is packed by its tag, with or without a digest, such as nginx:1.27"
    )]
    ByDigest {
        /// What was given.
        text: String,
    },
    /// The registry's address holds a name or a password.
    #[error("`{text}` holds a name or a password; a registry is read with what `docker login HOST` left")]
    Credentials {
        /// What was given, without them.
        text: String,
    },
    /// The name of the image is not one.
    #[error("`{text}` does not name an image: {reason}")]
    Reference {
        /// What was given.
        text: String,
        /// Why the name is none; part of the message, because clap prints no causes.
        reason: ReferenceError,
    },
    /// The transport is not known, or there is none.
    #[error(
        "`{text}` does not begin with a known transport{}; there are `docker-archive:PATH[:REF]`, \
         `oci-archive:PATH[:TAG]`, `oci:DIR[:TAG]`, `docker-daemon:REF`, and `docker://REF`, which may be omitted",
        meant.as_ref().map(|meant| format!(" (did you mean `{meant}`?)")).unwrap_or_default()
    )]
    Transport {
        /// What was given.
        text: String,
        /// What may be meant.
        meant: Option<String>,
    },
}

impl ImageSource {
    /// Reads the text form; touches no disk.
    pub fn parse(text: &str) -> Result<Self, ImageSourceError> {
        let shown = masked(text);
        match text.split_once(':') {
            Some(("docker-archive", rest)) => {
                let (path, name) = split_path(&shown, "docker-archive", rest)?;
                Ok(Self::DockerArchive {
                    path,
                    reference: name.map(|name| parse_reference(&shown, name)).transpose()?,
                })
            }
            Some(("docker-daemon", "")) => Err(ImageSourceError::Empty {
                text: shown.clone(),
                transport: "docker-daemon",
            }),
            Some(("docker-daemon", name)) => Ok(Self::DockerDaemon {
                reference: parse_reference(&shown, name)?,
            }),
            Some(("docker", rest)) if holds_credentials(rest.trim_start_matches('/')) => {
                Err(ImageSourceError::Credentials { text: shown })
            }
            Some(("docker", rest)) if rest.starts_with("//") => {
                let (name, digest) = match rest[2..].split_once('@') {
                    Some((name, digest)) => (name, Some(digest)),
                    None => (&rest[2..], None),
                };
                // Without a tag there is no name to carry it by.
                let is_named = digest.is_none() || name.rsplit('/').next().unwrap_or(name).contains(':');
                let digest = digest.map(Digest::parse).transpose().ok();
                match digest {
                    Some(digest) if is_named && !name.is_empty() => Ok(Self::Docker {
                        reference: parse_reference(&shown, name)?,
                        digest,
                    }),
                    _ => Err(ImageSourceError::ByDigest { text: shown.clone() }),
                }
            }
            Some(("oci", rest)) => {
                let (directory, name) = split_layout(&shown, "oci", rest)?;
                Ok(Self::Oci { directory, name })
            }
            Some(("oci-archive", rest)) => {
                let (path, name) = split_layout(&shown, "oci-archive", rest)?;
                Ok(Self::OciArchive { path, name })
            }
            _ => match meant(&shown) {
                // A bare name, as Docker takes it.
                Some(name) if name.starts_with("docker://") => Self::parse(&name),
                meant => Err(ImageSourceError::Transport { text: shown, meant }),
            },
        }
    }

    /// skopeo's name of the transport.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self {
            Self::DockerArchive { .. } => Transport::DockerArchive,
            Self::Docker { .. } => Transport::Docker,
            Self::DockerDaemon { .. } => Transport::DockerDaemon,
            Self::Oci { .. } => Transport::Oci,
            Self::OciArchive { .. } => Transport::OciArchive,
        }
    }

    /// The file or directory that it is in.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::DockerArchive { path, .. } | Self::OciArchive { path, .. } => Some(path),
            Self::Oci { directory, .. } => Some(directory),
            Self::Docker { .. } | Self::DockerDaemon { .. } => None,
        }
    }

    /// The same with a relative path seen from `directory`.
    #[must_use]
    pub fn seen_from(self, directory: &Path) -> Self {
        match self {
            Self::DockerArchive { path, reference } => Self::DockerArchive {
                path: directory.join(path),
                reference,
            },
            Self::Docker { .. } | Self::DockerDaemon { .. } => self,
            Self::Oci {
                directory: layout,
                name,
            } => Self::Oci {
                directory: directory.join(layout),
                name,
            },
            Self::OciArchive { path, name } => Self::OciArchive {
                path: directory.join(path),
                name,
            },
        }
    }
}

/// What is meant without a transport: an archive, by the end of its name, or an image in a
/// registry.
fn meant(text: &str) -> Option<String> {
    const ENDINGS: [&str; 5] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz"];
    // Transports, whole or not, that look like a name and a tag.
    const OTHERS: [&str; 6] = [
        "containers-storage:",
        "dir:",
        "docker:",
        "ostree:",
        "sif:",
        "tarball:",
    ];
    if ENDINGS.iter().any(|ending| text.ends_with(ending)) {
        return Some(format!("docker-archive:{text}"));
    }
    let is_path = text.starts_with(['.', '/', '~']) || OTHERS.iter().any(|other| text.starts_with(other));
    let is_image = !is_path && ImageReference::parse(text.split('@').next()?).is_ok();
    is_image.then(|| format!("docker://{text}"))
}

/// Whether an address holds a name or a password (RFC 3986, section 3.2.1). What stands
/// behind the `@` of a name without a host is a digest.
fn holds_credentials(address: &str) -> bool {
    let (secret, host) = authority(address);
    secret.is_some_and(|secret| secret.contains('@') || !host.starts_with("sha256:"))
}

/// Whether `name` is a tag and not a name with a repository in it.
pub(crate) fn is_tag_alone(name: &str) -> bool {
    !name.contains(['/', ':'])
}

fn split_path<'a>(
    text: &str,
    transport: &'static str,
    rest: &'a str,
) -> Result<(PathBuf, Option<&'a str>), ImageSourceError> {
    let (path, name) = match rest.split_once(':') {
        Some((path, name)) => (path, Some(name)),
        None => (rest, None),
    };
    if path.is_empty() || name == Some("") {
        return Err(ImageSourceError::Empty {
            text: text.to_owned(),
            transport,
        });
    }
    Ok((PathBuf::from(path), name))
}

/// A path, and the tag or the full name of an image in the layout that is there.
fn split_layout(
    text: &str,
    transport: &'static str,
    rest: &str,
) -> Result<(PathBuf, Option<String>), ImageSourceError> {
    let (path, name) = split_path(text, transport, rest)?;
    if let Some(name) = name {
        // A tag alone is a name as well, with the tag in the repository's place.
        let full = if is_tag_alone(name) {
            format!("x:{name}")
        } else {
            name.to_owned()
        };
        parse_reference(text, &full)?;
    }
    Ok((path, name.map(str::to_owned)))
}

fn parse_reference(text: &str, name: &str) -> Result<ImageReference, ImageSourceError> {
    if name.contains('@') || name.starts_with("sha256:") {
        return Err(ImageSourceError::ByDigest {
            text: text.to_owned(),
        });
    }
    ImageReference::parse(name).map_err(|reason| ImageSourceError::Reference {
        text: text.to_owned(),
        reason,
    })
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.transport())?;
        match self {
            Self::DockerArchive { path, reference } => {
                write!(f, "{}", path.display())?;
                reference.as_ref().map_or(Ok(()), |name| write!(f, ":{name}"))
            }
            Self::Docker { reference, digest } => {
                write!(f, "//{reference}")?;
                digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
            }
            Self::DockerDaemon { reference } => write!(f, "{reference}"),
            Self::Oci {
                directory: path,
                name,
            }
            | Self::OciArchive { path, name } => {
                write!(f, "{}", path.display())?;
                name.as_ref().map_or(Ok(()), |name| write!(f, ":{name}"))
            }
        }
    }
}

impl FromStr for ImageSource {
    type Err = ImageSourceError;
    fn from_str(text: &str) -> Result<Self, ImageSourceError> {
        Self::parse(text)
    }
}

serde_as_text!(read_only ImageSource);

#[cfg(test)]
mod tests;
