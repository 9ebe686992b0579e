//! Whether what goes to minikube behind `--` contradicts the bundle, or what this program
//! keeps for the way back. minikube takes the last of a flag, so it would win: after minutes
//! of work the start failed, or left a profile that no journal knows.

use super::finding::{Finding, usage};
use crate::bundle::BundleIndex;
use crate::install::SiteOptions;
use crate::install::options::{is_cpus, is_memory};

const OWN: &str = "what was started is recorded under it, and removed by it";
const NODE: &str = "the bundle has one node image, which Docker Engine runs as a container";
const SOURCE: &str = "it names another place for images or programs, which minikube then looks for there";
const AWAY: &str = "leave it away";
const NO_START: &str = "minikube then starts no cluster";

/// The flags that are never minikube's alone, with their shorthands: why, and what to do
/// instead. Source: minikube v1.38.1, `cmd/minikube/cmd/root.go` and `start_flags.go:211`.
const RESERVED: [(&str, Option<&str>, &str, &str); 11] = [
    (
        "--profile",
        Some("-p"),
        OWN,
        "give `--profile NAME` to this program, before `--`",
    ),
    (
        "--container-runtime",
        None,
        "the images go into the node by way of its runtime",
        "give `--container-runtime` to this program, before `--`",
    ),
    (
        "--output",
        Some("-o"),
        "minikube's progress and errors are read as JSON",
        "give `--output` to this program, before `--`",
    ),
    ("--base-image", None, NODE, AWAY),
    ("--download-only", None, NO_START, AWAY),
    (
        "--dry-run",
        None,
        NO_START,
        "leave it away, and give the verb `preflight` instead",
    ),
    ("--help", Some("-h"), NO_START, AWAY),
    ("--no-kubernetes", None, NO_START, AWAY),
    ("--image-repository", None, SOURCE, AWAY),
    ("--image-mirror-country", None, SOURCE, AWAY),
    ("--binary-mirror", None, SOURCE, AWAY),
];

/// Every such flag.
pub(super) fn examine(index: &BundleIndex, options: &SiteOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flag, shorthand, why, mend) in RESERVED {
        if options.passes(flag) {
            findings.push(refused(flag, why, mend));
        }
        // A value may follow at once: `-pNAME`.
        let begins = |shorthand: &&str| {
            options
                .extra_args
                .iter()
                .any(|given| given.starts_with(*shorthand))
        };
        if let Some(shorthand) = shorthand.filter(begins) {
            findings.push(refused(shorthand, why, mend));
        }
    }
    for flag in ["--driver", "--vm-driver"] {
        if options.values_of(flag).iter().any(|driver| driver != "docker") {
            findings.push(refused(flag, NODE, AWAY));
        }
    }
    let packed = index.cluster.kubernetes_version.to_string();
    let other = |asked: &String| asked.trim_start_matches('v') != packed.trim_start_matches('v');
    if options.values_of("--kubernetes-version").iter().any(other) {
        let why = format!("the bundle has Kubernetes {packed} and no other");
        findings.push(refused("--kubernetes-version", &why, AWAY));
    }
    let cpus = options.cpus_asked().filter(|asked| !is_cpus(asked));
    findings.extend(cpus.map(|asked| no_amount("--cpus", &asked, "such as `2`, or `max`")));
    let memory = options.memory_asked().filter(|asked| !is_memory(asked));
    findings.extend(memory.map(|asked| no_amount("--memory", &asked, "such as `4096mb` or `4g`, or `max`")));
    findings
}

fn refused(flag: &str, why: &str, mend: &str) -> Finding {
    usage(format!("`{flag}` behind `--`"), why, mend)
}

fn no_amount(flag: &str, asked: &str, such_as: &str) -> Finding {
    usage(
        format!("`{flag} {asked}` is no amount that minikube can read"),
        "the start would fail, or take the flag as not given",
        format!("give a number, {such_as}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use crate::install::testing::{index, with};

    #[test]
    fn what_contradicts_the_bundle_or_the_journal_is_refused() {
        for (arguments, refused) in [
            ("", &[][..]),
            ("--wait=none --addons ingress --nodes 2", &[]),
            ("--driver=docker --kubernetes-version=1.35.4", &[]),
            ("-p other", &["-p"]),
            ("-pother", &["-p"]),
            ("-o text --output=text", &["--output", "-o"]),
            ("--profile=other --ports 80:80", &["--profile"]),
            ("--driver kvm2", &["--driver"]),
            ("--kubernetes-version v1.34.0", &["--kubernetes-version"]),
            (
                "--container-runtime=containerd --base-image x:1",
                &["--container-runtime", "--base-image"],
            ),
            ("--image-mirror-country cn", &["--image-mirror-country"]),
            (
                "--dry-run --no-kubernetes=true -h",
                &["--dry-run", "-h", "--no-kubernetes"],
            ),
            ("--ha --cpus max --memory 4g -m4g", &[]),
            ("--cpus x --memory=foo", &["--cpus x", "--memory foo"]),
        ] {
            let found = examine(&index(), &with(arguments));
            let flags: Vec<&str> = found
                .iter()
                .filter_map(|finding| finding.what.split('`').nth(1))
                .collect();
            assert_eq!(flags, refused, "{arguments}");
            assert!(found.iter().all(|finding| finding.kind == Kind::Usage));
        }
    }
}
