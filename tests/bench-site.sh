#!/bin/sh
# One start on an air-gapped host for `make bench`, with its time and memory.
# Usage: bench-site.sh bundle|images|preload   (the folder is in BENCH)
set -eu
version=v1.35.4 cache=$HOME/.minikube/cache image=gcr.io/k8s-minikube/kicbase:v0.0.50
mkdir -p "$HOME"
export KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME
minikube=$MINIKUBE_OFFLINE_TEST_MINIKUBE
start() {
    "$minikube" start --driver=docker --force --container-runtime=docker --kubernetes-version=$version \
        --base-image=$image --interactive=false --wait=all "$@"
}
stock() { # what a person does by hand, with or without the preload
    (cd "$BENCH/parts" && sha256sum --quiet -c "$BENCH/sums")
    docker load -q -i "$BENCH/parts/kicbase.tar"
    mkdir -p "$cache/linux/amd64/$version" "$cache/images" "$cache/preloaded-tarball"
    cp "$BENCH/parts/kubeadm" "$BENCH/parts/kubelet" "$BENCH/parts/kubectl" "$cache/linux/amd64/$version/"
    if [ "$1" = preload ]; then
        cp "$BENCH/preload.tar.lz4" "$cache/preloaded-tarball/preloaded-images-k8s-v18-$version-docker-overlay2-amd64.tar.lz4"
        start --cache-images=false
    else
        cp -r "$BENCH/parts/$version" "$cache/images/amd64"
        start --preload=false
    fi
}
make_preload() { # minikube's own form: the store of a node that has everything
    "$minikube" stop >/dev/null
    docker run --rm --entrypoint tar -v minikube:/var "$image" -I lz4 -C /var -cf - \
        ./lib/docker/overlay2 ./lib/docker/image ./lib/minikube/binaries >"$BENCH/preload.tar.lz4"
}
case ${2:-} in timed) stock "$1"; exit ;; esac
case $1 in
bundle) set -- 'minikube-offline, verified' "$BENCH/default.run" -y ;;
images) set -- 'by hand, images one by one' "$0" images timed ;;
preload) set -- 'by hand, with an lz4 preload' "$0" preload timed ;;
esac
name=$1
shift
sync
/usr/bin/time -f '%e|%M' -o "$BENCH/time" "$@" >"$BENCH/log" 2>&1 || { tail -n 30 "$BENCH/log" >&2; exit 1; }
# A bundle says how long each stage took.
grep -o 'in [0-9]* s (.*)' "$BENCH/log" || true
echo "$name|$(tail -n 1 "$BENCH/time")" >>"$BENCH/starts"
case $* in *' images timed') make_preload ;; esac
if [ "$1" = "$BENCH/default.run" ]; then "$1" uninstall >/dev/null; else "$minikube" delete >/dev/null; fi
