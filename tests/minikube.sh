#!/bin/sh
# `make test-minikube`: real minikube with the lab's Kubernetes, both runtimes, on a
# host without a route and on one that swallows packets. Needs a real minikube in
# MINIKUBE_OFFLINE_TEST_MINIKUBE, and what it wants of a node in the lab's bin/.
# Takes the programs from the environment: PACKAGER, STUB, STANDIN.
set -eu
cd "$(dirname "$0")"
minikube=${MINIKUBE_OFFLINE_TEST_MINIKUBE:-}
[ -n "$minikube" ] || { echo "skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE names no real minikube"; exit 0; }
./lab.sh
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
work=$(mktemp -d "$lab/minikube.XXXXXX")
trap 'rm -rf "$work"' EXIT
. ./check.sh
for runtime in docker containerd; do
    check "pack for $runtime" ./pack-lab.sh "$minikube" "$runtime" "$lab/kubernetes/v1.35.4" "$work/$runtime.run" --level fast
    for flag in '' --blackhole; do
        echo "--- $runtime $flag"
        # shellcheck disable=SC2086
        HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh $flag ./site.sh "$work/$runtime.run" kubernetes || true
        rm -rf "$work/site"
    done
done
summary
