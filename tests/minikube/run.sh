#!/bin/sh
# `make test-minikube`: the journey with real minikube, for both runtimes, on a
# host without a network and on one that swallows packets, by this machine's engine and
# by engine 29. minikube is named by MINIKUBE_OFFLINE_TEST_MINIKUBE, and a newer one, for
# the same again, by MINIKUBE_OFFLINE_TEST_MINIKUBE_NEXT; Kubernetes is the lab's newest
# that each knows. The node image is the lab's, for which
# cri-dockerd must lie in the lab's bin/ (see lab/README.md). Then several nodes, each
# network that the lab has images for, and a bundle straight from a stand-in upstream.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${MINIKUBE_OFFLINE_TEST_MINIKUBE:-}" ]; then
    echo "skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube"
    exit 0
fi
lab/all.sh
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
[ -x "$lab/bin/cri-dockerd" ] || { echo "skipped: $lab/bin/cri-dockerd is not there, and real minikube needs it in the node"; exit 0; }
work=$(mktemp -d "$lab/minikube.XXXXXX")
trap 'rm -rf "$work"' EXIT
. lab/check.sh

on_site() { # on_site AIRGAP-FLAGS BUNDLE [START FLAGS...]
    flags=$1 bundle=$2
    shift 2
    # shellcheck disable=SC2086
    HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh $flags cluster/site.sh "$bundle" kubernetes "$@" || true
    rm -rf "$work/site"
}
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
    check "pack for $runtime, $flags" lab/pack.sh "$minikube" "$runtime" "$lab/kubernetes/$kubernetes" "$work/nodes.run" \
        --level fast $flags $(carried $archives)
    on_site '' "$work/nodes.run" "$@"
    rm -f "$work/nodes.run"
}
journeys() { # journeys MINIKUBE: each by this machine's engine, and one by engine 29
    minikube=$1
    newest=$("$minikube" config defaults kubernetes-version -o json | grep -o 'v1\.[0-9]*\.[0-9]*' | head -n 1)
    # The lab's newest of those that this minikube knows.
    kubernetes=$({ (cd "$lab/kubernetes" && printf '%s\n' v*) && echo "${newest%.*}.999"; } | sort -V | sed '/999$/,$d' | tail -n 1)
    echo "$("$minikube" version --short): its newest Kubernetes is $newest, the lab's $kubernetes"
    for runtime in docker containerd; do
        check "pack for $runtime" lab/pack.sh "$minikube" "$runtime" "$lab/kubernetes/$kubernetes" "$work/$runtime.run"
        echo "        $(wc -c <"$work/$runtime.run") bytes"
        on_site '' "$work/$runtime.run" --image-load volume
        on_site '--engine 29' "$work/$runtime.run" --image-load cache
        on_site '--engine 29 --blackhole' "$work/$runtime.run"
        rm -f "$work/$runtime.run"
    done
    nodes docker '--cni kindnet' kindnet.tar -- --nodes 2
    nodes containerd '--cni flannel' flannel.tar
    nodes containerd '--cni flannel' flannel.tar -- --nodes 2
    nodes containerd --ha 'kindnet.tar kube-vip.tar' -- --ha
    # minikube names its node image by the digest of its publisher's, which the lab's has not.
    upstream/start.sh "$minikube" docker "$kubernetes" "$work" --kicbase docker://gcr.io/k8s-minikube/kicbase:v0.0.50 || true
}
journeys "$MINIKUBE_OFFLINE_TEST_MINIKUBE"
if [ -n "${MINIKUBE_OFFLINE_TEST_MINIKUBE_NEXT:-}" ]; then
    journeys "$MINIKUBE_OFFLINE_TEST_MINIKUBE_NEXT"
else
    echo "skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE_NEXT does not name a newer minikube"
fi
summary
