#!/bin/sh
# `make test-kill`: ends a start with SIGKILL at moments spread over all its stages, over the
# loading of the node image, and over minikube's start; then runs it again or uninstalls, and
# compares the host with what it was before. With the demo's sample parts: one node, then two.
# TIMES says how often each of these six (10). Takes PACKAGER, STUB, STANDIN.
set -eu
cd "$(dirname "$0")/.."
lab/engine.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MINIKUBE_OFFLINE_LAB="$work/lab"
lab/sample-parts.sh "$STANDIN" "$work/parts"
set -- --kubernetes-version v1.35.4 --container-runtime docker --stub "$STUB" --level fast --offline \
    --minikube "$work/parts/minikube" --kicbase "docker-archive:$work/parts/kicbase.tar" --binaries "$work/parts/binaries"
for image in "$work"/parts/images/*.tar; do set -- "$@" --image "docker-archive:$image"; done
"$PACKAGER" pack "$@" -o "$work/x.run" 2>"$work/log" || { cat "$work/log"; exit 1; }
. lab/check.sh
for flags in '' '-- --nodes=2 --cni=bridge'; do
    # shellcheck disable=SC2086 # words
    HOME=$work/site TMPDIR=$work/tmp lab/airgap.sh kill/site.sh "$work/x.run" "${TIMES:-10}" $flags || true
done
summary
