//! What to do when a part does not come from its publisher.

use super::UpstreamError;
use crate::bundle::BinaryRole;
use crate::explain::{Explain, Explanation, Kind};

const TAKE_NEWEST: &str = "`--kubernetes-version v1.37` takes the newest patch, `stable` the newest release";

const REPLACED: &str = "nothing of it was used. Another program writes into the store, or its disk changes what is \
    on it: look at who may write there, then run it again; it is downloaded again";
const AS_A_MANIFEST: &str = "omit it; or write what it installs into a file, as `helm template` does, and pack that \
                             with `--manifest FILE`, which takes the images that it names along";

const FIX_CONFIG: &str =
    "fix it, log in again with `docker login HOST`, or name another directory with DOCKER_CONFIG";

const NAME_RUNTIME: &str = "name one with `--container-runtime containerd`";

fn take_newest(role: BinaryRole) -> &'static str {
    match role {
        BinaryRole::Minikube => "without `--minikube-version` the newest that has this Kubernetes is taken",
        _ => TAKE_NEWEST,
    }
}

impl Explain for UpstreamError {
    fn explain(&self) -> Explanation {
        let (kind, hint) = match self {
            Self::Http(error) => return error.explain(),
            Self::Interrupted(interruption) => return interruption.explain(),
            Self::Store(error) => return error.explain(),
            Self::DockerConfig { .. } => (Kind::Usage, FIX_CONFIG.to_owned()),
            Self::Addon { .. } => (
                Kind::Usage,
                "`minikube addons list` names the addons that there are".to_owned(),
            ),
            Self::AddonOfNetwork { .. } => (Kind::Usage, AS_A_MANIFEST.to_owned()),
            Self::UnknownAddon { there, .. } => (Kind::Usage, addons(there)),
            Self::Disagreement { .. } => (
                Kind::Damaged,
                "nothing of it was taken: one of the two is not what its publisher says; leave `--release-mirror` \
                 away, or give a program that you have checked with `--minikube FILE`"
                    .to_owned(),
            ),
            Self::Checksum { .. } | Self::Word { .. } => (
                Kind::Damaged,
                "something between answers for the server, such as a proxy's login page, or the mirror is not laid \
                 out like the original"
                    .to_owned(),
            ),
            Self::Credentials { .. } => (
                Kind::Io,
                "log in again with `docker login HOST`, or remove the helper from docker's config.json".to_owned(),
            ),
            Self::Login { source, .. } => {
                let is_refused = source.status().is_some_and(|status| (400..500).contains(&status));
                let hint = if is_refused {
                    "log in again with `docker login HOST`: its config.json and its helpers are read".to_owned()
                } else {
                    source.hint()
                };
                (Kind::Io, hint)
            }
            Self::TokenServer { .. } => (
                Kind::Io,
                "nothing secret was sent there: ask who runs the registry".to_owned(),
            ),
            Self::Manifest { .. } => (
                Kind::Damaged,
                "nothing of it was taken: ask who runs the registry, or take another one".to_owned(),
            ),
            Self::NodeImage { .. } | Self::NotAsked { .. } => (
                Kind::Usage,
                "name it yourself with `--kicbase docker://gcr.io/k8s-minikube/kicbase:TAG@sha256:DIGEST`, and images \
                 of addons with `--image`"
                    .to_owned(),
            ),
            Self::NoneHas { .. } => (
                Kind::Io,
                "what each of them said stands above: check the network, the mirrors and the name".to_owned(),
            ),
            Self::NoImage { .. } => (
                Kind::Usage,
                "check its name and tag; a private registry may say so to whom is not logged in: `docker login HOST`"
                    .to_owned(),
            ),
            Self::NoMinikube { .. } => (
                Kind::Usage,
                "name a minikube that has it with `--minikube-version VERSION`, or give one with `--minikube FILE`"
                    .to_owned(),
            ),
            Self::Pair { .. } => (
                Kind::Usage,
                "name a Kubernetes that it has, or another minikube with `--minikube-version` or `--minikube`; \
                 without either the newest that has this Kubernetes is taken"
                    .to_owned(),
            ),
            Self::NoProgram { .. } => (
                Kind::Usage,
                "take another release, or another `--platform`, or give a program for it by hand".to_owned(),
            ),
            Self::NoPlatform { .. } | Self::SharedManifest { .. } => (
                Kind::Usage,
                "take another image, or another `--platform`".to_owned(),
            ),
            Self::NoLine { .. } => (Kind::Usage, TAKE_NEWEST.to_owned()),
            Self::NoRelease { role, .. } => (Kind::Usage, take_newest(*role).to_owned()),
            Self::Offline { .. } => (
                Kind::Usage,
                "leave `--offline` away, or `docker pull` it and name it with `docker-daemon:`".to_owned(),
            ),
            Self::Programs { source } => (
                Kind::of_io(source),
                "name another directory with TMPDIR".to_owned(),
            ),
            Self::Replaced { .. } => (Kind::Damaged, REPLACED.to_owned()),
            Self::Runtime { .. } => (Kind::Usage, NAME_RUNTIME.to_owned()),
            Self::Unproven { what, .. } => (Kind::Usage, accept(what)),
        };
        kind.hint(hint)
    }
}

fn accept(what: &[String]) -> String {
    let flags: Vec<String> = what
        .iter()
        .map(|part| format!("--accept-unverified {part}"))
        .collect();
    let part = if what.len() == 1 { "it" } else { "them" };
    let place = if what.iter().any(|part| part.contains('/')) {
        ", or all that `--image-repository PLACE` has with `--accept-unverified PLACE`"
    } else {
        ""
    };
    format!(
        "take {part} anyway with `{}`{place}; the bundle will say so",
        flags.join(" ")
    )
}

fn addons(there: &[String]) -> String {
    let there = there.join(", ");
    format!("this minikube names its addons by `minikube addons list`: {there}")
}
