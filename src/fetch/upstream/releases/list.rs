//! The list of its releases that minikube publishes, with the digests of their programs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Upstream;
use super::known::newest_known;
use super::page::{Page, Pages};
use crate::bundle::{BinaryRole, Digest, Platform, Version, null_as_default};
use crate::http::{HttpError, Request};
use crate::progress::Progress;

/// It has 59,361 bytes for the 122 releases up to v1.38.1.
const LIST_BYTES: u64 = 4 << 20;

/// How often the list is tried: a pack can do without.
const LIST_ATTEMPTS: u32 = 2;

/// The releases that minikube lists, with the digest of each platform's program.
#[derive(Debug)]
pub(in crate::fetch::upstream) struct ReleaseList {
    url: String,
    /// Whether it is a mirror's, which proves nothing.
    is_mirrors: bool,
    releases: BTreeMap<Version, BTreeMap<String, Digest>>,
}

impl ReleaseList {
    /// Whether this release stands in it.
    pub(super) fn has(&self, version: &Version) -> bool {
        self.releases.contains_key(version)
    }

    /// The newest release in it.
    pub(super) fn newest(&self) -> Option<&Version> {
        self.releases.last_key_value().map(|(version, _)| version)
    }
}

/// The newest listed release of this one's line, or of all, where there is a list.
pub(super) fn nearest(upstream: &Upstream, version: &Version, progress: &dyn Progress) -> Option<Version> {
    // One that is listed and not there is not near itself.
    let list = list(upstream, progress).filter(|list| !list.has(version))?;
    let mut of_line = list.releases.keys().rev();
    let of_line = of_line.find(|listed| listed.line() == version.line());
    of_line.or_else(|| list.newest()).cloned()
}

/// A digest that the list has.
pub(super) struct Listed {
    pub(super) digest: Digest,
    /// The list's URL.
    pub(super) url: String,
}

/// What the list says of the program's content, if it says it.
pub(super) fn listed(
    upstream: &Upstream,
    version: &Version,
    platform: Platform,
    progress: &dyn Progress,
) -> Option<Listed> {
    let list = list(upstream, progress).filter(|list| !list.is_mirrors)?;
    let digest = list.releases.get(version)?.get(platform.arch.name())?;
    Some(Listed {
        digest: *digest,
        url: list.url.clone(),
    })
}

/// The list, asked for once in a run. Where it cannot be had, that is said, and the table is
/// all there is.
pub(super) fn list<'a>(upstream: &'a Upstream, progress: &dyn Progress) -> Option<&'a ReleaseList> {
    let fetched = upstream.session.minikubes.get_or_init(|| {
        let reason = match fetch(upstream) {
            Ok(list) => return Some(list),
            // The next request ends the run, and says so.
            Err(Missing::Http(HttpError::Offline { .. } | HttpError::Interrupted(_))) => return None,
            Err(Missing::Http(error)) => error.to_string(),
            Err(Missing::NoList { url, reason }) => {
                format!("`{url}` is not minikube's list of releases: {reason}")
            }
        };
        progress.note(&format!("{reason}: going on without the list"));
        None
    });
    fetched.as_ref()
}

/// The newest release by minikube's release page, where there is no list: its `latest` leads
/// there. The table is all there is where that is not to be had, either, which is said.
pub(super) fn latest(upstream: &Upstream, progress: &dyn Progress) -> Option<Version> {
    let url = Pages::of(&upstream.sources, BinaryRole::Minikube).own.latest();
    let led = upstream.http.destination(&Request::of(&url), LIST_ATTEMPTS);
    let reason = match led {
        Ok(led) => match led.rsplit('/').next().map(str::parse::<Version>) {
            Some(Ok(version)) if !version.is_prerelease() => {
                progress.note(&format!(
                    "`{url}` leads to minikube {version}: taking that for the newest"
                ));
                return Some(version);
            }
            _ => format!("`{url}` leads to no release"),
        },
        // The next request ends the run, and says so.
        Err(HttpError::Offline { .. } | HttpError::Interrupted(_)) => return None,
        Err(error) => error.to_string(),
    };
    progress.note(&format!(
        "{reason}: going on with the minikubes that this program knows, up to {}",
        newest_known()
    ));
    None
}

/// Why there is no list.
enum Missing {
    Http(HttpError),
    NoList { url: String, reason: String },
}

/// minikube's own list or, where that does not come, the one of a mirror of its releases.
fn fetch(upstream: &Upstream) -> Result<ReleaseList, Missing> {
    let pages = Pages::of(&upstream.sources, BinaryRole::Minikube);
    match (fetch_from(upstream, &pages.own), &pages.mirror) {
        (Err(error), Some(mirror))
            if !matches!(
                error,
                Missing::Http(HttpError::Offline { .. } | HttpError::Interrupted(_))
            ) =>
        {
            fetch_from(upstream, mirror).map_err(|_| error)
        }
        (list, _) => list,
    }
}

fn fetch_from(upstream: &Upstream, page: &Page) -> Result<ReleaseList, Missing> {
    let url = page.list();
    let request = Request::of(&url);
    let answer = upstream
        .http
        .get_trying(&request, LIST_BYTES, LIST_ATTEMPTS, None);
    let answer = answer.map_err(Missing::Http)?;
    match parse(&answer.body) {
        Ok(releases) => Ok(ReleaseList {
            url,
            is_mirrors: page.is_mirror,
            releases,
        }),
        Err(reason) => Err(Missing::NoList { url, reason }),
    }
}

/// The releases in the list, without those that are none: pre-releases do not stand in it,
/// and are not taken where they do. Whatever else an entry has is not ours.
fn parse(list: &[u8]) -> Result<BTreeMap<Version, BTreeMap<String, Digest>>, String> {
    #[derive(Deserialize)]
    struct Entry {
        name: String,
        #[serde(default, deserialize_with = "null_as_default")]
        checksums: BTreeMap<String, Checksum>,
    }
    /// By system for an architecture; a digest of old entries stands where one would.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Checksum {
        BySystem(BTreeMap<String, String>),
        Other(serde::de::IgnoredAny),
    }
    let entries: Vec<Entry> = serde_json::from_slice(list).map_err(|error| error.to_string())?;
    let mut releases = BTreeMap::new();
    for entry in entries {
        let Ok(version) = entry.name.parse::<Version>() else {
            continue;
        };
        if version.is_prerelease() {
            continue;
        }
        let mut digests = BTreeMap::new();
        for (arch, checksum) in entry.checksums {
            let Checksum::BySystem(systems) = checksum else {
                continue;
            };
            if let Some(text) = systems.get("linux") {
                let digest = Digest::parse(text).map_err(|error| format!("{version}: {error}"))?;
                digests.insert(arch, digest);
            }
        }
        // The first of a name is the newest: each release is put before the others.
        releases.entry(version).or_insert(digests);
    }
    if releases.is_empty() {
        return Err("no release stands in it".to_owned());
    }
    Ok(releases)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The shape of the entries that `hack/jenkins/release_update_releases_json.go` writes.
    const ONE: &str = r#"{
        "checksums": {
            "amd64": { "darwin": "x", "linux": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
            "arm64": { "darwin": "y" },
            "darwin": "x",
            "linux": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        },
        "name": "v1.38.1"
    }"#;

    #[test]
    fn a_release_has_the_digest_of_each_platform() {
        let releases = parse(format!("[{ONE}]").as_bytes()).expect("a list");
        let digests = &releases[&"v1.38.1".parse().expect("version")];
        assert!(digests["amd64"].hex().starts_with("ba7816bf"));
        assert_eq!(digests.len(), 1, "{digests:?}");
    }

    #[test]
    fn what_is_no_release_is_none() {
        let list = format!(
            r#"[{{"name": "v1.39.0-beta.0", "checksums": {{}}}}, {{"name": "nightly"}}, {ONE}, {{"name": "v1.9.0"}}]"#
        );
        let releases = parse(list.as_bytes()).expect("a list");
        let names: Vec<String> = releases.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["v1.9.0", "v1.38.1"]);
        for (list, reason) in [
            ("", "EOF"),
            ("<html>", "expected value"),
            ("[]", "no release"),
            (r#"[{"name": "v1.39.0-beta.0"}]"#, "no release"),
            (
                r#"[{"name": "v1.39.0", "checksums": {"amd64": {"linux": "abc"}}}]"#,
                "v1.39.0: ",
            ),
        ] {
            let error = parse(list.as_bytes()).expect_err(list);
            assert!(error.contains(reason), "{error}");
        }
    }
}
