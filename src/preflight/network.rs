//! Whether the bundle has the images that join the pods of the cluster. Where it has
//! not, minikube finds out after minutes, when the nodes do not get ready.

use super::finding::{Finding, usage, warning};
use crate::bundle::PlatformView;
use crate::minikube::{Network, carries, carries_kube_vip};
use crate::minikube::{SiteOptions, Way};

/// What is asked of the bundle that it does not have is a mistake in the command line,
/// and none of the machine's. Nothing is said of a profile that is there: minikube
/// changes neither its nodes nor its network, and the images are in its nodes.
pub(crate) fn examine(view: PlatformView<'_>, options: &SiteOptions, is_new: bool) -> Vec<Finding> {
    let several = options.asks_several_nodes();
    let cached = options.way == Way::Cache;
    let mut findings = Vec::new();
    if !is_new {
        return findings;
    }
    match options.network(view) {
        Network::FromImages(name) if !carries(view, name) => findings.push(missing(name, options)),
        Network::FromImages(name) if cached => findings.push(not_by_cache(&format!(
            "images of `{name}`, the network of the nodes"
        ))),
        Network::Bridge if several => findings.push(warning(
            "several nodes with minikube's bridge",
            "minikube calls them incompatible (v1.38.1, `pkg/minikube/cni/bridge.go:92`): the others may never \
             get ready, and the pods of each have the same addresses (10.244.0.0/16)",
            "pack the bundle with `--cni kindnet`, and leave `--cni` away here",
        )),
        _ => {}
    }
    if options.asks_high_availability() {
        if !carries_kube_vip(view) {
            findings.push(usage(
                "the bundle does not have the image of kube-vip, which `--ha` needs",
                "minikube would ask a registry for it, and the start would fail after minutes",
                "leave `--ha` away; or pack the bundle with `--ha`",
            ));
        } else if cached {
            findings.push(not_by_cache("image of kube-vip, which `--ha` needs"));
        }
    }
    findings
}

fn not_by_cache(what: &str) -> Finding {
    usage(
        format!("minikube's cache does not bring the {what}"),
        "minikube loads from it what its own list has, and the start would fail after minutes",
        "leave `--image-load cache` away",
    )
}

fn missing(name: &str, options: &SiteOptions) -> Finding {
    let several = options.asks_several_nodes();
    let what = format!("the bundle does not have the images of `{name}`, the network ");
    let what = what
        + if several {
            "of several nodes"
        } else {
            "that is asked for"
        };
    let here = if several {
        "start one node, which needs no image for its network: leave `--nodes`, `-n` and `--ha` away"
    } else {
        "leave `--cni` away: one node starts with minikube's bridge, which needs no image"
    };
    usage(
        what,
        "minikube would ask a registry for them, and the start would fail after minutes",
        format!("{here}; or pack the bundle with {}", flags(name, options)),
    )
}

/// What to pack with: `--ha` brings kindnet, too, which minikube takes by itself.
fn flags(network: &str, options: &SiteOptions) -> String {
    match (options.asks_high_availability(), network) {
        (false, _) => format!("`--cni {network}`"),
        (true, "kindnet") => "`--ha`".to_owned(),
        (true, _) => format!("`--ha --cni {network}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Kind;
    use crate::install::testing::{index, view, with};
    use crate::preflight::Severity;

    fn findings(arguments: &str, images: &[&str], is_new: bool) -> Vec<(Severity, Kind, String)> {
        let mut index = index();
        for reference in images {
            let mut image = index.images[3].clone();
            image.reference = reference.parse().expect("reference");
            index.images.push(image);
        }
        let findings = examine(view(&index), &with(arguments), is_new).into_iter();
        findings
            .map(|finding| (finding.severity, finding.kind, finding.what))
            .collect()
    }

    #[test]
    fn a_network_whose_images_are_not_there_is_a_mistake_in_the_command_line() {
        for (arguments, missing) in [
            ("--nodes 2", "`kindnet`, the network of several nodes"),
            ("-n 2 --cni=kindnet", "`kindnet`, the network of several nodes"),
            ("--cni kindnet", "`kindnet`, the network that is asked for"),
            ("--cni=calico", "`calico`, the network that is asked for"),
        ] {
            let found = findings(arguments, &[], true);
            assert_eq!(found.len(), 1, "{arguments}: {found:?}");
            assert_eq!((found[0].0, found[0].1), (Severity::Fatal, Kind::Usage));
            assert!(found[0].2.ends_with(missing), "{found:?}");
            assert_eq!(findings(arguments, &[], false), [], "the profile is there");
        }
        assert_eq!(findings("", &[], true), []);
        assert_eq!(findings("--nodes=1", &[], true), []);
        let kindnet = "docker.io/kindest/kindnetd:v1";
        assert_eq!(findings("--nodes=2", &[kindnet], true), []);
        assert_eq!(findings("--cni=calico", &["quay.io/calico/node:v3"], true), []);
        let ha = findings("--ha", &[kindnet], true);
        assert!(ha.len() == 1 && ha[0].2.contains("kube-vip"), "{ha:?}");
        let vip = "ghcr.io/kube-vip/kube-vip:v1";
        assert_eq!(findings("--ha", &[kindnet, vip], true), []);
    }

    #[test]
    fn the_cache_does_not_bring_a_network() {
        let mut index = index();
        index.images[3].reference = "docker.io/kindest/kindnetd:v1".parse().expect("reference");
        let options = SiteOptions {
            way: Way::Cache,
            ..with("--nodes=2")
        };
        let found = examine(view(&index), &options, true);
        assert_eq!((found.len(), found[0].kind), (1, Kind::Usage), "{found:?}");
        assert!(found[0].fix.contains("--image-load cache"), "{found:?}");
    }

    #[test]
    fn the_cache_does_not_bring_what_several_control_planes_need() {
        let mut index = index();
        let cached = SiteOptions {
            way: Way::Cache,
            ..with("--ha --cni=bridge")
        };
        index.images[3].reference = "ghcr.io/kube-vip/kube-vip:v1".parse().expect("reference");
        let found = examine(view(&index), &cached, true);
        let fatal: Vec<&Finding> = found
            .iter()
            .filter(|finding| finding.severity == Severity::Fatal)
            .collect();
        assert_eq!((fatal.len(), fatal[0].kind), (1, Kind::Usage), "{found:?}");
        assert!(
            fatal[0]
                .what
                .contains("cache does not bring the image of kube-vip"),
            "{found:?}"
        );
        let by_volume = SiteOptions {
            way: Way::Volume,
            ..cached
        };
        let found = examine(view(&index), &by_volume, true);
        assert!(
            found.iter().all(|finding| finding.severity == Severity::Warning),
            "{found:?}"
        );
    }

    #[test]
    fn what_to_pack_with_is_said() {
        for (arguments, fixed) in [
            ("--nodes 2", &["`--cni kindnet`"][..]),
            ("--ha", &["`--ha`", "`--ha`"]),
            ("--ha --cni=calico", &["`--ha --cni calico`", "`--ha`"]),
            ("--ha --cni=false", &["`--ha`"]),
        ] {
            let found = examine(view(&index()), &with(arguments), true);
            let fixes: Vec<&str> = found
                .iter()
                .map(|finding| finding.fix.rsplit("pack the bundle with ").next().unwrap_or(""))
                .collect();
            assert_eq!(fixes, fixed, "{arguments}: {found:?}");
        }
    }

    #[test]
    fn several_nodes_on_a_bridge_are_warned_of() {
        let found = findings("--nodes 2 --cni=bridge", &[], true);
        assert_eq!((found.len(), found[0].0), (1, Severity::Warning), "{found:?}");
    }
}
