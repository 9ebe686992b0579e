#!/bin/sh
# Makes sample parts in seconds, without a network: a small node image with this
# machine's own container runtime in it, images with the names that kubeadm
# wants, an application's image, and in place of minikube, kubeadm, kubelet and
# kubectl the stand-in, which must be static. Needs neither root nor an engine.
# Usage: sample-parts.sh STANDIN DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd) standin=$1 directory=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$directory/images" "$directory/binaries"

cp "$standin" "$directory/minikube"
for name in kubeadm kubelet kubectl; do cp "$standin" "$directory/binaries/$name"; done

"$here/sample-node.sh" "$work/node"
"$here/archive.sh" gcr.io/k8s-minikube/kicbase:v0.0.50 "$work/node" "$directory/kicbase.tar" \
    '{"Env":["container=docker"],"ExposedPorts":{"22/tcp":{}},"StopSignal":"SIGRTMIN+3","Entrypoint":["/usr/local/bin/entrypoint","/sbin/init"]}'

# One layer for all the images: what they share is carried once.
mkdir "$work/image"
cp "$standin" "$work/image/standin"
images="$("$directory/binaries/kubeadm" config images list) gcr.io/k8s-minikube/storage-provisioner:v5 registry.example/app:1"
for image in $images; do
    program=${image##*/} program=${program%%:*}
    ln -s standin "$work/image/$program"
done
for image in $images; do
    program=${image##*/} program=${program%%:*}
    "$here/archive.sh" "$image" "$work/image" "$directory/images/$program.tar" "{\"Entrypoint\":[\"/$program\"]}"
done
