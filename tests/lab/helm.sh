#!/bin/sh
# Builds a real Helm from its published Go module into the lab's helm/VERSION. About 4 minutes
# on 2 cores when cold; nothing when already there. Prints its path.
# Usage: helm.sh [VERSION]   as in v4.3.2
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
version=${1:-v4.3.2}
out=$lab/helm/$version
if [ ! -x "$out/helm" ]; then
    echo "building Helm $version into $out: about 4 minutes on 2 cores" >&2
    at=helm.sh/helm/v4/internal/version
    "$here/go-build.sh" "$out" "-s -w -X $at.version=$version -X $at.gitTreeState=clean" \
        "helm.sh/helm/v4@$version" helm.sh/helm/v4/cmd/helm >&2
fi
echo "$out/helm"
