#!/bin/sh
# `make fuzz`: cargo-fuzz at each parser for some seconds: what `faults/fuzz.rs` tries
# blindly, guided by coverage. Needs C++ and `cargo install cargo-fuzz`.
# Usage: fuzz/run.sh [SECONDS [PARSER...]]   60 seconds for each, all of them
set -eu
cd "$(dirname "$0")/../.."
for tool in cargo-fuzz c++; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool here (cargo install cargo-fuzz; apt install g++)" && exit 0; }
done
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- bundle index signature payload journal texts spec
out=$PWD/target/fuzzing
export CARGO_TARGET_DIR="$out/target"
mkdir -p "$out/found"
MINIKUBE_OFFLINE_TEST_CORPUS="$out/given" cargo test -q --locked --test faults -- --ignored the_corpus_as_files

# Coverage needs flags that a stable Rust has, too, but hides. Sanitizers it has not:
# none of our code is unsafe.
fuzz() { RUSTC_BOOTSTRAP=1 cargo fuzz "$@"; }
fuzz build --fuzz-dir tests/fuzz --sanitizer none
# A parser writes what it is given to a file: to memory, where there is some.
[ ! -d /dev/shm ] || export TMPDIR=/dev/shm
status=0
for parser; do
    echo "== $parser, $seconds seconds"
    mkdir -p "$out/new/$parser"
    # 256 MiB and a second are what an input may take; the rest is libFuzzer's own.
    fuzz run --fuzz-dir tests/fuzz --sanitizer none "$parser" "$out/new/$parser" "$out/given/$parser" -- \
        -max_total_time="$seconds" -max_len=65536 -malloc_limit_mb=256 -rss_limit_mb=1024 -timeout=10 \
        -artifact_prefix="$out/found/$parser-" -print_final_stats=1 >"$out/$parser.log" 2>&1 || {
        status=1
        tail -n 40 "$out/$parser.log"
        echo "the input is in $out/found, for tests/corpus/$parser"
    }
    grep -E '^#[0-9]+.*DONE|^stat::(number_of_executed_units|slowest_unit_time_sec|peak_rss_mb)' "$out/$parser.log" || true
done
rm -f "${TMPDIR:-/tmp}"/minikube-offline-fuzz-*
exit "$status"
