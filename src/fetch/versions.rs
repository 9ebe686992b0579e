//! Asks a program which version it is.

use std::path::Path;

use super::FetchError;
use crate::bundle::{BinaryRole, Version};
use crate::host::Ask;

/// What the program says of its version. Kubernetes' programs must say `wanted`;
/// minikube's and Helm's are `None` when it is not a release's.
pub(super) fn version(
    ask: Ask<'_>,
    role: BinaryRole,
    path: &Path,
    wanted: &Version,
) -> Result<Option<Version>, FetchError> {
    let arguments: &[&str] = match role {
        BinaryRole::Minikube => &["version", "--short"],
        BinaryRole::Kubeadm => &["version", "-o", "short"],
        BinaryRole::Kubelet => &["--version"],
        BinaryRole::Kubectl => &["version", "--client", "-o", "json"],
        BinaryRole::Helm => &["version", "--template", "{{.Version}}"],
    };
    let answer = ask(path, arguments).map_err(|source| FetchError::DoesNotRun {
        role,
        path: path.to_owned(),
        source,
    })?;
    let said = parse_answer(role, &answer);
    // A build from source may say `v1.39.0+dirty`; another program says something else.
    let has_own = matches!(role, BinaryRole::Helm | BinaryRole::Minikube);
    if has_own && !said.starts_with('v') {
        return Err(FetchError::NoVersion {
            role,
            path: path.to_owned(),
            found: said.chars().take(80).collect(),
        });
    }
    let version = said.parse().ok();
    if !has_own && version.as_ref() != Some(wanted) {
        return Err(FetchError::WrongVersion {
            role,
            path: path.to_owned(),
            expected: wanted.clone(),
            found: said.chars().take(80).collect(),
        });
    }
    Ok(version)
}

/// The version in the answer, as text; empty when there is none.
fn parse_answer(role: BinaryRole, answer: &str) -> String {
    let line = answer.lines().next().unwrap_or_default().trim();
    match role {
        BinaryRole::Helm | BinaryRole::Minikube | BinaryRole::Kubeadm => line.to_owned(),
        // `Kubernetes v1.35.4`
        BinaryRole::Kubelet => line.rsplit(' ').next().unwrap_or_default().to_owned(),
        BinaryRole::Kubectl => serde_json::from_str::<serde_json::Value>(answer)
            .ok()
            .and_then(|json| Some(json["clientVersion"]["gitVersion"].as_str()?.to_owned()))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_says_its_version_its_own_way() {
        for (role, answer) in [
            (BinaryRole::Helm, "v1.38.1"),
            (BinaryRole::Minikube, "v1.38.1\n"),
            (BinaryRole::Kubeadm, "v1.38.1\n"),
            (BinaryRole::Kubelet, "Kubernetes v1.38.1\n"),
            (
                BinaryRole::Kubectl,
                "{\n \"clientVersion\": { \"gitVersion\": \"v1.38.1\" }\n}\n",
            ),
        ] {
            assert_eq!(parse_answer(role, answer), "v1.38.1", "{role}");
            assert_eq!(parse_answer(role, ""), "", "{role}");
        }
    }
}
