//! What the bundle's own minikube says of what a person asks of it, before it is to do it.
//!
//! `minikube start --dry-run` checks flags and values as a start does, and makes nothing in
//! the engine: 0.3 to 0.5 s with v1.38.1, air-gapped. What it writes, a log and its events,
//! goes into a directory of its own, which is gone afterwards. Source: minikube v1.38.1,
//! `cmd/minikube/cmd/start.go:376`. It does not look at addons.

use super::command::{CHANGE, REQUEST};
use super::{Complaint, Minikube, SiteOptions, hints};
use crate::bundle::{ImageReference, is_addon_of_network};
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Command, Environment, ProcessError};

/// What the bundle's minikube cannot do, or the bundle has no images for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Images of an addon are not in the bundle.
    #[error(
        "the bundle does not have what minikube's addon `{addon}` needs: `{}`", missing.join("`, `")
    )]
    AddonImages {
        /// The addon.
        addon: String,
        /// The images that it needs and that are not there.
        missing: Vec<String>,
    },
    /// minikube lists no image of the addon, which takes what it needs from a network.
    #[error(
        "minikube's addon `{addon}` needs a network: minikube lists no image for it, and takes what it needs from \
         there when it is enabled, such as a Helm chart"
    )]
    AddonOfNetwork {
        /// The addon.
        addon: String,
    },
    /// minikube does not take the flags.
    #[error("the bundle's minikube cannot be started with these flags: {message}")]
    Flags {
        /// What it says.
        message: String,
        /// Whether it calls that a mistake in the flags.
        is_usage: bool,
        /// What helps without a network.
        hint: &'static str,
    },
    /// It cannot be asked.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// minikube does not have the addon.
    #[error("the bundle's minikube has no addon `{addon}`")]
    UnknownAddon {
        /// What was asked for.
        addon: String,
        /// Those that it has; none where it does not say.
        known: Vec<String>,
    },
}

impl Explain for RequestError {
    fn explain(&self) -> Explanation {
        let (kind, hint) = match self {
            Self::Process(error) => return error.explain(),
            Self::AddonImages { addon, .. } => (
                Kind::Usage,
                format!(
                    "pack the bundle with `pack --addon {addon}`; or leave the addon away here, and once its \
                     images are in the cluster, by `minikube image load`, `minikube addons enable {addon}`"
                ),
            ),
            Self::AddonOfNetwork { .. } => (
                Kind::Usage,
                "start without it: it cannot be packed, and nothing was started".to_owned(),
            ),
            Self::Flags { is_usage: true, .. } => (
                Kind::Usage,
                "what stands after `--`, and `--cpus` and `--memory`, goes to `minikube start`, whose `--help` names its \
                 flags"
                    .to_owned(),
            ),
            Self::Flags { hint, .. } => (Kind::Cluster, (*hint).to_owned()),
            Self::UnknownAddon { known, .. } if known.is_empty() => {
                (Kind::Usage, "`minikube addons list` names its addons".to_owned())
            }
            Self::UnknownAddon { known, .. } => {
                (Kind::Usage, format!("its addons: {}", known.join(", ")))
            }
        };
        kind.hint(hint)
    }
}

/// Whether minikube is to do something that a start without flags does not ask of it.
pub(crate) fn is_asked_something(options: &SiteOptions) -> bool {
    !options.extra_args.is_empty() || options.cpus.is_some() || options.memory.is_some()
}

/// `minikube start` with `arguments`, which it is to check and not to do.
pub(crate) fn dry_run(minikube: &Minikube, arguments: &[String], environment: &Environment) -> Command {
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.push("--dry-run");
    minikube.offline_command(&arguments, environment).timeout(CHANGE)
}

/// Flags that are unknown, or have a value of another type, are told in plain text.
pub(crate) fn refusal(reason: Option<&Complaint>, stderr: &str, code: Option<i32>) -> RequestError {
    let plain = stderr.lines().find_map(|line| line.strip_prefix("Error: "));
    let reason = reason.cloned().unwrap_or_else(|| Complaint {
        message: plain.unwrap_or_else(|| stderr.trim()).to_owned(),
        ..Complaint::default()
    });
    RequestError::Flags {
        // Source: minikube v1.38.1, `pkg/minikube/reason/exitcodes.go`: 14 is a mistake in
        // the usage, and 80 that no configuration comes of it.
        is_usage: matches!(code, Some(14 | 80)),
        hint: hints::hint(&reason),
        message: reason.message,
    }
}

/// Fails when minikube has no such addon, or it needs images that are not among `carried`.
pub(crate) fn check_addon(
    minikube: &Minikube,
    addon: &str,
    carried: &[&ImageReference],
) -> Result<(), RequestError> {
    let ask = |arguments: &[&str]| minikube.command(arguments).timeout(REQUEST).run();
    let answer = ask(&["addons", "images", addon, "--output=json"])?;
    // It ends well for an addon that it has not.
    if answer.stdout.trim().is_empty() {
        let known = ask(&["addons", "list", "--output=json"])?;
        let known: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(known.stdout.trim()).unwrap_or_default();
        return Err(RequestError::UnknownAddon {
            addon: addon.to_owned(),
            known: known.into_iter().map(|(name, _)| name).collect(),
        });
    }
    // What Go makes of a list without entries, and of one that nobody filled.
    if matches!(answer.stdout.trim(), "[]" | "null") && is_addon_of_network(addon) {
        return Err(RequestError::AddonOfNetwork {
            addon: addon.to_owned(),
        });
    }
    match missing(&answer.stdout, carried) {
        missing if missing.is_empty() => Ok(()),
        missing => Err(RequestError::AddonImages {
            addon: addon.to_owned(),
            missing,
        }),
    }
}

/// Those of the images in minikube's answer that are not among `carried`. An answer that
/// cannot be read, as of a minikube that has no such output, says nothing.
fn missing(answer: &str, carried: &[&ImageReference]) -> Vec<String> {
    let mut names: Vec<String> = serde_json::from_str(answer.trim()).unwrap_or_default();
    names.sort();
    names.dedup();
    let is_carried = |name: &String| {
        // Where minikube names no registry the name begins with a slash.
        ImageReference::parse(name.trim_start_matches('/'))
            .is_ok_and(|reference| carried.contains(&&reference))
    };
    names.retain(|name| !is_carried(name));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_an_addon_are_compared_by_name_and_tag() {
        // What minikube v1.38.1 prints.
        let digest = "sha256:7c74a715af2c94cb734785b4d3ea1357b4f02b88e1e123c622a9cb68b62f669c";
        let server = format!("registry.k8s.io/metrics-server/metrics-server:v0.9.0@{digest}");
        let answer = format!(r#"["{server}","{server}","/kubetail/kubetail-dashboard:0.6.3@{digest}"]"#);
        let parse = |name: &str| name.parse::<ImageReference>().expect("a reference");
        let server_there = parse("registry.k8s.io/metrics-server/metrics-server:v0.9.0");
        let older = parse("registry.k8s.io/metrics-server/metrics-server:v0.8.1");
        let dashboard = parse("docker.io/kubetail/kubetail-dashboard:0.6.3");
        assert!(missing(&answer, &[&server_there, &dashboard]).is_empty());
        assert_eq!(missing(&answer, &[&older, &dashboard]), [server]);
        assert_eq!(missing(&answer, &[]).len(), 2);
        assert!(missing("[]", &[]).is_empty() && missing("a table", &[]).is_empty());
    }

    #[test]
    fn a_refusal_has_minikubes_words_and_the_code_of_a_mistake() {
        let plain = "Error: unknown flag: --bogus-flag\nSee 'minikube start --help' for usage.\n";
        let error = refusal(None, plain, Some(14));
        assert_eq!(error.explain().kind, Kind::Usage);
        assert_eq!(
            error.to_string(),
            "the bundle's minikube cannot be started with these flags: unknown flag: --bogus-flag"
        );
        let engine = Complaint {
            name: "PROVIDER_DOCKER_NOT_RUNNING".into(),
            message: "it does not answer".into(),
            exit_code: Some(63),
            ..Complaint::default()
        };
        let Explanation { kind, hints } = refusal(Some(&engine), "", Some(63)).explain();
        assert_eq!(kind, Kind::Cluster);
        assert!(hints[0].contains("docker info"), "{hints:?}");
    }
}
