//! Asks kubeadm which images it will want.

use std::path::Path;

use super::ResolveError;
use crate::bundle::{ImageReference, Version};
use crate::host::Ask;

/// The images that the program `kubeadm` names for `version`.
pub(super) fn list(
    ask: Ask<'_>,
    kubeadm: &Path,
    version: &Version,
) -> Result<Vec<ImageReference>, ResolveError> {
    let version_text = version.to_string();
    let arguments = ["config", "images", "list", "--kubernetes-version", &version_text];
    let answer = ask(kubeadm, &arguments).map_err(|source| ResolveError::Kubeadm {
        path: kubeadm.to_owned(),
        version: version.clone(),
        source,
    })?;
    parse_list(&answer).map_err(|line| ResolveError::KubeadmAnswer {
        path: kubeadm.to_owned(),
        line: line.chars().take(200).collect(),
    })
}

/// One image a line. An empty list is no answer; the error is the line that is wrong.
fn parse_list(answer: &str) -> Result<Vec<ImageReference>, &str> {
    let lines = answer.lines().map(str::trim).filter(|line| !line.is_empty());
    let images: Vec<ImageReference> = lines
        .map(|line| ImageReference::parse(line).map_err(|_| line))
        .collect::<Result<_, _>>()?;
    if images.is_empty() { Err("") } else { Ok(images) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Arch, Platform};
    use crate::resolve::{ListSource, requirements_from};

    // What kubeadm v1.37.0-rc.0 prints. Source: as for the table.
    const V1_37_0_RC_0: &str = "registry.k8s.io/kube-apiserver:v1.37.0-rc.0
registry.k8s.io/kube-controller-manager:v1.37.0-rc.0
registry.k8s.io/kube-scheduler:v1.37.0-rc.0
registry.k8s.io/kube-proxy:v1.37.0-rc.0
registry.k8s.io/coredns/coredns:v1.14.6
registry.k8s.io/pause:3.10.2
registry.k8s.io/etcd:3.7.0-0
";

    #[test]
    fn a_kubeadm_knows_more_than_the_table() {
        let version = "v1.37.0-rc.0".parse().expect("version");
        let platforms = [Platform { arch: Arch::Amd64 }];
        let asked = |program: &Path, arguments: &[&str]| {
            assert_eq!(program, Path::new("kubeadm"));
            assert_eq!(
                arguments.join(" "),
                "config images list --kubernetes-version v1.37.0-rc.0"
            );
            Ok(V1_37_0_RC_0.to_owned())
        };
        let needs =
            requirements_from(&asked, &version, &platforms, Some(Path::new("kubeadm"))).expect("list");
        assert_eq!(needs.source, ListSource::Kubeadm);
        assert_eq!(needs.images.len(), 8);
        assert!(needs.images.is_sorted());
        let unknown = requirements_from(&asked, &version, &platforms, None);
        assert!(matches!(unknown, Err(ResolveError::UnknownVersion { .. })));
    }

    #[test]
    fn an_answer_without_images_is_refused() {
        assert_eq!(parse_list(""), Err(""));
        assert_eq!(
            parse_list("registry.k8s.io/pause:3\nunknown flag: --x\n"),
            Err("unknown flag: --x")
        );
    }
}
