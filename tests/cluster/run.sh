#!/bin/sh
# `make test-cluster`: real Kubernetes, built by the lab, packed, carried to a
# host without a network, and started there by the stand-in minikube with the
# real kubeadm: on this machine's Docker Engine and on engine 29, the one of now,
# and two Kubernetes, the newer of which is v1.37.2, with etcd 3.7. Takes the programs
# from the environment: PACKAGER, STANDIN.
set -eu
cd "$(dirname "$0")/.."
lab/all.sh
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
work=$(mktemp -d "$lab/cluster.XXXXXX")
trap 'rm -rf "$work"' EXIT
. lab/check.sh
binaries=$lab/kubernetes/v1.35.4
next=$lab/kubernetes/v1.37.2

# With Docker in the node the stand-in has no Kubernetes, so kubectl has no
# server to ask: the stand-in plays it too.
mkdir "$work/binaries"
cp "$binaries/kubeadm" "$binaries/kubelet" "$work/binaries/"
cp "$STANDIN" "$work/binaries/kubectl"
# A minikube that knows the newer one's minor version.
cp "$STANDIN" "$work/minikube-next"
printf '\nstandin-answers {"version":"v1.39.0","kubernetes":["v1.37.0","v1.36.2","v1.35.6"]}' >>"$work/minikube-next"

on_site() { # on_site AIRGAP-FLAGS BUNDLE WHAT [START FLAGS...]
    flags=$1
    shift
    # shellcheck disable=SC2086
    HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh $flags cluster/site.sh "$@" || true
    rm -rf "$work/site"
}
check "pack for containerd" lab/pack.sh "$STANDIN" containerd "$binaries" "$work/containerd.run" --level fast
check "pack for docker" lab/pack.sh "$STANDIN" docker "$work/binaries" "$work/docker.run" --level fast
check "pack $(basename "$next")" lab/pack.sh "$work/minikube-next" containerd "$next" "$work/next.run" --level fast
on_site '' "$work/containerd.run" kubernetes --image-load cache
on_site --blackhole "$work/containerd.run" kubernetes
on_site '--engine 29' "$work/next.run" kubernetes --image-load volume
on_site '--engine 29' "$work/docker.run" runtime --image-load volume
on_site '' "$work/docker.run" runtime --image-load cache
HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh cluster/elsewhere-site.sh "$work/docker.run" || true
HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh cluster/manifests-site.sh "$work/docker.run" || true
rm -rf "$work/site"
on_site '' "$work/docker.run" runtime --image-load volume -- --nodes 2 --cni=bridge
rm -f "$work"/*.run
charts() { # charts SERIAL VALUES: a bundle with the lab's charts, and these values for one of them
    check "pack charts, $2" lab/charts/pack.sh "$STANDIN" containerd "$binaries" "$work/charts-$1.run" "$2" \
        --level fast --serial "$1"
}
charts 1 'greeting: hello'
charts 2 '{greeting: welcome, replicas: 2}'
charts 3 '{greeting: broken, replicas: 2, ready: false}'
HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh cluster/charts-site.sh "$work/charts-1.run" \
    "$work/charts-2.run" "$work/charts-3.run" || true
rm -rf "$work/site" "$work"/*.run
upstream/start.sh "$STANDIN" containerd v1.35.4 "$work" || true
summary
