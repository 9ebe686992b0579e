//! The flags that say where parts come from which are not given.

use std::path::PathBuf;

use super::console::Console;
use crate::bundle::Version;
use crate::failure::Failure;
use crate::fetch::Upstream;
use crate::host::Environment;
use crate::http::Patience;
use crate::spec::{ImageRepository, MirrorCountry, RegistryMirror, Sources};

/// The heading of its flags in the help.
pub(super) const DOWNLOADS: &str = "Downloads";

#[derive(clap::Args, Debug)]
#[command(next_help_heading = DOWNLOADS)]
pub(super) struct SourceArgs {
    /// Download nothing; report what is missing
    #[arg(long)]
    offline: bool,
    /// Release of minikube [default: the newest for this Kubernetes]
    #[arg(long, value_name = "VERSION")]
    minikube_version: Option<Version>,
    /// Mirror of dl.k8s.io/release; checksums still come from dl.k8s.io
    #[arg(long, value_name = "URL")]
    binary_mirror: Option<String>,
    /// Mirror of minikube's releases; checksums still come from minikube
    #[arg(long, value_name = "URL")]
    release_mirror: Option<String>,
    /// Mirror of a registry: registry.k8s.io=mirror.example/k8s; tried in order
    #[arg(long = "registry-mirror", value_name = "REGISTRY=REGISTRY[/PATH]")]
    registry_mirrors: Vec<RegistryMirror>,
    /// Where to take the images of Kubernetes and minikube; digests still come from
    /// their registries
    #[arg(long, value_name = "REGISTRY[/PATH]", conflicts_with = "image_mirror_country")]
    image_repository: Option<ImageRepository>,
    /// Take those images from the mirror of this country
    #[arg(long, value_name = "COUNTRY", ignore_case = true)]
    image_mirror_country: Option<MirrorCountry>,
    /// Proxy to use instead of `HTTPS_PROXY` and its like
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// File with additional trusted certificate authorities
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// Registry without TLS, or whose certificate is not checked
    #[arg(long = "insecure-registry", value_name = "HOST[:PORT]")]
    insecure_registries: Vec<String>,
    /// Accept this binary, image or --image-repository without verification
    #[arg(long, value_name = "NAME")]
    accept_unverified: Vec<String>,
    #[cfg(debug_assertions)]
    #[command(flatten)]
    stand_ins: StandIns,
}

/// Servers that stand for the publishers' own, for tests: no release has these flags, since
/// what they name would say what the parts should be.
#[cfg(debug_assertions)]
#[derive(clap::Args, Debug)]
struct StandIns {
    /// A host that stands for a registry itself
    #[arg(long = "registry-upstream", hide = true)]
    registry_upstreams: Vec<RegistryMirror>,
    /// What stands for dl.k8s.io/release itself
    #[arg(long, hide = true)]
    binary_upstream: Option<String>,
    /// What stands for minikube's release page itself
    #[arg(long, hide = true)]
    release_upstream: Option<String>,
}

#[cfg(debug_assertions)]
impl StandIns {
    fn add_to(self, sources: Sources) -> Sources {
        Sources {
            registry_upstreams: self.registry_upstreams,
            binary_upstream: self.binary_upstream,
            release_upstream: self.release_upstream,
            ..sources
        }
    }
}

impl SourceArgs {
    pub(super) fn into_sources(self) -> Sources {
        let sources = Sources {
            offline: self.offline,
            minikube_version: self.minikube_version,
            binary_mirror: self.binary_mirror,
            release_mirror: self.release_mirror,
            registry_mirrors: self.registry_mirrors,
            image_repository: self.image_repository,
            image_mirror_country: self.image_mirror_country,
            proxy: self.proxy,
            ca: self.ca,
            insecure_registries: self.insecure_registries,
            accept_unverified: self.accept_unverified,
            ..Sources::default()
        };
        #[cfg(debug_assertions)]
        let sources = self.stand_ins.add_to(sources);
        sources
    }
}

/// The servers that give what is not given; none when nothing may be downloaded. With a
/// lock everything is known by its digest, and the store alone may do.
pub(super) fn upstream(
    sources: &Sources,
    locked: bool,
    console: &Console,
) -> Result<Option<Upstream>, Failure> {
    if sources.offline && !locked {
        return Ok(None);
    }
    let environment = Environment::of_this_process();
    let upstream = Upstream::new(sources, &environment, Patience::default())?;
    Ok(Some(upstream.heard_by(console.listener())))
}
