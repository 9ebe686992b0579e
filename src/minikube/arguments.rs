//! What minikube is started with.

use super::cni::named_network;
use super::options::{SiteOptions, Way};
use crate::bundle::PlatformView;

/// The flags of `minikube start` for a profile that `is_new`, or is not. What the
/// person gave after `--` comes last and wins.
pub(crate) fn start_arguments(
    view: PlatformView<'_>,
    options: &SiteOptions,
    way: Way,
    is_new: bool,
    force: bool,
) -> Vec<String> {
    let runtime = options.runtime(view.container_runtime());
    let cached = way == Way::Cache;
    let mut arguments = vec![
        "start".to_owned(),
        format!("--profile={}", options.profile),
        "--driver=docker".to_owned(),
        format!("--container-runtime={runtime}"),
        format!("--kubernetes-version={}", view.kubernetes_version()),
        // By its tag: a loaded image has no repository digest to be found by.
        format!("--base-image={}", view.node_image().reference),
        "--preload=false".to_owned(),
        format!("--cache-images={cached}"),
        "--interactive=false".to_owned(),
        "--output=json".to_owned(),
    ];
    // A list in minikube, to which a second flag would add.
    if !options.passes("--wait") {
        arguments.push("--wait=all".to_owned());
    }
    if let Some(network) = named_network(view, options, is_new) {
        arguments.push(format!("--cni={network}"));
    }
    // Later the cluster has those that its user left on.
    let packed = view.packed_addons();
    if is_new && options.packed_addons && !packed.is_empty() && !options.passes("--install-addons") {
        arguments.push(format!("--addons={}", packed.join(",")));
    }
    if force {
        arguments.push("--force".to_owned());
    }
    arguments.extend(options.cpus.iter().map(|cpus| format!("--cpus={cpus}")));
    arguments.extend(options.memory.iter().map(|memory| format!("--memory={memory}")));
    arguments.extend(options.extra_args.iter().cloned());
    arguments
}

/// The flags of `minikube start` for a profile that stays what minikube's own file says.
pub(crate) fn restart_arguments(profile: &str, force: bool) -> Vec<String> {
    let mut arguments = vec![
        "start".to_owned(),
        format!("--profile={profile}"),
        "--preload=false".to_owned(),
        "--cache-images=false".to_owned(),
        "--interactive=false".to_owned(),
        "--output=json".to_owned(),
        "--wait=all".to_owned(),
    ];
    if force {
        arguments.push("--force".to_owned());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{BundleIndex, ContainerRuntime, Digest, ImageRole, NamedBy, Namer};
    use crate::install::testing::{index, view};

    #[test]
    fn the_flags_of_a_start_without_a_network() {
        let arguments = start_arguments(view(&index()), &SiteOptions::default(), Way::Volume, true, false);
        assert_eq!(
            arguments.join(" "),
            "start --profile=minikube --driver=docker --container-runtime=docker --kubernetes-version=v1.35.4 \
             --base-image=gcr.io/k8s-minikube/kicbase:v0.0.50 --preload=false --cache-images=false \
             --interactive=false --output=json --wait=all"
        );
    }

    #[test]
    fn a_new_profile_gets_the_addons_that_the_bundle_was_packed_with() {
        let mut packed = index();
        let by = |name: &str| NamedBy {
            digest: Digest::of(name.as_bytes()),
            by: Namer::MinikubeAddon,
            name: Some(name.to_owned()),
        };
        packed.images[2].named_by = vec![by("storage-provisioner")];
        packed.images[3].role = ImageRole::Application;
        packed.images[3].named_by = vec![by("metrics-server"), by("ingress")];
        let arguments = |extra: &str, packed_addons, is_new| {
            let extra_args = extra.split_whitespace().map(str::to_owned).collect();
            let options = SiteOptions {
                packed_addons,
                extra_args,
                ..SiteOptions::default()
            };
            start_arguments(view(&packed), &options, Way::Volume, is_new, false).join(" ")
        };
        assert!(arguments("", true, true).ends_with(" --addons=ingress,metrics-server"));
        assert!(arguments("--addons=x", true, true).ends_with(" --addons=ingress,metrics-server --addons=x"));
        assert!(!arguments("", false, true).contains("addons"));
        assert!(!arguments("", true, false).contains("addons"));
        assert!(!arguments("--install-addons=false", true, true).contains("--addons"));
    }

    #[test]
    fn the_person_has_the_last_word() {
        let options = SiteOptions {
            container_runtime: Some(ContainerRuntime::Containerd),
            cpus: Some("4".into()),
            memory: Some("4g".into()),
            extra_args: vec!["--wait=none".into(), "--cni=calico".into()],
            ..SiteOptions::default()
        };
        let arguments = start_arguments(view(&index()), &options, Way::Cache, true, true);
        let text = arguments.join(" ");
        assert!(
            text.ends_with("--force --cpus=4 --memory=4g --wait=none --cni=calico"),
            "{text}"
        );
        assert!(
            text.contains("--cache-images=true") && !text.contains("--wait=all"),
            "{text}"
        );
        assert!(!text.contains("--cni=bridge"), "{text}");
    }

    #[test]
    fn containerd_gets_a_network_that_needs_no_image() {
        let options = SiteOptions {
            container_runtime: Some(ContainerRuntime::Containerd),
            ..SiteOptions::default()
        };
        let with =
            |index: &BundleIndex| start_arguments(view(index), &options, Way::Volume, true, false).join(" ");
        assert!(with(&index()).contains("--cni=bridge"));
        let mut carrying = index();
        carrying.images[3].reference = "docker.io/kindest/kindnetd:v1".parse().expect("reference");
        assert!(!with(&carrying).contains("--cni"));
    }

    #[test]
    fn a_new_profile_gets_the_network_that_the_bundle_was_packed_for() {
        let mut packed = index();
        packed.images[2].reference = "quay.io/cilium/cilium:v1.19.0".parse().expect("reference");
        let arguments = |options: &SiteOptions, is_new| {
            start_arguments(view(&packed), options, Way::Volume, is_new, false).join(" ")
        };
        let plain = SiteOptions::default();
        assert!(arguments(&plain, true).ends_with(" --cni=cilium"));
        assert!(!arguments(&plain, false).contains("--cni"), "it has its network");
        let other = SiteOptions {
            extra_args: vec!["--cni=bridge".into()],
            ..SiteOptions::default()
        };
        assert_eq!(arguments(&other, true).matches("--cni").count(), 1);
    }
}
