#!/bin/sh
# One start on an air-gapped host for `make bench`; adds its time and memory to the
# directory's file `starts`, as WAY|ROUND|SECONDS|KiB.
# Usage: bench/site.sh prepare | bench/site.sh WAY[-stick] ROUND   (the directory is in BENCH)
#   WAY  bundle, preload or images
set -eu
way=$1 round=${2:-} runtime=${BENCH_RUNTIME:-docker}
version=v1.35.4 cache=$HOME/.minikube/cache image=gcr.io/k8s-minikube/kicbase:v0.0.50
case $runtime in
docker) store='./lib/docker/overlay2 ./lib/docker/image' cni= ;;
containerd) store=./lib/containerd cni=--cni=bridge ;; # kindnet is not among the lab's images
esac
# All that minikube can wait for but `extra`, which is the readiness of each kube-system pod:
# whether CoreDNS first asks for the API before or after kube-proxy has its rules is chance,
# and when it is before, CoreDNS waits for 30 s, whatever way the images came.
wait=apiserver,system_pods,default_sa,apps_running,node_ready,kubelet
mkdir -p "$HOME"
export KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME
minikube=$MINIKUBE_OFFLINE_TEST_MINIKUBE
start() {
    # shellcheck disable=SC2086
    "$minikube" start --driver=docker --force --container-runtime="$runtime" --kubernetes-version=$version \
        --base-image=$image --interactive=false --wait=$wait $cni "$@"
}
by_hand() { # what a person does with the files on a stick
    docker load -q -i "$BENCH/parts/kicbase.tar"
    mkdir -p "$cache/linux/amd64/$version" "$cache/images" "$cache/preloaded-tarball"
    cp "$BENCH/parts/kubeadm" "$BENCH/parts/kubelet" "$BENCH/parts/kubectl" "$cache/linux/amd64/$version/"
    if [ "$1" = preload ]; then
        cp "$BENCH/preload.tar.lz4" "$cache/preloaded-tarball/preloaded-images-k8s-v18-$version-$runtime-overlay2-amd64.tar.lz4"
        start --cache-images=false
    else
        cp -r "$BENCH/parts/$version" "$cache/images/amd64"
        start --preload=false
    fi
}
timed() { # timed COMMAND...: prints SECONDS|KiB
    $medium /usr/bin/time -f '%e|%M' -o "$BENCH/time" "$@" >"$BENCH/log" 2>&1 || { tail -n 30 "$BENCH/log" >&2; exit 1; }
    tail -n 1 "$BENCH/time"
}
if [ "$round" = by-hand ]; then by_hand "$way"; exit; fi
bundle=$BENCH/default.run medium=
. bench/stick.sh
[ "$way" = "${way%-stick}" ] || medium=from_stick
# What comes on a stick is not in memory yet: each way reads its files from the disk.
sync
echo 3 >/proc/sys/vm/drop_caches
case ${way%-stick} in
prepare) # minikube's own form: the store of a node that has everything
    timed "$bundle" -y --container-runtime "$runtime" >/dev/null
    "$minikube" stop >/dev/null
    # shellcheck disable=SC2086
    docker run --rm --entrypoint tar -v minikube:/var "$image" --xattrs -I lz4 -C /var -cf - \
        $store ./lib/minikube/binaries >"$BENCH/preload.tar.lz4"
    "$bundle" uninstall -y >/dev/null
    exit ;;
bundle)
    echo "$way|$round|$(timed "$bundle" -y --container-runtime "$runtime" -- --wait="$wait")" >>"$BENCH/starts"
    # It says how long each stage took.
    sed -n 's/.*, in \(.*)\)$/\1/p' "$BENCH/log"
    "$bundle" uninstall -y >/dev/null ;;
preload | images)
    started=$(timed "$0" "${way%-stick}" by-hand)
    echo "$way|$round|$started" >>"$BENCH/starts"
    # Nobody reads a file from a stick twice: by now they are in memory, as they would be
    # for a start after a check.
    verified=$(cd "$BENCH" && timed sha256sum --quiet -c "sums.${way%-stick}")
    echo "$way-verified|$round|$verified|$started" | awk -F '|' '{ print $1 "|" $2 "|" $3 + $5 "|" $6 }' >>"$BENCH/starts"
    "$minikube" delete >/dev/null ;;
esac
