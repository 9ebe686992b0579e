//! What a node does when its container starts. The kubelet of a node that joined is enabled
//! there by minikube (v1.38.1, `pkg/minikube/bootstrapper/kubeadm/kubeadm.go:774`), and comes
//! up before minikube wrote the name of the control plane into `/etc/hosts` again, which the
//! engine makes again. The pods that it starts until then keep the file without the name. Seen
//! after `minikube stop` and `minikube start` with three control planes: kube-proxy of the
//! third looked the name up forever, and no service led anywhere from that node.

use crate::docker::{Engine, EngineError};

/// Leaves it to minikube to start the node's kubelet, as it does itself with that of the first
/// node: it starts each, right after it wrote the name (`kubeadm.go:1015-1019`). Where the
/// node has another way to start services, that is its own.
pub(crate) fn leave_kubelet_to_minikube(engine: &Engine, node: &str) -> Result<(), EngineError> {
    engine.exec_output(node, &["systemctl", "--quiet", "disable", "kubelet"])?;
    Ok(())
}
