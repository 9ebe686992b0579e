//! Images in this machine's Docker Engine.

use std::fs::File;
use std::path::PathBuf;

use super::FetchError;
use super::scratch::Scratch;
use super::upstream::UpstreamError;
use crate::bundle::{ImageReference, Platform};
use crate::host::{AskError, ask_docker, ask_docker_into};

/// The first API with which an image is saved for a platform by its name: Docker 28. Source:
/// docker/cli v28.0, `cli/command/image/save.go`.
const PLATFORM_API: (u32, u32) = (1, 48);

/// Lets the engine write the image to archives in `scratch`, however long that takes: one for
/// each of `platforms` that it has, or one for all where it does not tell them apart.
///
/// The `docker` in PATH is run with this program's environment, so that its context and
/// `DOCKER_HOST` hold. What it writes comes by way of this program, because snap's may not
/// write to every directory.
pub(super) fn save(
    reference: &ImageReference,
    platforms: &[Platform],
    scratch: &Scratch,
) -> Result<Vec<(PathBuf, Vec<Platform>)>, FetchError> {
    let name = reference.familiar();
    let api = apis()?;
    let refused = |source| FetchError::EngineImage {
        reference: reference.clone(),
        source,
    };
    ask_docker(&["image", "inspect", "--format", "{{.Id}}", &name]).map_err(refused)?;
    let save = |platform: Option<&Platform>| -> Result<Result<PathBuf, AskError>, FetchError> {
        let flag = platform.map(|platform| format!("--platform={platform}"));
        let path = scratch.path_of(&format!("{name} {}", flag.as_deref().unwrap_or_default()))?;
        let file = File::create(&path).map_err(|source| scratch.error(source))?;
        let arguments: Vec<&str> = ["save"]
            .into_iter()
            .chain(flag.as_deref())
            .chain([&*name])
            .collect();
        match ask_docker_into(&arguments, file) {
            Ok(()) => Ok(Ok(path)),
            Err(AskError::Write(source)) => Err(scratch.error(source)),
            Err(AskError::Interrupted(interruption)) => Err(UpstreamError::Interrupted(interruption).into()),
            Err(error) => Ok(Err(error)),
        }
    };
    if !knows_platforms(&api) {
        return Ok(vec![(save(None)?.map_err(refused)?, platforms.to_vec())]);
    }
    let (mut saved, mut error) = (Vec::new(), None);
    for platform in platforms {
        match save(Some(platform))? {
            Ok(path) => saved.push((path, vec![*platform])),
            Err(refusal) => error = Some(refusal),
        }
    }
    match error {
        // What is lacking is told of all images at once.
        Some(error) if saved.is_empty() => Err(refused(error)),
        _ => Ok(saved),
    }
}

/// Whether client and engine, whose APIs these are, save an image for a platform.
fn knows_platforms(api: &str) -> bool {
    let mut versions = api.split_whitespace().map(|version| {
        let (major, minor) = version.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    });
    versions.clone().count() == 2 && versions.all(|version| version >= Some(PLATFORM_API))
}

/// Fails when no engine answers.
pub(super) fn check() -> Result<(), FetchError> {
    apis().map(drop)
}

/// The APIs of client and engine.
fn apis() -> Result<String, FetchError> {
    ask_docker(&[
        "version",
        "--format",
        "{{.Client.APIVersion}} {{.Server.APIVersion}}",
    ])
    .map_err(|source| FetchError::NoEngine { source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_clients_and_engines_save_by_platform() {
        for (api, knows) in [
            ("1.48 1.48\n", true),
            ("1.52 1.54", true),
            ("2.0 2.0", true),
            ("1.41 1.41", false),
            ("1.47 1.52", false),
            ("1.52", false),
            ("", false),
            ("x y", false),
        ] {
            assert_eq!(knows_platforms(api), knows, "{api}");
        }
    }
}
