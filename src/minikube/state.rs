//! The state of a cluster in its node, and the scripts that copy it there and back.
//!
//! What is kept is what an upgrade changes: etcd's data and the certificates, Kubernetes'
//! and the kubelet's configuration, and minikube's profile. The data of applications is not:
//! no upgrade writes to it, and to go back must not take away what they wrote since.

/// What all scripts begin with: one works after the other. `stopped` ends the kubelet, then
/// every container in order: nothing writes to etcd's data after that.
pub(crate) const BEGIN: &str = r#"
set -eu
# A killed run's script may still be at work.
exec 9>/run/minikube-offline.lock
flock 9
kept=/var/lib/minikube-offline/kept
paths() {
    for path in /var/lib/minikube/* /etc/kubernetes /var/tmp/minikube /var/lib/kubelet/pki \
        /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env; do
        case $path in */binaries | */images) continue ;; esac
        [ ! -e "$path" ] || echo "$path"
    done
}
stopped() {
    tries=0
    until crictl version >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -le 120 ] || { echo "the node's container runtime does not answer" >&2; exit 1; }
        sleep 0.5
    done
    pkill -x kubeadm || true # of a minikube that was ended
    systemctl stop kubelet
    crictl ps --quiet | xargs -r -P 32 -n 1 crictl stop --timeout 20 >/dev/null
    [ -z "$(crictl ps --quiet)" ] || { echo "containers of the node do not stop" >&2; exit 1; }
}
"#;

/// Copies, with minikube's profile from stdin; prints how many bytes the copy has. It has its
/// name only when it is whole, and on the disk.
pub(crate) const KEEP: &str = r#"
stopped
rm -rf "$kept" "$kept.new"
mkdir -p "$kept.new"
cat >"$kept.new/profile.json"
paths | xargs cp -a --reflink=auto --parents -t "$kept.new"
sync
mv "$kept.new" "$kept"
sync
du -sb "$kept" | cut -f 1
"#;

/// Gives the node its state from before, and prints minikube's profile; nothing where none
/// was kept. It can be broken off and done again.
pub(crate) const RESTORE: &str = r#"
if [ -d "$kept" ]; then
    stopped
    paths | xargs rm -rf
    (cd "$kept" && cp -a --reflink=auto --parents -t / $(ls -d var/lib/minikube/* etc/kubernetes \
        var/tmp/minikube var/lib/kubelet/* 2>/dev/null))
    sync
    cat "$kept/profile.json"
fi
"#;

/// Removes the copy.
pub(crate) const FORGET: &str = r#"rm -rf "$kept" "$kept.new""#;
