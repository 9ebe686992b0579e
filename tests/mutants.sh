#!/bin/sh
# `make mutants`: changes the verifying modules, one operator or value at a time, and
# names each change that no test notices. Hours; needs `cargo install cargo-mutants`.
# Usage: mutants.sh [FILE OF src...]
set -eu
cd "$(dirname "$0")/.."
command -v cargo-mutants >/dev/null || { echo "skipped: no cargo-mutants here: cargo install cargo-mutants" && exit 0; }
[ $# -gt 0 ] || set -- src/verify/*.rs src/bundle/*.rs src/bundle/index/*.rs src/trust/*.rs
for file; do set -- "$@" -f "$file" && shift; done
# The tests of faults look closest at them, and build without the packager.
exec cargo mutants "$@" --no-default-features --timeout 300 -- --lib --test faults -- --skip sweep --skip second
