//! Finding a release, and its files.

use std::cmp::Ordering;
use std::sync::Arc;

use self_update::ReleaseSource;
use self_update::backends::{github, manifest};

use super::{Origin, Transport, UpdateError};
use crate::bundle::Version;

/// A release, and where its files are.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its version.
    pub version: Version,
    pub(super) files: Vec<ReleaseFile>,
    pub(super) origin: String,
}

/// A file of a release.
#[derive(Clone, Debug)]
pub(super) struct ReleaseFile {
    pub(super) name: String,
    pub(super) url: String,
    /// The digest in the list of releases, as it is written there.
    pub(super) digest: Option<String>,
}

/// How a release stands to what is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is a newer one.
    Newer,
    /// It is an older one.
    Older,
    /// It is the one that is there.
    Same,
}

impl Release {
    /// How it stands to `current`.
    #[must_use]
    pub fn standing(&self, current: &Version) -> Standing {
        match self.version.cmp(current) {
            Ordering::Greater => Standing::Newer,
            Ordering::Less => Standing::Older,
            Ordering::Equal => Standing::Same,
        }
    }

    /// The file with this name.
    pub(super) fn file(&self, name: &str) -> Result<&ReleaseFile, UpdateError> {
        let found = self.files.iter().find(|file| file.name == name);
        found.ok_or_else(|| UpdateError::NoFile {
            version: self.version.clone(),
            name: name.to_owned(),
            origin: self.origin.clone(),
        })
    }
}

/// The release with this version; without one, the newest.
pub(super) fn find(
    origin: &Origin,
    transport: &Arc<Transport>,
    version: Option<&Version>,
) -> Result<Release, UpdateError> {
    let found = match origin {
        Origin::Mirror { directory } => on_mirror(directory, transport, version),
        Origin::Page {
            api,
            owner,
            repository,
        } => on_page(api, owner, repository, transport, version),
    };
    let found = found.map_err(|source| {
        let known = transport.take_failure();
        let missing = known.as_ref().map_or_else(
            || matches!(source, self_update::Error::NoReleaseFound { .. }),
            UpdateError::is_missing,
        );
        if missing {
            return UpdateError::NoRelease {
                version: version.cloned(),
                origin: origin.to_string(),
            };
        }
        known.unwrap_or_else(|| UpdateError::Listing {
            origin: origin.to_string(),
            source,
        })
    })?;
    let files = found.assets().iter().map(|asset| ReleaseFile {
        name: asset.name().to_owned(),
        url: asset.download_url().to_owned(),
        digest: asset.digest().map(str::to_owned),
    });
    let text = format!("v{}", found.version());
    Ok(Release {
        version: text.parse().map_err(|source| UpdateError::Version {
            origin: origin.to_string(),
            source,
        })?,
        files: files.collect(),
        origin: origin.to_string(),
    })
}

fn on_mirror(
    directory: &str,
    transport: &Arc<Transport>,
    version: Option<&Version>,
) -> self_update::Result<self_update::Release> {
    let mut mirror = manifest::ManifestSource::new(format!("{directory}/manifest.json"));
    mirror.http_client(Arc::clone(transport) as _);
    match version {
        Some(version) => mirror.get_release_version(bare(version).as_str()),
        None => mirror.get_latest_release(),
    }
}

fn on_page(
    api: &str,
    owner: &str,
    repository: &str,
    transport: &Arc<Transport>,
    version: Option<&Version>,
) -> self_update::Result<self_update::Release> {
    let page = github::Update::configure()
        .api_base_url(api)
        .repo_owner(owner)
        .repo_name(repository)
        .bin_name("minikube-offline")
        .current_version(env!("CARGO_PKG_VERSION"))
        .http_client(Arc::clone(transport) as _)
        .build()?;
    if let Some(version) = version {
        return page.get_release_version(&version.to_string());
    }
    let latest = page.get_latest_release()?.into_vec().pop();
    latest.ok_or_else(self_update::Error::no_release_found)
}

/// The version without its `v`, as semver has it.
fn bare(version: &Version) -> String {
    version.to_string().trim_start_matches('v').to_owned()
}
