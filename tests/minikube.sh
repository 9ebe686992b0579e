#!/bin/sh
# `make test-minikube`: the journey with real minikube, for both runtimes, on a
# host without a network and on one that swallows packets. minikube is named by
# MINIKUBE_OFFLINE_TEST_MINIKUBE; the node image is the lab's, for which crictl
# and cri-dockerd must lie in the lab's bin/ (see lab/README.md). Then several nodes, each
# network that the lab has images for, and a bundle straight from a stand-in upstream.
set -eu
cd "$(dirname "$0")"
minikube=${MINIKUBE_OFFLINE_TEST_MINIKUBE:-}
if [ -z "$minikube" ]; then
    echo "skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube"
    exit 0
fi
./lab.sh
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
for program in crictl cri-dockerd; do
    [ -x "$lab/bin/$program" ] || { echo "skipped: $lab/bin/$program is not there, and real minikube needs it in the node"; exit 0; }
done
work=$(mktemp -d "$lab/minikube.XXXXXX")
trap 'rm -rf "$work"' EXIT
. ./check.sh
for runtime in docker containerd; do
    check "pack for $runtime" ./pack-lab.sh "$minikube" "$runtime" "$lab/kubernetes/v1.35.4" "$work/$runtime.run"
    echo "        $(wc -c <"$work/$runtime.run") bytes"
    for way in volume cache; do
        HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh ./site.sh "$work/$runtime.run" kubernetes --way "$way" || true
        rm -rf "$work/site"
    done
    HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh --blackhole ./site.sh "$work/$runtime.run" kubernetes || true
    rm -rf "$work/site"
done
carried() { # carried ARCHIVE...: flags that pack every image in them
    for archive; do
        for name in $(tar -xOf "$lab/$archive" manifest.json | tr -d ' \n' | grep -o '"RepoTags":\["[^"]*' | cut -d '"' -f 4); do
            echo "--image docker-archive:$lab/$archive:$name"
        done
    done
}
nodes() { # nodes RUNTIME PACK-FLAGS ARCHIVES MINIKUBE-FLAGS...
    runtime=$1 flags=$2 archives=$3
    shift 3
    for archive in $archives; do
        [ -e "$lab/$archive" ] || { echo "skipped: $runtime, $flags: it needs $lab/$archive (see lab/README.md)"; return; }
    done
    # shellcheck disable=SC2046,SC2086
    check "pack for $runtime, $flags" ./pack-lab.sh "$minikube" "$runtime" "$lab/kubernetes/v1.35.4" "$work/nodes.run" \
        --level fast $flags $(carried $archives)
    HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh ./site.sh "$work/nodes.run" kubernetes "$@" || true
    rm -rf "$work/site" "$work/nodes.run"
}
rm -f "$work"/*.run
nodes docker '--cni kindnet' kindnet.tar -- --nodes 2
nodes containerd '--cni flannel' flannel.tar
nodes containerd '--cni flannel' flannel.tar -- --nodes 2
nodes containerd --ha 'kindnet.tar kube-vip.tar' -- --ha
rm -rf "$work/site" "$work"/*.run
# minikube names its node image by the digest of its publisher's, which the lab's has not.
./upstream-start.sh "$minikube" docker v1.35.4 "$work" --kicbase docker://gcr.io/k8s-minikube/kicbase:v0.0.50 || true
summary
