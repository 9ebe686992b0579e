#!/bin/sh
# The lab's parts stand at upstream's hosts (lab/proxied.sh), one command packs them by
# a proxy alone, and the bundle starts on a host without a network.
# Usage: upstream/start.sh MINIKUBE RUNTIME KUBERNETES WORK [PACK FLAGS...]
#   KUBERNETES  the lab's, as in v1.35.4   WORK  a directory for it
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
minikube=$1 runtime=$2 kubernetes=$3 work=$4
shift 4
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
parts=$work/parts
mkdir -p "$parts/images" "$parts/app" "$work/home/.docker" "$work/upstream"
ln -s "$lab/kubernetes/$kubernetes" "$parts/binaries"
ln -s "$lab/images/$kubernetes" "$parts/images/kubernetes"
ln -s "$lab/kicbase.tar" "$parts/"
ln -s "$minikube" "$parts/minikube"
cp "$STANDIN" "$parts/app/app"
lab/archive.sh registry.example/app:1 "$parts/app" "$parts/images/app.tar" '{"Entrypoint":["/app"]}'
printf '{"auths":{"registry.example":{"auth":"bWU6c2VjcmV0"}}}' >"$work/home/.docker/config.json"
for flag in $(lab/carried/flags); do set -- "$@" "$flag"; done # they bring registry.example/app:1
label="lab parts at upstream, $runtime"
check "$label: packed by a proxy alone" \
    env HOME="$work/home" MINIKUBE_OFFLINE_LAB="$lab" HTTPS_PROXY='http://user:pass-word@localhost:3129' \
    lab/proxied.sh "$work/upstream" "$STANDIN" "$parts" \
    "$PACKAGER" pack --kubernetes-version "${kubernetes%.*}" --container-runtime "$runtime" --ca "$work/upstream/ca.pem" \
    --level fast -o "$work/upstream.run" "$@"
tail -n 2 "$CHECKS/output" | sed 's/^/        /'
rm -rf "$work/upstream" "${work:?}/home"
HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh cluster/site.sh "$work/upstream.run" kubernetes --image-load volume
rm -rf "$work/site" "$work/upstream.run" "$parts"
