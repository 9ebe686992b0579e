//! Whether what minikube is told, after `--`, by variables or by `minikube config`,
//! contradicts the bundle, or what this program keeps for the way back. minikube takes the
//! last of a flag, so it would win: after minutes of work the start failed, or left a profile
//! that no journal knows.

use super::finding::{Finding, usage};
use crate::bundle::BundleIndex;
use crate::minikube::Setting;
use crate::minikube::{MinikubeSettings, SiteOptions};
use crate::minikube::{is_cpus, is_memory};

const OWN: &str = "what was started is recorded under it, and removed by it";
const NODE: &str = "the bundle has one node image, which Docker Engine runs as a container";
const SOURCE: &str = "it names another place for images or programs, which minikube then looks for there";
const AWAY: &str = "omit it";
const NO_START: &str = "minikube then starts no cluster";

/// Which values of a setting change nothing.
#[derive(Clone, Copy)]
enum Harmless {
    /// None: a person who gives it wants something else.
    Never,
    /// What Go reads as false.
    False,
    /// `docker`.
    Docker,
    /// The bundle's version.
    Packed,
}

/// A setting that is never minikube's alone.
struct Reserved {
    name: &'static str,
    shorthand: Option<&'static str>,
    harmless: Harmless,
    /// Whether a start gives the flag: then a variable or the file changes nothing.
    is_given: bool,
    why: &'static str,
    fix: &'static str,
}

const fn given(
    name: &'static str,
    shorthand: Option<&'static str>,
    harmless: Harmless,
    why: &'static str,
    fix: &'static str,
) -> Reserved {
    Reserved {
        name,
        shorthand,
        harmless,
        is_given: true,
        why,
        fix,
    }
}

const fn not_given(name: &'static str, harmless: Harmless, why: &'static str, fix: &'static str) -> Reserved {
    Reserved {
        is_given: false,
        ..given(name, None, harmless, why, fix)
    }
}

/// All of them, for flags after `--`, variables and `minikube config`: viper gives minikube
/// the flag, else the variable, else what is in the file. Source: minikube v1.38.1,
/// `cmd/minikube/cmd/root.go` and `start_flags.go`; which a start gives,
/// `minikube/arguments.rs`.
const RESERVED: [Reserved; 16] = [
    given(
        "profile",
        Some("-p"),
        Harmless::Never,
        OWN,
        "give `--profile NAME` to this program, before `--`",
    ),
    given(
        "container-runtime",
        Some("-c"),
        Harmless::Never,
        "the images go into the node by way of its runtime",
        "give `--container-runtime` to this program, before `--`",
    ),
    given(
        "output",
        Some("-o"),
        Harmless::Never,
        "minikube's progress and errors are read as JSON",
        "give `--output` to this program, before `--`",
    ),
    given("base-image", None, Harmless::Never, NODE, AWAY),
    given("driver", Some("-d"), Harmless::Docker, NODE, AWAY),
    given("vm-driver", None, Harmless::Docker, NODE, AWAY),
    given(
        "kubernetes-version",
        None,
        Harmless::Packed,
        "the bundle has one version of Kubernetes and no other",
        AWAY,
    ),
    given(
        "preload",
        None,
        Harmless::False,
        "minikube then asks the network for an archive of its own",
        AWAY,
    ),
    given(
        "cache-images",
        None,
        Harmless::Never,
        "whether minikube loads images from its cache depends on the way that they take",
        "give `--image-load` to this program, before `--`",
    ),
    // Not a setting, which is why no variable counts.
    given("help", Some("-h"), Harmless::Never, NO_START, AWAY),
    not_given("download-only", Harmless::False, NO_START, AWAY),
    not_given(
        "dry-run",
        Harmless::False,
        NO_START,
        "omit it, and give the verb `preflight` instead",
    ),
    not_given("no-kubernetes", Harmless::False, NO_START, AWAY),
    not_given("image-repository", Harmless::Never, SOURCE, AWAY),
    not_given("image-mirror-country", Harmless::Never, SOURCE, AWAY),
    not_given("binary-mirror", Harmless::Never, SOURCE, AWAY),
];

impl Reserved {
    /// Whether it may have this value.
    fn allows(&self, value: &str, index: &BundleIndex) -> bool {
        let version = || index.cluster.kubernetes_version.to_string();
        match self.harmless {
            Harmless::Never => false,
            Harmless::False => is_false(value),
            Harmless::Docker => value == "docker",
            Harmless::Packed => value.trim_start_matches('v') == version().trim_start_matches('v'),
        }
    }

    /// The flag or its shorthand, as it is given with a value that may not be.
    fn refused_flag(&self, index: &BundleIndex, options: &SiteOptions) -> Option<String> {
        let long = format!("--{}", self.name);
        let mut arguments = options.extra_args.iter();
        while let Some(argument) = arguments.next() {
            let is_whole = |rest: &&str| rest.is_empty() || rest.starts_with('=');
            let as_long = argument.strip_prefix(&long).filter(is_whole);
            // A value may follow a shorthand at once: `-pNAME`.
            let as_short = self.shorthand.and_then(|short| argument.strip_prefix(short));
            let Some(rest) = as_long.or(as_short) else {
                continue;
            };
            let value = match rest.strip_prefix('=').unwrap_or(rest) {
                "" if matches!(self.harmless, Harmless::False) => "true",
                "" => arguments.clone().next().map_or("", String::as_str),
                value => value,
            };
            if !self.allows(value, index) {
                return as_long.map(|_| long).or(self.shorthand.map(str::to_owned));
            }
        }
        None
    }

    /// The variable or what is in the file, where that would change the start.
    fn refused_setting(&self, index: &BundleIndex, settings: &MinikubeSettings) -> Option<Setting> {
        let setting = settings.get(self.name).filter(|_| !self.is_given)?;
        let is_off = setting.value.is_empty() || self.allows(&setting.value, index);
        (!is_off).then_some(setting)
    }
}

/// Whether Go's `strconv.ParseBool` gives false, or nothing.
pub(crate) fn is_false(value: &str) -> bool {
    !matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

/// Every flag and every setting of the kind.
pub(crate) fn examine(
    index: &BundleIndex,
    options: &SiteOptions,
    settings: &MinikubeSettings,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for reserved in &RESERVED {
        if let Some(flag) = reserved.refused_flag(index, options) {
            findings.push(usage(format!("`{flag}` after `--`"), reserved.why, reserved.fix));
        } else if let Some(setting) = reserved.refused_setting(index, settings) {
            findings.push(usage(setting.to_string(), reserved.why, setting.removal()));
        }
    }
    let cpus = options.cpus_asked().filter(|asked| !is_cpus(asked));
    findings.extend(cpus.map(|asked| no_amount("--cpus", &asked, "such as `2`, or `max`")));
    let memory = options.memory_asked().filter(|asked| !is_memory(asked));
    findings.extend(memory.map(|asked| no_amount("--memory", &asked, "such as `4096mb` or `4g`, or `max`")));
    findings
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
    use crate::explain::Kind;
    use crate::host::Environment;
    use crate::install::testing::{index, with};

    fn settings(variables: &[(&str, &str)], file: &str) -> (tempfile::TempDir, MinikubeSettings) {
        let home = tempfile::tempdir().expect("a directory");
        let minikube_home = home.path().join(".minikube");
        std::fs::create_dir_all(minikube_home.join("config")).expect("a directory");
        std::fs::write(minikube_home.join("config/config.json"), file).expect("a file");
        let environment = Environment::of(&[&[("HOME", "/nowhere")], variables].concat(), 1000);
        let settings = MinikubeSettings::of(&environment, Some(&minikube_home));
        (home, settings)
    }

    #[test]
    fn what_contradicts_the_bundle_or_the_journal_is_refused() {
        for (arguments, refused) in [
            ("", &[][..]),
            ("--wait=none --addons metrics-server --nodes 2", &[]),
            ("--driver=docker --kubernetes-version=1.35.4", &[]),
            ("-d docker --preload=false --dry-run=false", &[]),
            ("-p other", &["-p"]),
            ("-pother", &["-p"]),
            ("-o text", &["-o"]),
            ("--profile=other --ports 80:80", &["--profile"]),
            ("--driver kvm2", &["--driver"]),
            ("-d kvm2", &["-d"]),
            ("-c=containerd", &["-c"]),
            ("--kubernetes-version v1.34.0", &["--kubernetes-version"]),
            (
                "--container-runtime=containerd --base-image x:1",
                &["--container-runtime", "--base-image"],
            ),
            ("--preload --cache-images=false", &["--preload", "--cache-images"]),
            ("--image-mirror-country cn", &["--image-mirror-country"]),
            (
                "--dry-run --no-kubernetes=true -h",
                &["-h", "--dry-run", "--no-kubernetes"],
            ),
            ("--ha --cpus max --memory 4g -m4g", &[]),
            ("--cpus x --memory=foo", &["--cpus x", "--memory foo"]),
        ] {
            let found = examine(&index(), &with(arguments), &MinikubeSettings::default());
            let flags: Vec<&str> = found
                .iter()
                .filter_map(|finding| finding.what.split('`').nth(1))
                .collect();
            assert_eq!(flags, refused, "{arguments}");
            assert!(found.iter().all(|finding| finding.kind == Kind::Usage));
        }
    }

    #[test]
    fn a_setting_is_refused_as_its_flag_is() {
        for (name, value) in [
            ("MINIKUBE_IMAGE_MIRROR_COUNTRY", "cn"),
            ("MINIKUBE_IMAGE_REPOSITORY", "r.example/k8s"),
            ("MINIKUBE_BINARY_MIRROR", "https://m.example"),
            ("MINIKUBE_NO_KUBERNETES", "true"),
            ("MINIKUBE_DOWNLOAD_ONLY", "1"),
            ("MINIKUBE_DRY_RUN", "T"),
        ] {
            let (_home, settings) = settings(&[(name, value)], "{}");
            let found = examine(&index(), &with(""), &settings);
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            assert_eq!(found[0].what, format!("the variable `{name}` is `{value}`"));
            assert_eq!(
                (found[0].kind, found[0].fix.as_str()),
                (Kind::Usage, &*format!("`unset {name}`"))
            );
        }
        let file = r#"{"image-repository": "r.example/k8s", "no-kubernetes": true, "dry-run": false}"#;
        let (home, of_file) = settings(&[], file);
        let path = home.path().join(".minikube/config/config.json");
        let found = examine(&index(), &with(""), &of_file);
        let said: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
        assert_eq!(
            said,
            [
                format!("`no-kubernetes` is `true` in `{}`", path.display()),
                format!("`image-repository` is `r.example/k8s` in `{}`", path.display())
            ]
        );
        assert_eq!(
            found[0].fix,
            format!("remove `no-kubernetes` from `{}`", path.display())
        );
    }

    #[test]
    fn a_setting_that_a_start_overrides_is_left_alone() {
        let (_home, settings) = settings(
            &[
                ("MINIKUBE_DRIVER", "kvm2"),
                ("MINIKUBE_PROFILE", "other"),
                ("MINIKUBE_CONTAINER_RUNTIME", "cri-o"),
                ("MINIKUBE_KUBERNETES_VERSION", "v1.2.3"),
                ("MINIKUBE_BASE_IMAGE", "x"),
                ("MINIKUBE_PRELOAD", "true"),
                ("MINIKUBE_CACHE_IMAGES", "false"),
                ("MINIKUBE_DOWNLOAD_ONLY", "false"),
                ("MINIKUBE_DRY_RUN", ""),
            ],
            r#"{"driver": "virtualbox", "kubernetes-version": "v1.2.3", "WantUpdateNotification": true}"#,
        );
        assert_eq!(examine(&index(), &with(""), &settings), []);
    }

    #[test]
    fn each_flag_that_a_start_gives_is_known_to_be_given() {
        let text = include_str!("../minikube/arguments.rs");
        for reserved in RESERVED.iter().filter(|reserved| reserved.is_given) {
            let flag = format!("\"--{}=", reserved.name);
            let is_alias = matches!(reserved.name, "help" | "vm-driver");
            assert!(is_alias || text.contains(&flag), "{flag}");
        }
        for reserved in RESERVED.iter().filter(|reserved| !reserved.is_given) {
            assert!(
                !text.contains(&format!("--{}", reserved.name)),
                "{}",
                reserved.name
            );
        }
    }
}
