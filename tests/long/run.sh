#!/bin/sh
# `make test-long`: every fault in full, where `make test` tries some of each. Takes
# PACKAGER, STUB and STANDIN from the environment, and a seed where one is to be
# repeated: MINIKUBE_OFFLINE_TEST_SEED=N make test-long
# Usage: long/run.sh [NAME...]   only the tests of these files: corpus, sweep, sweep::power, …
set -eu
cd "$(dirname "$0")/../.."
export MINIKUBE_OFFLINE_TEST_SEED="${MINIKUBE_OFFLINE_TEST_SEED:-$(date +%s)}"
export MINIKUBE_OFFLINE_TEST_LONG=1
echo "MINIKUBE_OFFLINE_TEST_SEED=$MINIKUBE_OFFLINE_TEST_SEED make test-long tries the same again"
tests/lab/need.sh strace=strace python3=python3 zstd=zstd minisign=minisign mke2fs=e2fsprogs \
    mkfs.xfs=xfsprogs mkfs.btrfs=btrfs-progs || echo "what needs them is skipped"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "== A real bundle, of the sample parts"
tests/lab/sample-parts.sh "$STANDIN" "$work/parts"
set -- "$@" --
for image in "$work"/parts/images/*.tar; do set -- "$@" --image "docker-archive:$image"; done
names=
while [ "$1" != -- ]; do names="$names $1" && shift; done
shift
export MINIKUBE_OFFLINE_TEST_BUNDLE="$work/real.run"
"$PACKAGER" pack --kubernetes-version v1.35.4 --container-runtime docker --stub "$STUB" --level fast \
    --minikube "$work/parts/minikube" --kicbase "docker-archive:$work/parts/kicbase.tar" \
    --binaries "$work/parts/binaries" "$@" -o "$MINIKUBE_OFFLINE_TEST_BUNDLE"

# chosen NAME...: those of them that are asked for, or all; with what they begin: sweep::power
chosen() {
    for name; do
        [ -n "$names" ] || printf '%s:: ' "$name"
        for asked in $names; do case $asked in "$name" | "$name"::*) printf '%s:: ' "$asked" ;; esac done
    done
}
run() { # run FLAGS... -- FILTERS...
    echo "== cargo test $*"
    cargo test --locked "$@" --nocapture
}
# What computes, as it is released and without the packager, which builds in a minute;
# then what is killed and refused, and the programs from outside.
# shellcheck disable=SC2086 # names are words
{
    filters=$(chosen corpus fuzz metadata payload second)
    [ -z "$filters" ] || run --release --no-default-features --test faults -- $filters
    filters=$(chosen sweep)
    [ -z "$filters" ] || run --test faults -- $filters
    filters=$(chosen lengths race repair rollback sizes)
    if [ -n "$filters" ]; then
        # What these start runs it.
        cargo build --locked --example minikube-standin
        run --test it -- $filters
    fi
}
