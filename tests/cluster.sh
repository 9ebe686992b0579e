#!/bin/sh
# `make test-cluster`: real Kubernetes, built by the lab, packed, carried to a
# host without a network, and started there by the stand-in minikube with the
# real kubeadm. Takes the programs from the environment: PACKAGER, STANDIN.
set -eu
cd "$(dirname "$0")"
./lab.sh
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
work=$(mktemp -d "$lab/cluster.XXXXXX")
trap 'rm -rf "$work"' EXIT
. ./check.sh
binaries=$lab/kubernetes/v1.35.4

# With Docker in the node the stand-in has no Kubernetes, so kubectl has no
# server to ask: the stand-in plays it too.
mkdir "$work/binaries"
cp "$binaries/kubeadm" "$binaries/kubelet" "$work/binaries/"
cp "$STANDIN" "$work/binaries/kubectl"

on_site() { # on_site AIRGAP-FLAG BUNDLE WHAT [START FLAGS...]
    flag=$1
    shift
    # shellcheck disable=SC2086
    HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh $flag ./site.sh "$@" || true
    rm -rf "$work/site"
}
check "pack for containerd" ./pack-lab.sh "$STANDIN" containerd "$binaries" "$work/containerd.run" --level fast
check "pack for docker" ./pack-lab.sh "$STANDIN" docker "$work/binaries" "$work/docker.run" --level fast
on_site '' "$work/containerd.run" kubernetes --way cache
on_site --blackhole "$work/containerd.run" kubernetes
on_site '' "$work/docker.run" runtime --way volume
on_site '' "$work/docker.run" runtime --way cache
HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh ./elsewhere-site.sh "$work/docker.run" || true
HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh ./manifests-site.sh "$work/docker.run" || true
rm -rf "$work/site"
on_site '' "$work/docker.run" runtime --way volume -- --nodes 2 --cni=bridge
rm -f "$work"/*.run
./upstream-start.sh "$STANDIN" containerd "$work" || true
summary
