//! Where the release pages are, and what lies where on them.

use std::fmt;

use super::UpstreamError;
use super::word::does_not_answer;
use crate::bundle::{BinaryRole, Platform, Version};
use crate::fetch::upstream::mirrors::{Server, Verdict};
use crate::http::HttpError;
use crate::spec::Sources;

/// Kubernetes' release page, with a directory for each release.
const KUBERNETES: &str = "https://dl.k8s.io/release";

/// minikube's release page, with a directory for each release.
const MINIKUBE: &str = "https://github.com/kubernetes/minikube/releases/download";

/// Where minikube says which releases there are: each `minikube start` reads it, too.
/// Source: minikube v1.38.1, `pkg/minikube/notify/constants.go:21`; filled by
/// `hack/jenkins/release_update_releases_json.sh`, which puts pre-releases into another.
const LIST: &str = "https://storage.googleapis.com/minikube/releases-v2.json";

/// The list in a mirror of the release page: beside the directories of the releases.
const LIST_NAME: &str = "releases-v2.json";

/// A release page: the publisher's own, or a mirror of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Page {
    base: String,
    pub(super) is_mirror: bool,
}

/// The pages of a program: the mirror is where it is looked for first, and the publisher's
/// own says what it should be.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    pub(super) mirror: Option<Page>,
    pub(super) own: Page,
}

/// A program as a release page has it.
#[derive(Clone, Copy, Debug)]
pub(in crate::fetch) struct Released<'a> {
    pub(in crate::fetch) role: BinaryRole,
    pub(in crate::fetch) version: &'a Version,
    pub(in crate::fetch) platform: Platform,
}

/// `kubelet v1.35.4 for linux/arm64`.
impl fmt::Display for Released<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} for {}", self.role, self.version, self.platform)
    }
}

impl Pages {
    /// The pages that have this program.
    pub(super) fn of(sources: &Sources, role: BinaryRole) -> Self {
        let (mirror, stand_in, own) = match role {
            BinaryRole::Minikube => (&sources.release_mirror, &sources.release_upstream, MINIKUBE),
            _ => (&sources.binary_mirror, &sources.binary_upstream, KUBERNETES),
        };
        let page = |base: &str, is_mirror| Page {
            base: base.trim_end_matches('/').to_owned(),
            is_mirror,
        };
        Self {
            mirror: mirror.as_deref().map(|base| page(base, true)),
            own: page(stand_in.as_deref().unwrap_or(own), false),
        }
    }

    /// In the order in which a program is looked for.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Page> {
        self.mirror.iter().chain([&self.own])
    }
}

impl Server for Page {
    type Error = HttpError;
    const NEXT: &'static str = "the publisher's own page";

    fn key(&self) -> &str {
        &self.base
    }

    fn shown(&self) -> String {
        "the mirror".to_owned()
    }

    fn verdict(error: &HttpError) -> Verdict {
        if !UpstreamError::goes_on(error) {
            Verdict::Ends
        } else if does_not_answer(error) {
            Verdict::Silent
        } else {
            Verdict::Lacks
        }
    }
}

impl Page {
    /// Where the program is.
    pub(super) fn program(&self, program: Released<'_>) -> String {
        let Released {
            role,
            version,
            platform,
        } = program;
        let (base, arch) = (&self.base, platform.arch.name());
        match role {
            BinaryRole::Minikube => format!("{base}/{version}/minikube-linux-{arch}"),
            _ => format!("{base}/{version}/bin/linux/{arch}/{}", role.name()),
        }
    }

    /// Where a file is that stands beside the releases.
    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// What redirects to the newest release.
    pub(super) fn latest(&self) -> String {
        let releases = self.base.strip_suffix("/download");
        format!("{}/latest", releases.unwrap_or(&self.base))
    }

    /// Where minikube's list of releases is.
    pub(super) fn list(&self) -> String {
        match self.base.as_str() {
            MINIKUBE => LIST.to_owned(),
            _ => self.file(LIST_NAME),
        }
    }
}
