#!/bin/sh
# One start from files to Ready on the air-gapped host, for `bench.sh`.
# Usage: bench-site.sh bundle BUNDLE | bench-site.sh stock PARTS SUMS MINIKUBE
set -eu
mkdir -p "$HOME"
unset MINIKUBE_HOME
if [ "$1" = bundle ]; then
    exec "$2" -y
fi
cd "$2"
sha256sum --quiet -c "$3"
docker load -q -i kicbase.tar
cache=$HOME/.minikube/cache
mkdir -p "$cache/images" "$cache/linux/amd64/v1.35.4"
cp -r v1.35.4 "$cache/images/amd64"
install -m 755 kubeadm kubelet kubectl "$cache/linux/amd64/v1.35.4/"
exec "$4" start --driver=docker --force --container-runtime=docker --kubernetes-version=v1.35.4 \
    --base-image=gcr.io/k8s-minikube/kicbase:v0.0.50 --preload=false --interactive=false
