#!/bin/sh
# Wraps the lab's Kubernetes binaries in images with the names and tags that
# `kubeadm config images list` prints, plus minikube's storage-provisioner, and
# writes each as a docker-archive under the lab's images/VERSION, in minikube's
# cache layout (registry/path/name_tag). Needs kubernetes.sh and node-image.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=${1:-v1.35.4}
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
binaries=$lab/kubernetes/$version out=$lab/images/$version
"$here/need.sh" cc=gcc ld=binutils
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

image() { # image NAME PROGRAM: writes $directory as an image that runs PROGRAM, empties $directory
    "$here/archive.sh" "$1" "$directory" "$out/$(echo "$1" | tr : _)" "{\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"],\"Entrypoint\":[\"$2\"]}"
    rm -rf "${directory:?}"/*
    echo "$1"
}
pause() {
    printf '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n' >"$directory/pause.c"
    cc -O2 -static -s -o "$directory/pause" "$directory/pause.c" && rm "$directory/pause.c"
}

for name in $("$binaries/kubeadm" config images list --kubernetes-version "$version" 2>/dev/null); do
    # An image that is newer than what it is made with is good.
    [ -z "$(find "$out/$(echo "$name" | tr : _)" -newer "$here/kube-proxy-root.sh" 2>/dev/null)" ] || continue
    base=${name##*/} base=${base%%:*} program=/usr/local/bin/${base}
    case $base in
    pause) pause && program=/pause ;;
    coredns) cp "$binaries/coredns" "$directory/" && program=/coredns ;;
    kube-proxy) # needs iptables and conntrack: the node's own, with their libraries
        "$here/kube-proxy-root.sh" "$lab/node-rootfs" "$directory"
        install -D "$binaries/kube-proxy" "$directory$program" ;;
    *) install -D "$binaries/$base" "$directory$program" ;;
    esac
    image "$name" "$program"
done
# minikube's own provisioner if the lab has it, else an image that only waits.
name=gcr.io/k8s-minikube/storage-provisioner:v5
if [ ! -e "$out/$(echo "$name" | tr : _)" ]; then
    if [ -x "$lab/bin/storage-provisioner" ]; then
        cp "$lab/bin/storage-provisioner" "$directory/"
    else
        pause && mv "$directory/pause" "$directory/storage-provisioner"
    fi
    image "$name" /storage-provisioner
fi
