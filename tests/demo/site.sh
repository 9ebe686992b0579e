#!/bin/sh
# What the demo does on the air-gapped host: start, look, ask, uninstall.
# Usage: demo/site.sh BUNDLE
set -eu
bundle=$1
say() { printf '\n== %s\n' "$*"; }
mkdir -p "$HOME"
export PATH="$HOME/.local/share/minikube-offline/bin:$PATH" KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME
trap '"$bundle" uninstall -y >/dev/null 2>&1 || true' EXIT

echo "default routes on this host: $(ip route show default | grep -c . || true)"
"$bundle" -y
say "Asking the carried application, in the node"
docker exec minikube docker ps --format '{{.Image}} is {{.Status}}'
docker exec minikube wget -q -O - http://127.0.0.1:8080/
say "How it does: ./minikube-offline-v1.35.run status; minikube kubectl -- get nodes"
"$bundle" status
minikube kubectl -- get nodes
say "Taking it off again: ./minikube-offline-v1.35.run uninstall -y"
"$bundle" uninstall -y
trap - EXIT
echo "containers left: $(docker ps --all --quiet | grep -c . || true), volumes left: $(docker volume ls --quiet | grep -c . || true)"
