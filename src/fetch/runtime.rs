//! The container runtime of a bundle for which none is named: the one that its minikube
//! takes by itself.

use std::path::Path;

use super::FetchError;
use super::parts::LocalBinary;
use super::upstream::{UpstreamError, newest_known_with, runtime_of_release};
use crate::bundle::{BinaryRole, ContainerRuntime, RuntimeError, Version};
use crate::host::Ask;
use crate::progress::Progress;
use crate::spec::Spec;

/// A start that ends before it does anything, by a driver that needs neither an engine nor root,
/// and with its log on the standard output. Measured with v1.38.1, without a network: 0.2 s.
const DRY_RUN: [&str; 7] = [
    "start",
    "--dry-run",
    "--force",
    "--interactive=false",
    "--driver=ssh",
    "--ssh-ip-address=192.0.2.1", // of TEST-NET-1, which no host has
    "--log_file=/dev/stdout",
];

/// What `minikube`, a program that can be asked, says in its help. Up to v1.38.1 that is
/// nothing; so the log of a dry run decides then. Of a program for another platform the release
/// does, which is known where it was downloaded; else that of the newest known minikube that
/// has this Kubernetes, and a note says so.
///
/// Fails when minikube says one that no bundle can have.
pub(super) fn default(
    spec: &Spec,
    minikube: Option<&Path>,
    binaries: &[LocalBinary],
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<ContainerRuntime, FetchError> {
    let asked = |arguments: &[&str]| minikube.and_then(|path| ask(path, arguments).ok());
    let help = asked(&["start", "--help"]);
    let log = || asked(&DRY_RUN).as_deref().and_then(logged).map(str::to_owned);
    if let Some(said) = help.as_deref().and_then(said).map(str::to_owned).or_else(log) {
        let runtime = said.parse();
        return runtime.map_err(|reason: RuntimeError| UpstreamError::Runtime { reason }.into());
    }
    let answer = asked(&["version", "--short"]);
    let of_packed = || {
        let mut minikubes = binaries
            .iter()
            .filter(|binary| binary.pin.role == BinaryRole::Minikube);
        minikubes.find_map(|binary| binary.pin.version.clone())
    };
    if let Some(version) = answer.as_deref().and_then(release).or_else(of_packed) {
        return Ok(runtime_of_release(&version));
    }
    let newest = newest_known_with(&spec.kubernetes_version);
    let runtime = runtime_of_release(&newest);
    let is_given = binaries
        .iter()
        .any(|binary| binary.pin.role == BinaryRole::Minikube);
    if is_given {
        progress.note(&format!(
        "which container runtime this minikube takes by itself is not known: it gets {runtime}, as minikube {newest} \
         does; `--container-runtime` says otherwise"
        ));
    }
    Ok(runtime)
}

/// `--container-runtime='':` in the help: the name, where there is one. Source: minikube
/// v1.38.1, `cmd/minikube/cmd/start_flags.go:176`; `auto` and nothing leave it open.
fn said(help: &str) -> Option<&str> {
    let value = help.split("--container-runtime=").nth(1)?;
    let end = value.find([':', '\n', ' ']).unwrap_or(value.len());
    let name = value[..end].trim_matches(['\'', '"']);
    (!["", "auto"].contains(&name)).then_some(name)
}

/// `ContainerRuntime:docker` in the cluster's configuration, which a start writes into its log.
/// Source: minikube v1.38.1, `cmd/minikube/cmd/start.go:358`.
fn logged(log: &str) -> Option<&str> {
    let (_, config) = log.split_once("] cluster config:\n")?;
    let (_, rest) = config.lines().next()?.split_once(" ContainerRuntime:")?;
    let name = rest.split([' ', '}']).next()?;
    (!name.is_empty()).then_some(name)
}

/// `v1.39.0+dirty`, as a build from source says it, is v1.39.0.
fn release(answer: &str) -> Option<Version> {
    let line = answer.lines().next()?.trim();
    line.split('+').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::fetch::fixtures::Site;
    use crate::host::AskError;
    use crate::progress::Silent;

    /// The line of the help, as minikube prints it, with this default.
    fn help(default: &str) -> String {
        format!(
            "    --cni='':\n\tCNI plug-in to use.\n\n    -c, --container-runtime='{default}':\n\tThe container \
             runtime to be used. Valid options: docker, cri-o, containerd (default: auto)\n\n    --cpus='2':\n"
        )
    }

    /// The log of minikube v1.38.1's dry run, cut, with this runtime.
    fn log(runtime: &str) -> String {
        format!(
            "I1201 00:22:53.469 9625 start_flags.go:416] Using suggested 6000MB memory alloc\nI1201 00:22:53.469 9625 \
             start.go:358] cluster config:\n{{Name:minikube Driver:ssh KubernetesConfig:{{KubernetesVersion:v1.35.1 \
             ClusterName:minikube ContainerRuntime:{runtime} CRISocket: NetworkPlugin:cni}} Nodes:[{{Name: IP: Port:8443 \
             ContainerRuntime:{runtime} ControlPlane:true}}]}}\n* dry-run validation complete!\n"
        )
    }

    fn runtime(help: &str, version: &str) -> Result<String, Failure> {
        answered(help, "no log", version)
    }

    fn answered(help: &str, log: &str, version: &str) -> Result<String, Failure> {
        let ask = |_: &Path, arguments: &[&str]| -> Result<String, AskError> {
            let answer = match arguments {
                ["start", "--help"] => help,
                ["start", ..] => log,
                _ => version,
            };
            Ok(answer.to_owned())
        };
        let minikube = PathBuf::from("minikube");
        let found = default(&Site::new().spec(), Some(&minikube), &[], &ask, &Silent);
        Ok(found?.to_string())
    }

    #[test]
    fn minikubes_help_decides_then_its_release() {
        for (default, version, expected) in [
            ("", "v1.38.1", "docker"),
            ("", "v1.39.0", "containerd"),
            ("", "v1.39.0-beta.0", "docker"),
            ("auto", "v1.39.0+dirty\n", "containerd"),
            ("", "v1.41.2", "containerd"),
            ("docker", "v1.39.0", "docker"),
            ("containerd", "v1.38.1", "containerd"),
        ] {
            let found = runtime(&help(default), version).expect(default);
            assert_eq!(found, expected, "{default} {version}");
        }
        assert_eq!(runtime("no such flag", "what?").expect("the table"), "containerd");
    }

    #[test]
    fn a_dry_runs_log_decides_before_the_table() {
        for (default, logged, version, expected) in [
            ("", "docker", "v1.39.0", "docker"),
            ("auto", "containerd", "v1.38.1", "containerd"),
            ("docker", "containerd", "v1.38.1", "docker"),
            ("", "", "v1.39.0", "containerd"),
        ] {
            let found = answered(&help(default), &log(logged), version).expect(default);
            assert_eq!(found, expected, "{default} {logged} {version}");
        }
        let refused = answered(&help(""), &log("crio"), "v1.50.0").expect_err("crio");
        assert!(
            refused.to_string().contains("`crio` is not a supported"),
            "{refused}"
        );
    }

    #[test]
    fn a_default_that_no_bundle_can_have_is_refused() {
        let failure = runtime(&help("crio"), "v1.50.0").expect_err("crio");
        assert_eq!(failure.kind, Kind::Usage);
        assert_eq!(
            failure.to_string(),
            "error: cannot take minikube's default container runtime: `crio` is not a supported container runtime \
             (docker or containerd)\n\nhint: name one with `--container-runtime containerd`"
        );
    }

    #[test]
    fn without_a_minikube_to_ask_the_newest_known_decides() {
        let ask = |_: &Path, _: &[&str]| -> Result<String, AskError> { unreachable!("nobody to ask") };
        let mut spec = Site::new().spec();
        for (kubernetes, expected) in [
            ("v1.37.2", "containerd"),
            ("v1.27.0", "docker"),
            ("v9.9.9", "containerd"),
        ] {
            spec.kubernetes_version = kubernetes.parse().expect("version");
            let found = default(&spec, None, &[], &ask, &Silent).expect("the table");
            assert_eq!(found.to_string(), expected, "{kubernetes}");
        }
    }
}
