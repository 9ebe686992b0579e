//! The image of kindnet. minikube puts its name together when it starts a node: its tag is
//! in the program, and its place is known.

use std::path::Path;

use super::program;
use crate::bundle::ImageReference;
use crate::fetch::FetchError;

/// What stands before the tag in the program. Source: minikube v1.38.1,
/// `pkg/minikube/bootstrapper/images/images.go:184`, `KindNet`.
const PREFIX: &[u8] = b"kindnetd:v";

/// Where minikube takes it from.
pub(super) const REPOSITORY: &str = "kindest/kindnetd";

/// `20260213-ea8e5717`: the day and the commit of its build, as in each minikube since
/// v1.30.
const TAG_BYTES: usize = 17;

/// The image that this `minikube` names, or what it names instead of one.
pub(super) fn image(minikube: &Path) -> Result<Result<ImageReference, String>, FetchError> {
    let tags = program::find(minikube, PREFIX, TAG_BYTES, tag)?;
    let image = match &tags[..] {
        [tag] => ImageReference::parse(&format!("docker.io/{REPOSITORY}:v{tag}")).ok(),
        _ => None,
    };
    let names: Vec<String> = tags.iter().map(|tag| format!("kindnetd:v{tag}")).collect();
    Ok(image.ok_or_else(|| {
        if names.is_empty() {
            "no image of kindnet".to_owned()
        } else {
            names.join(" and ")
        }
    }))
}

fn tag(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.get(..TAG_BYTES)?;
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

    #[test]
    fn a_program_names_one_or_it_is_said_what_it_names() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("minikube");
        let named = |text: &str| {
            std::fs::write(&path, text).expect("file");
            image(&path).expect("read").map(|image| image.to_string())
        };
        // As it stands in minikube v1.38.1.
        let text = "kindest/kindnetd\":  kindnetd:v20260213-ea8e5717SSH cmd err, output: %v: %s";
        let image = "docker.io/kindest/kindnetd:v20260213-ea8e5717";
        assert_eq!(named(text).as_deref(), Ok(image));
        assert_eq!(named(&[text, text].concat()).as_deref(), Ok(image));
        for (text, shown) in [
            ("kindnetd:v2026021x-ea8e5717", "no image of kindnet"),
            (
                "kindnetd:v20260213-ea8e5717 kindnetd:v20240202-8f1494ea",
                "kindnetd:v20260213-ea8e5717 and kindnetd:v20240202-8f1494ea",
            ),
        ] {
            assert_eq!(named(text), Err(shown.to_owned()));
        }
    }
}
