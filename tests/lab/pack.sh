#!/bin/sh
# Packs the lab's real parts, and an application's image and manifests, into a bundle,
# for the Kubernetes that the binaries are of.
# Usage: lab/pack.sh MINIKUBE RUNTIME BINARIES BUNDLE [PACK FLAGS...]
set -eu
cd "$(dirname "$0")/.."
minikube=$1 runtime=$2 binaries=$3 bundle=$4
shift 4
version=$("$binaries/kubeadm" version -o short) lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/app"
cp "$STANDIN" "$work/app/app"
lab/archive.sh registry.example/app:1 "$work/app" "$work/app.tar" '{"Entrypoint":["/app"]}'
set -- "$@" --image "docker-archive:$work/app.tar"
for flag in $(lab/carried/flags); do set -- "$@" "$flag"; done
for image in $(cd "$lab/images/$version" && find . -type f); do set -- "$@" --image "docker-archive:$lab/images/$version/$image"; done
"$PACKAGER" pack --kubernetes-version "$version" --container-runtime "$runtime" \
    --minikube "$minikube" --kicbase "docker-archive:$lab/kicbase.tar" --binaries "$binaries" -o "$bundle" "$@"
