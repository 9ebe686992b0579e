#!/bin/sh
# Packs the lab's parts as lab/pack.sh does, with the charts of this directory and a real Helm.
# Usage: charts/pack.sh MINIKUBE RUNTIME BINARIES BUNDLE SHOP-VALUES [PACK FLAGS...]
#   SHOP-VALUES  YAML in one line, such as 'greeting: welcome'
set -eu
cd "$(dirname "$0")/../.."
charts=$PWD/lab/charts minikube=$1 runtime=$2 binaries=$3 bundle=$4 values=$5
shift 5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/prepare" "$work/helm"
ln "$(lab/helm.sh)" "$work/helm/helm" 2>/dev/null || cp "$(lab/helm.sh)" "$work/helm/helm"
# A program that ends well.
cp "$STANDIN" "$work/prepare/kubeadm"
lab/archive.sh registry.example/prepare:1 "$work/prepare" "$work/prepare.tar" '{"Entrypoint":["/kubeadm","version"]}'
printf '%s\n' "$values" >"$work/shop.yaml"
echo 'token: tell-nobody' >"$work/board.yaml"
cat >"$work/bundle.toml" <<TOML
name = "charts"

[[chart]]
path = "$charts/shop"
values = ["shop.yaml"]
namespace = "market"

[[chart]]
path = "$charts/queue"
release = "orders"

[[chart]]
path = "$charts/board"
values = ["board.yaml"]
TOML
lab/pack.sh "$minikube" "$runtime" "$binaries" "$bundle" --file "$work/bundle.toml" --binaries "$work/helm" \
    --manifest "$charts/volume.yaml" --image "docker-archive:$work/prepare.tar" "$@"
