//! Flags that there are not.

use super::nearest::nearest;
use super::{Typed, did_you_mean, shown, usage};
use crate::failure::Failure;

/// What `minikube start` takes, of what people give it. Which of them the bundle's own
/// minikube takes is for that to say. Source: minikube v1.38, `minikube start --help`.
const OF_MINIKUBE: [&str; 47] = [
    "addons",
    "alsologtostderr",
    "apiserver-ips",
    "apiserver-name",
    "apiserver-names",
    "apiserver-port",
    "auto-update-drivers",
    "base-image",
    "cache-images",
    "cert-expiration",
    "cni",
    "delete-on-failure",
    "disable-metrics",
    "disk-size",
    "dns-domain",
    "docker-env",
    "docker-opt",
    "driver",
    "embed-certs",
    "extra-config",
    "extra-disks",
    "feature-gates",
    "force",
    "gpus",
    "ha",
    "host-dns-resolver",
    "image-mirror-country",
    "image-repository",
    "insecure-registry",
    "install-addons",
    "interactive",
    "keep-context",
    "kubernetes-version",
    "listen-address",
    "mount",
    "mount-string",
    "namespace",
    "network",
    "nodes",
    "ports",
    "preload",
    "registry-mirror",
    "service-cluster-ip-range",
    "static-ip",
    "subnet",
    "wait",
    "wait-timeout",
];

/// What `verify` takes in the packager alone.
const OF_THE_PACKAGER: [&str; 2] = ["attestations", "trusted-root"];

impl Typed<'_> {
    pub(super) fn unknown_flag(&self, flag: &str) -> Failure {
        let (verb, program) = (&self.verb_name, self.program_name());
        let name = flag.trim_start_matches('-').split('=').next().unwrap_or_default();
        let message = if verb.is_empty() {
            format!("there is no flag `{}`", shown(flag))
        } else {
            format!("`{verb}` has no flag `{}`", shown(flag))
        };
        let spaced = if verb.is_empty() {
            String::new()
        } else {
            format!(" {verb}")
        };
        let help = format!("`{program}{spaced} --help` lists the flags");
        let starts = matches!(verb.as_str(), "start" | "preflight") || (verb.is_empty() && self.is_stub());
        if starts && OF_MINIKUBE.contains(&name) {
            return usage(
                format!("`--{name}` is a flag of minikube's, and goes after `--`"),
                format!("{program}{spaced} -- --{name} ..."),
            );
        }
        if self.is_stub() && verb == "verify" && OF_THE_PACKAGER.contains(&name) {
            let hint = format!("the packager has it: minikube-offline verify BUNDLE --{name}");
            return usage(message, hint);
        }
        if starts && name == "dry-run" {
            return usage(
                message,
                format!("`{program} preflight` checks the host and changes nothing"),
            );
        }
        if flag == "-o" {
            return usage(message, format!("the format is `--output json`; {help}"));
        }
        let near = self
            .near_flag(name)
            .filter(|_| flag.starts_with("--") || name == "k");
        let after = if starts {
            "; flags of minikube's go after `--`"
        } else {
            ""
        };
        usage(message + &did_you_mean(near.as_deref()), help + after)
    }

    /// A flag of the verb's, or of all verbs'.
    fn near_flag(&self, name: &str) -> Option<String> {
        let flags = self.verb.get_arguments();
        let names: Vec<&str> = flags.filter_map(clap::Arg::get_long).chain(["help"]).collect();
        let meant = match (self.verb_name.as_str(), name) {
            ("pack" | "resolve", "version" | "k") => Some("kubernetes-version"),
            _ => nearest(name, names.into_iter()),
        };
        meant.map(|name| format!("--{name}"))
    }
}
