//! What to do about a part that cannot be used, or that is not there.

use std::io;

use super::FetchError;
use crate::explain::{Explain, Explanation, Kind};
use crate::spec::Cni;

impl Explain for FetchError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Resolve(error) => error.explain(),
            Self::Upstream(error) => error.explain(),
            _ => self.kind().hint(self.hint()),
        }
    }
}

impl FetchError {
    fn kind(&self) -> Kind {
        match self {
            Self::Damaged { .. }
            | Self::Truncated { .. }
            | Self::Undecodable { .. }
            | Self::WrongLayer { .. } => Kind::Damaged,
            Self::NoRoom { .. } => Kind::NoSpace,
            Self::Read { source, .. } | Self::Scratch { source, .. } => match source.kind() {
                // The path on the command line is wrong.
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Kind::Usage,
                _ => Kind::of_io(source),
            },
            Self::Output { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
                    Kind::Usage
                }
                _ => Kind::of_io(source),
            },
            _ => Kind::Usage,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Output { .. } => {
                "`-o FILE` names the bundle: a file in a directory that is there and that this user may write to"
                    .to_owned()
            }
            Self::OtherTransport { path, transport, .. } => {
                format!("give it as `{transport}:{}`", path.display())
            }
            Self::WithoutName { path, transport } => format!(
                "give it one in full: `{transport}:{}:registry.example/app:1`; or save it by its name, not by its id",
                path.display()
            ),
            error => error.fixed_hint().to_owned(),
        }
    }

    /// The hint of those that need not name anything.
    #[allow(clippy::too_many_lines, reason = "a hint for each")]
    fn fixed_hint(&self) -> &'static str {
        match self {
            Self::Compressed { .. } => "decompress it first: `xz -d`, `bzip2 -d` or `zstd -d --long=31`",
            Self::Config { .. } | Self::WrongPlatform { .. } => {
                "save the image for the bundle's platform: `docker pull --platform` and `docker save`"
            }
            Self::Chart { .. } => {
                "`helm lint` and `helm template` with the same values say more; the charts that it depends on have to \
                 be in its `charts/`: `helm dependency build`"
            }
            Self::Helm { .. } => "run it yourself with `version`, or give another with `--binaries`",
            Self::NoHelm => {
                "give it with `--binaries FILE`, a file called `helm`; for other platforms of the bundle, one for each"
            }
            Self::Release { .. } => "name another `release` or `namespace` for one of them",
            Self::Conflict { .. } => "leave one of them away",
            Self::Damaged { .. }
            | Self::Truncated { .. }
            | Self::Undecodable { .. }
            | Self::WrongLayer { .. } => {
                "copy or save the file again, and compare it with `sha256sum` where it came from"
            }
            Self::DoesNotRun { .. } => {
                "run it yourself with `version`; a program needs `chmod +x`, and a file system without noexec"
            }
            Self::FileName { .. } => "pack a copy with another name",
            Self::Manifest { .. } => {
                "`kubectl create --dry-run=client -f FILE` says more; a template has to be rendered first (`helm template`, `kubectl kustomize`), and what is no manifest goes with `--include`"
            }
            Self::ManifestImage { .. } => {
                "give it with `--image docker-archive:FILE`, or leave `--offline` away to have it downloaded"
            }
            Self::Partial { .. } => {
                "give it once for each platform, `--image docker-archive:FILE` for one and another FILE for the other, or \
                 add `--image docker://NAME` to have the rest downloaded"
            }
            Self::EngineImage { .. } => {
                "`docker images` lists what the engine has; an image for another platform than the engine's is saved \
                 by Docker 28 or newer, after `docker pull --platform`, or by `skopeo copy --override-arch ARCH \
                 docker://NAME docker-archive:FILE:NAME`"
            }
            Self::MediaType { .. } => {
                "only container images with tar layers of their own can be carried: save the image again with `skopeo copy` or `docker save`"
            }
            Self::NoEngine { .. } => {
                "start Docker Engine, or give an archive that `docker save` wrote: `docker-archive:PATH`"
            }
            Self::NoPrograms { .. } => {
                "give the directory of a Kubernetes release's programs, and minikube with `--minikube PATH`"
            }
            Self::NoRoom { .. } => {
                "nothing more was downloaded, and what was stays: free space there, with `minikube-offline store prune \
                 --older-than 30` for instance, or name another place for the store with XDG_CACHE_HOME, and for the \
                 bundle with -o"
            }
            Self::NoSuchImage { .. } => {
                "name one that is there, or save the archive again with `docker save NAME:TAG`"
            }
            Self::NoVersion { .. } => "give the program itself, not one that is called like it",
            Self::NotACache { .. } => "`--from-cache` takes `~/.minikube`, or the `cache` in it",
            Self::NotAFile { .. } => {
                "check the path; with `--include` a directory goes as an archive: `tar -cf DIR.tar DIR`"
            }
            Self::Read { .. } => "check the path, and that you may read it",
            Self::NotALayout { .. } => "make one with `skopeo copy docker-daemon:NAME:TAG oci:DIR:TAG`",
            Self::NotAnArchive { .. } => {
                "make one with `docker save -o FILE NAME:TAG`; what `docker export` writes is no image"
            }
            Self::Scratch { .. } => "the bundle is written there as well: check the directory of `--output`",
            Self::SeveralImages { .. } => {
                "add the name of the one to take: `docker-archive:PATH:NAME:TAG`, `oci-archive:PATH:NAME:TAG` or `oci:DIR:NAME:TAG`"
            }
            Self::SeveralNodeImages { .. } => "take one with `--kicbase docker-archive:PATH`",
            Self::HighAvailability { .. } => {
                "`--ha` came with minikube v1.33; of a newer one give the image that it takes: \
                 `--image docker://ghcr.io/kube-vip/kube-vip:TAG`"
            }
            Self::Network { network, .. } => match network {
                Cni::Calico => {
                    "give the images that this minikube takes, each by `--image docker://NAME`: before v1.38 they \
                     are docker.io/calico/cni:TAG, docker.io/calico/kube-controllers:TAG and \
                     docker.io/calico/node:TAG, with v3.27.3 for minikube v1.33.1 and v3.26.3 for v1.32.0"
                }
                Cni::Cilium => {
                    "give the images that this minikube takes, each by `--image docker://NAME`: \
                     quay.io/cilium/cilium:TAG, quay.io/cilium/operator-generic:TAG"
                }
                Cni::Flannel => {
                    "give the images that this minikube takes, each by `--image docker://NAME`: \
                     ghcr.io/flannel-io/flannel:TAG, ghcr.io/flannel-io/flannel-cni-plugin:TAG"
                }
                Cni::Auto | Cni::Bridge | Cni::Kindnet => {
                    "give the image that this minikube takes: `--image docker://docker.io/kindest/kindnetd:TAG`"
                }
            },
            Self::UnknownDigest { .. } => "copy the image into a new layout with `skopeo copy`",
            Self::WithoutBlob { .. } => {
                "save it again with all that is for this platform: `docker pull --platform` and `docker save \
                 --platform`, or `skopeo copy --override-arch`"
            }
            Self::WrongProgram { .. } => "every program must be for the platform that `--platform` names",
            Self::WrongVersion { .. } => {
                "the programs must be of the release that `--kubernetes-version` names"
            }
            // They bring their own.
            Self::OtherTransport { .. }
            | Self::Output { .. }
            | Self::WithoutName { .. }
            | Self::Resolve(_)
            | Self::Upstream(_) => "",
        }
    }
}
