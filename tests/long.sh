#!/bin/sh
# `make test-long`: every fault in full, where `make test` tries some of each. Takes
# PACKAGER, STUB and STANDIN from the environment, and a seed where one is to be
# repeated: MINIKUBE_OFFLINE_TEST_SEED=N make test-long
# Usage: long.sh [NAME...]   only the tests of these files of tests/faults
set -eu
cd "$(dirname "$0")/.."
export MINIKUBE_OFFLINE_TEST_SEED="${MINIKUBE_OFFLINE_TEST_SEED:-$(date +%s)}"
export MINIKUBE_OFFLINE_TEST_LONG=1
echo "MINIKUBE_OFFLINE_TEST_SEED=$MINIKUBE_OFFLINE_TEST_SEED make test-long tries the same again"
tests/lab/need.sh strace=strace python3=python3 zstd=zstd minisign=minisign mke2fs=e2fsprogs ||
    echo "what needs them is skipped"

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

faults() { # faults FLAGS... -- FILTERS...
    echo "== cargo test --test faults $*"
    cargo test --locked --test faults "$@" --nocapture
}
# What computes, as it is released and without the packager, which builds in a minute;
# then what is killed and refused.
# shellcheck disable=SC2086 # names are words
faults --release --no-default-features -- $names --skip sweep
case " $names " in
"  " | *" sweep "*) faults -- sweep ;;
esac
if [ -z "$names" ]; then
    echo "== cargo test --test it: lengths, sizes, a second writer"
    cargo test --locked --test it -- --nocapture lengths:: sizes:: race::
fi
