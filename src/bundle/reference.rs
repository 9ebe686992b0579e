//! Image references, by the grammar of the distribution spec.

use std::fmt;
use std::str::FromStr;

use super::Digest;
use super::text::serde_as_text;

/// The full name of an image with its tag: `registry.k8s.io/pause:3.10.1`.
///
/// Docker's short names are spelled out (`alpine` is
/// `docker.io/library/alpine:latest`), so that one image has one name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: String,
}

/// What a reference has at most, spelled out in full.
const MOST_CHARACTERS: usize = 512;

/// Text that is not an image reference.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ReferenceError {
    text: String,
    reason: &'static str,
}

impl ImageReference {
    /// Reads `[registry/]repository[:tag][@digest]`. A digest is checked and
    /// dropped: an archive carries a name by its tag.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let refused = |reason| ReferenceError {
            text: text.chars().take(300).collect(),
            reason,
        };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| Digest::parse(digest).is_err()) {
            return Err(refused("what stands after `@` is not a SHA-256 digest"));
        }
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (name, "latest"),
        };
        let (registry, repository) = match name.split_once('/') {
            // Docker Hub's own images, said half.
            Some((first @ "docker.io", rest)) if !rest.contains('/') => (first, format!("library/{rest}")),
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
                (first, rest.to_owned())
            }
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        if !is_registry(registry) {
            return Err(refused("the registry is not a host name with an optional port"));
        }
        if !repository.split('/').all(is_path_component) {
            return Err(refused(
                "a repository is lower-case letters and digits, separated by `/`, `.`, `_`, `__` or `-`",
            ));
        }
        if !is_tag(tag) {
            return Err(refused("a tag is up to 128 letters, digits, `_`, `.` and `-`"));
        }
        let reference = Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.to_owned(),
        };
        // With what was not said, as in an index, so that one that is taken can be packed.
        if reference.to_string().len() > MOST_CHARACTERS {
            return Err(refused(
                "longer than 512 characters when it is spelled out in full",
            ));
        }
        Ok(reference)
    }

    /// Reads a reference that is spelled out in full, as in an index, which has one
    /// canonical form.
    fn parse_full(text: &str) -> Result<Self, ReferenceError> {
        let reference = Self::parse(text)?;
        if reference.to_string() == text {
            Ok(reference)
        } else {
            Err(ReferenceError {
                text: text.to_owned(),
                reason: "it is not spelled out in full",
            })
        }
    }

    /// The registry's host, with its port where one is given.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository: `coredns/coredns`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The name as Docker Engine lists it: Docker Hub's host left away.
    #[must_use]
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        let short = full.strip_prefix("docker.io/").unwrap_or(&full);
        short.strip_prefix("library/").unwrap_or(short).to_owned()
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text
        .split_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    // Runs of letters and digits, and runs of what separates them.
    let mut runs = bytes.chunk_by(|one, two| alphanumeric(*one) == alphanumeric(*two));
    let separates = |run: &[u8]| matches!(run, b"." | b"_" | b"__") || run.iter().all(|b| *b == b'-');
    [bytes.first(), bytes.last()]
        .iter()
        .all(|end| end.is_some_and(|b| alphanumeric(*b)))
        && runs.all(|run| alphanumeric(run[0]) || separates(run))
}

fn is_tag(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=128).contains(&bytes.len())
        && !b".-".contains(&bytes[0])
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.registry, self.repository, self.tag)
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

serde_as_text!(ImageReference, ImageReference::parse_full);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_spelled_out() {
        for (short, full) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("kindest/kindnetd:v1", "docker.io/kindest/kindnetd:v1"),
            ("docker.io/registry:3", "docker.io/library/registry:3"),
            ("localhost/app:1", "localhost/app:1"),
            ("registry.example:5000/a/b", "registry.example:5000/a/b:latest"),
            (
                "registry.k8s.io/coredns/coredns:v1.13.1",
                "registry.k8s.io/coredns/coredns:v1.13.1",
            ),
        ] {
            assert_eq!(ImageReference::parse(short).expect(short).to_string(), full);
        }
        assert_eq!(
            ImageReference::parse("docker.io/library/alpine:3")
                .expect("name")
                .familiar(),
            "alpine:3"
        );
    }

    /// A name of so many characters, `r.io/xxx:1`.
    fn long(length: usize) -> String {
        format!("r.io/{}:1", "x".repeat(length - 7))
    }

    #[test]
    fn a_name_has_three_parts() {
        let name = ImageReference::parse("my-host.io:5000/a/b:1").expect("a name");
        let parts = (name.registry(), name.repository(), name.tag());
        assert_eq!(parts, ("my-host.io:5000", "a/b", "1"));
        assert!(ImageReference::parse(&long(512)).is_ok());
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused() {
        for text in [
            "",
            ":",
            "a b",
            "UPPER/case",
            "../x",
            "a//b",
            "a/../b:1",
            "-x",
            "a__-b",
            "a._b",
            "a___b",
            "x:-1",
            "x@sha256:0",
            "r.io:x/y",
            "r_x.io/y",
            "r$.io/y",
            "-r.io/y",
            "r-.io/y",
            "r..io/y",
            &long(513),
            // With `docker.io/library/` and `:latest` they are 526.
            &"2".repeat(500),
        ] {
            assert!(ImageReference::parse(text).is_err(), "{text}");
        }
    }
}
