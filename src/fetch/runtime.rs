//! The container runtime of a bundle for which none is named: the one that its minikube
//! takes by itself.

use super::FetchError;
use super::minikube::Minikube;
use super::resolve::Resolver;
use super::toolbox::Toolbox;
use super::upstream::{UpstreamError, newest_known_with, runtime_of_release};
use crate::bundle::{BinaryRole, ContainerRuntime, RuntimeError, Version};
use crate::progress::Progress;

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

impl Resolver<'_> {
    /// The one that the spec names, or minikube's. To ask for it nothing is downloaded but the
    /// minikube that will be packed.
    pub(super) fn container_runtime(&self, toolbox: &Toolbox<'_>) -> Result<ContainerRuntime, FetchError> {
        let spec = self.spec;
        if let Some(runtime) = spec.container_runtime {
            return Ok(runtime);
        }
        let role = BinaryRole::Minikube;
        let given = toolbox.here.iter().filter(|binary| binary.pin.role == role);
        let given = given.map(|binary| binary.pin.version.clone());
        let coming = toolbox.published.iter().filter(|binary| binary.role == role);
        let packed: Vec<_> = given
            .chain(coming.map(|binary| Some(binary.version.clone())))
            .collect();
        let minikube = toolbox.minikube_unless_given()?;
        default(&spec.kubernetes_version, minikube, &packed, self.progress)
    }
}

/// What `minikube` says in its help. Up to v1.38.1 that is nothing; so the log of a dry run
/// decides then. Of one for another platform the release does, as far as the `packed` ones are
/// known by theirs; else that of the newest known minikube that has this Kubernetes, and a note
/// says so.
///
/// Fails when minikube says one that no bundle can have.
pub(super) fn default(
    kubernetes: &Version,
    minikube: Option<&Minikube<'_>>,
    packed: &[Option<Version>],
    progress: &dyn Progress,
) -> Result<ContainerRuntime, FetchError> {
    let asked = |arguments: &[&str]| minikube.and_then(|minikube| minikube.answer(arguments));
    let help = asked(&["start", "--help"]);
    let log = || asked(&DRY_RUN).as_deref().and_then(logged).map(str::to_owned);
    if let Some(said) = help.as_deref().and_then(said).map(str::to_owned).or_else(log) {
        let runtime = said.parse();
        return runtime.map_err(|reason: RuntimeError| UpstreamError::Runtime { reason }.into());
    }
    let answer = asked(&["version", "--short"]);
    let of_packed = || packed.iter().find_map(Clone::clone);
    if let Some(version) = answer.as_deref().and_then(release).or_else(of_packed) {
        return Ok(runtime_of_release(&version));
    }
    let newest = newest_known_with(kubernetes);
    let runtime = runtime_of_release(&newest);
    if !packed.is_empty() {
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
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::failure::{Failure, Kind};
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
        let kubernetes = "v1.37.2".parse().expect("version");
        let minikube = Minikube::open(&ask, PathBuf::from("minikube"), &kubernetes)?;
        Ok(default(&kubernetes, Some(&minikube), &[], &Silent)?.to_string())
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
        for (kubernetes, expected) in [
            ("v1.37.2", "containerd"),
            ("v1.27.0", "docker"),
            ("v9.9.9", "containerd"),
        ] {
            let version = kubernetes.parse().expect("version");
            let found = default(&version, None, &[], &Silent).expect("the table");
            assert_eq!(found.to_string(), expected, "{kubernetes}");
        }
    }
}
