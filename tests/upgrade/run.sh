#!/bin/sh
# `make test-upgrade`: a cluster goes from one patch release to the next with real minikube,
# named by MINIKUBE_OFFLINE_TEST_MINIKUBE, on a host without a network: an application that
# writes to a volume is asked throughout. Then back by `rollback`, and an upgrade that fails,
# and ones that are killed. RUNTIMES="docker" only that. The lab's v1.35.4 is the older one;
# the newer is the same with another name, for which no other needs to be built.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${MINIKUBE_OFFLINE_TEST_MINIKUBE:-}" ]; then
    echo "skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube"
    exit 0
fi
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
work=$(mktemp -d "$lab/upgrade.XXXXXX")
trap 'rm -rf "$work"' EXIT
. lab/check.sh
mkdir -p "$work/lab/kubernetes" "$work/lab/images"
for part in bin containers node-rootfs kicbase.tar; do ln -s "$lab/$part" "$work/lab/$part"; done
for part in kubernetes images; do ln -s "$lab/$part/v1.35.4" "$work/lab/$part/v1.35.4"; done
relabel() { # relabel VERSION: the same bytes but for the name, so the length is the same
    mkdir "$work/lab/kubernetes/$1"
    for program in "$lab"/kubernetes/v1.35.4/*; do
        sed "s/v1\.35\.4/$1/g" "$program" >"$work/lab/kubernetes/$1/${program##*/}"
        chmod 0755 "$work/lab/kubernetes/$1/${program##*/}"
    done
    MINIKUBE_OFFLINE_LAB=$work/lab lab/images.sh "$1"
}
check "the lab's v1.35.4 as v1.35.5" relabel v1.35.5
for runtime in ${RUNTIMES:-docker containerd}; do
    serial=1
    for version in v1.35.4 v1.35.5; do
        MINIKUBE_OFFLINE_LAB=$work/lab check "pack $version for $runtime" lab/pack.sh "$MINIKUBE_OFFLINE_TEST_MINIKUBE" "$runtime" \
            "$work/lab/kubernetes/$version" "$work/$version.run" --level fast --serial "$serial"
        serial=$((serial + 1))
    done
    HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh upgrade/site.sh "$work/v1.35.4.run" "$work/v1.35.5.run" "$runtime" || true
    rm -rf "$work/site" "$work"/*.run
done
summary
