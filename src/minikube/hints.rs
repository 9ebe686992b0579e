//! What to do about minikube's reasons, without a network. Reasons by name: minikube
//! v1.38.1, `pkg/minikube/reason`.

use super::events::Complaint;

/// Reasons by the start of their name, the more precise before the others.
const BY_NAME: [(&str, &str); 25] = [
    ("RSRC_DOCKER_STORAGE", DISK),
    ("RSRC_INSUFFICIENT_STORAGE", DISK),
    ("GUEST_PROVISION_NOSPACE", DISK),
    (
        "RSRC_INSUFFICIENT_CORES",
        "a node needs 2 processors: give the machine more, or ask for fewer with `--cpus`",
    ),
    (
        "RSRC_DOCKER_CORES",
        "a node needs 2 processors: give the machine more, or ask for fewer with `--cpus`",
    ),
    (
        "RSRC_",
        "free memory or ask for less with `--memory`; a node needs 1800 MiB, `free -m` shows what there is",
    ),
    (
        "DRV_AS_ROOT",
        "run as a user of the group `docker`, or let `--force` stay among the flags",
    ),
    ("DRV_", ENGINE),
    (
        "PR_DOCKER_IP_CONFLICT",
        "another network has minikube's addresses: choose others with `-- --subnet=192.168.200.0/24`",
    ),
    (
        "PR_DOCKER_READONLY_VOL",
        "restart Docker Engine, `sudo systemctl restart docker`, and run the same command again",
    ),
    (
        "PR_DOCKER_CGROUP_MOUNT",
        "restart Docker Engine, `sudo systemctl restart docker`, and run the same command again",
    ),
    ("PROVIDER_", ENGINE),
    (
        "IF_HOST_CIDR_CONFLICT",
        "another network has minikube's addresses: choose others with `-- --subnet=192.168.200.0/24`",
    ),
    ("HOST_KUBECONFIG", KUBECONFIG),
    (
        "HOST_HOME",
        "make minikube's directory writable for this user, or choose another with `--minikube-home`",
    ),
    (
        "HOST_CGROUP",
        "the machine lacks a cgroup controller: look with `docker info`, whose last lines name what is missing",
    ),
    (
        "K8S_NEW_UNSUPPORTED",
        "the bundle's minikube is older than its Kubernetes: `-- --force` starts it anyway",
    ),
    (
        "K8S_OLD_UNSUPPORTED",
        "the bundle's minikube is newer than its Kubernetes: `-- --force` starts it anyway",
    ),
    (
        "K8S_FAIL_CONNECT",
        "minikube does not know this Kubernetes release and asked the network for it: `-- --force` starts it anyway",
    ),
    (
        "K8S_DOWNGRADE",
        "the profile has a newer Kubernetes: choose another name with `--profile NAME`",
    ),
    (
        "K8S_KUBELET_NOT_RUNNING",
        "the kubelet's own words: `minikube ssh -- sudo journalctl -u kubelet -n 50`",
    ),
    ("K8S_", SLOW),
    (
        "RUNTIME_",
        "the runtime's own words: `docker exec NODE journalctl -u docker -u containerd -n 50`",
    ),
    (
        "INET_",
        "minikube wanted the network, so that a part is not in the bundle: `-- --alsologtostderr -v=3` shows which one",
    ),
    (
        "GUEST_DRIVER_MISMATCH",
        "the profile has another driver: choose another name with `--profile NAME`",
    ),
];

/// By words in the message, for reasons that have many causes.
const BY_MESSAGE: [(&str, &str); 9] = [
    ("no space left on device", DISK),
    (
        "Unable to find image",
        "the node image is not in Docker Engine: run the same command again, which loads it",
    ),
    (
        "manifest unknown",
        "an image is not in the bundle: `minikube-offline list` shows what is",
    ),
    (
        "ImagePull",
        "an image is not in the bundle: `minikube-offline list` shows what is",
    ),
    ("Cannot connect to the Docker daemon", ENGINE),
    (
        "port is already allocated",
        "another program has the port that was asked for: choose another, or end that program",
    ),
    ("Failed kubeconfig update", KUBECONFIG),
    // Source: minikube v1.38.1, `pkg/drivers/kic/oci/network_create.go:104` and `:115`.
    (
        "un-retryable: ",
        "Docker Engine made no network for the node: look at `docker network ls`, choose addresses with `-- \
         --subnet=192.168.200.0/24`, and where firewalld was restarted `sudo systemctl restart docker`",
    ),
    ("timed out", SLOW),
];

const DISK: &str = "free space where Docker keeps its data: `docker system df` shows what is used, `docker image prune` removes unused images";
const ENGINE: &str = "look whether Docker Engine is well with `docker info`, restart it with `sudo systemctl restart docker`, and run the same command again";
const SLOW: &str = "the control plane did not answer in time: run the same command again, which goes on; on a slow machine add `-- --wait-timeout=20m`";
const KUBECONFIG: &str = "make the first file in the variable `KUBECONFIG`, or without it `~/.kube/config`, readable and writable for this user (`ls -l` shows whose it is), or `unset KUBECONFIG`; then run the same command again";
const OTHERWISE: &str =
    "read the end of minikube's log, which is named above; `uninstall` and a new start begin afresh";

/// One sentence that helps.
pub(crate) fn hint(complaint: &Complaint) -> &'static str {
    let by_message = || {
        BY_MESSAGE
            .iter()
            .find(|(words, _)| complaint.message.contains(words))
    };
    let general = ["GUEST_PROVISION", "GUEST_START", "GUEST_NODE_START"];
    let by_name = BY_NAME
        .iter()
        .find(|(start, _)| complaint.name.starts_with(start));
    let found = if general.contains(&complaint.name.as_str()) || complaint.name.is_empty() {
        by_message()
    } else {
        by_name.or_else(by_message)
    };
    found.map_or(OTHERWISE, |(_, hint)| hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, message: &str) -> &'static str {
        hint(&Complaint {
            name: name.to_owned(),
            message: message.to_owned(),
            ..Complaint::default()
        })
    }

    #[test]
    fn each_kind_of_reason_has_its_own_advice() {
        assert!(of("RSRC_INSUFFICIENT_SYS_MEMORY", "").contains("--memory"));
        assert!(of("RSRC_DOCKER_STORAGE", "").contains("docker system df"));
        assert!(of("DRV_NOT_HEALTHY", "").contains("docker info"));
        assert!(of("K8S_FAIL_CONNECT", "").contains("--force"));
        assert!(of("GUEST_PROVISION", "docker: Unable to find image 'x' locally").contains("node image"));
        assert!(of("GUEST_START", "wait: context: timed out").contains("--wait-timeout"));
        let denied = "Failed kubeconfig update: writing kubeconfig: open /etc/kubernetes/admin.conf: permission denied";
        assert!(of("GUEST_START", denied).contains("`unset KUBECONFIG`"));
        assert!(of("HOST_KUBECONFIG_UPDATE", "").contains("`unset KUBECONFIG`"));
        let network = "create kic node: un-retryable: no free private network subnets found";
        assert!(of("GUEST_PROVISION", network).contains("--subnet"));
        assert_eq!(of("MK_NEW", "what"), OTHERWISE);
    }

    /// The programs that a hint may name run on the host, and so do their verbs.
    #[test]
    fn no_advice_needs_a_network() {
        let local = [
            "docker info",
            "docker system df",
            "docker image prune",
            "docker exec",
            "docker network ls",
            "sudo systemctl",
            "minikube ssh",
            "minikube-offline list",
            "unset KUBECONFIG",
            "uninstall",
            "free -m",
            "ls -l",
            "docker`",
            "KUBECONFIG`",
            "~/.kube/config`",
            "-",
        ];
        let hints = BY_NAME.iter().chain(&BY_MESSAGE).map(|(_, hint)| *hint);
        for hint in hints.chain([OTHERWISE]) {
            assert!(hint.len() > 40 && !hint.ends_with('.'), "{hint}");
            for word in ["http", "download", "pull ", "internet", "fetch"] {
                assert!(!hint.contains(word), "`{word}` in: {hint}");
            }
            for quoted in hint.split('`').skip(1).step_by(2) {
                let quoted = format!("{quoted}`");
                assert!(
                    local.iter().any(|start| quoted.starts_with(start)),
                    "{quoted} in: {hint}"
                );
            }
        }
    }

    #[test]
    fn a_more_precise_name_comes_first() {
        for (place, (name, _)) in BY_NAME.iter().enumerate() {
            let hidden = BY_NAME[..place]
                .iter()
                .find(|(earlier, _)| name.starts_with(earlier));
            assert_eq!(hidden, None, "{name}");
        }
    }
}
