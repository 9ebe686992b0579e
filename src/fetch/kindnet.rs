//! The image of kindnet that a minikube takes. None of its commands names it, and its
//! `start` says it only when there is a node, so it is read from the program itself.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::FetchError;
use crate::bundle::ImageReference;

/// What stands before the tag in the program. Source: minikube v1.38.1,
/// `pkg/minikube/bootstrapper/images/images.go:184`, `KindNet`.
const PREFIX: &[u8] = b"kindnetd:v";

/// Where minikube takes it from.
pub(super) const REPOSITORY: &str = "kindest/kindnetd";

/// `20260213-ea8e5717`: the day and the commit of its build, as in each minikube since
/// v1.30. Nothing ends a text in a Go program, so what follows may be anything.
const TAG_BYTES: usize = 17;

/// How much is looked at together.
const BLOCK_BYTES: usize = 1 << 20;

/// The image that this `minikube` names, or why it cannot be told.
pub(super) fn image(minikube: &Path) -> Result<ImageReference, FetchError> {
    let file = File::open(minikube).map_err(|source| FetchError::read(minikube, source))?;
    let tags = tags(BufReader::new(file)).map_err(|source| FetchError::read(minikube, source))?;
    let reference = match &tags[..] {
        [tag] => ImageReference::parse(&format!("docker.io/{REPOSITORY}:v{tag}")).ok(),
        _ => None,
    };
    reference.ok_or_else(|| FetchError::Kindnet {
        path: minikube.to_owned(),
        found: tags.iter().map(|tag| format!("kindnetd:v{tag}")).collect(),
    })
}

/// Every tag of kindnet in the program, each once.
fn tags(mut program: impl Read) -> std::io::Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut window = Vec::new();
    loop {
        let read = program
            .by_ref()
            .take(BLOCK_BYTES as u64)
            .read_to_end(&mut window)?;
        for start in ends_of_prefixes(&window) {
            let tag = window.get(start..start + TAG_BYTES).and_then(tag);
            if let Some(tag) = tag.filter(|tag| !found.contains(tag)) {
                found.push(tag);
            }
        }
        if read == 0 {
            return Ok(found);
        }
        // A name may lie across the border of two blocks.
        let rest = window.len().saturating_sub(PREFIX.len() + TAG_BYTES);
        window.drain(..rest);
    }
}

/// Where each prefix ends.
fn ends_of_prefixes(window: &[u8]) -> impl Iterator<Item = usize> + '_ {
    window
        .windows(PREFIX.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == PREFIX)
        .map(|(start, _)| start + PREFIX.len())
}

fn tag(bytes: &[u8]) -> Option<String> {
    let (day, commit) = bytes.split_at_checked(8)?;
    let (dash, commit) = commit.split_first()?;
    let is_tag = day.iter().all(u8::is_ascii_digit)
        && *dash == b'-'
        && commit
            .iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    is_tag.then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it stands in minikube v1.38.1.
    const TEXT: &[u8] = b"kindest/kindnetd\":  kindnetd:v20260213-ea8e5717SSH cmd err, output: %v: %s";

    #[test]
    fn the_tag_is_found_wherever_it_lies() {
        for before in [
            0,
            1,
            BLOCK_BYTES - 40,
            BLOCK_BYTES - 25,
            BLOCK_BYTES - 5,
            3 * BLOCK_BYTES - 30,
        ] {
            let program = [vec![b'k'; before], TEXT.to_vec()].concat();
            assert_eq!(
                tags(&program[..]).expect("memory"),
                ["20260213-ea8e5717"],
                "{before}"
            );
        }
        let twice = [TEXT, TEXT].concat();
        assert_eq!(tags(&twice[..]).expect("memory").len(), 1);
    }

    #[test]
    fn a_program_that_names_none_or_several_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("minikube");
        for (text, shown) in [
            ("kindnetd:v2026021x-ea8e5717", "names no image of kindnet"),
            (
                "kindnetd:v20260213-ea8e5717 kindnetd:v20240202-8f1494ea",
                "names kindnetd:v20260213-ea8e5717 and kindnetd:v20240202-8f1494ea",
            ),
        ] {
            std::fs::write(&path, text).expect("file");
            let error = image(&path).expect_err(text).to_string();
            assert!(error.contains(shown), "{error}");
        }
    }
}
