#!/bin/sh
# `make mutants`: changes the verifying modules, one operator or value at a time, and
# names each change that no test notices. Needs python3 and `cargo install cargo-mutants`.
# Usage: mutants/run.sh [verify|trust|bundle...]
#
# cargo-mutants says what to change, all of it is compiled into one program of tests
# (`mutants.py` says how), and a mutant is a run of that: a fifth of a second. What
# `mutants.toml` names is left out, with the reason. What is read a second time is only
# noticed where a program may be a file system (`/dev/fuse`).
set -eu
cd "$(dirname "$0")/../.."
for tool in cargo-mutants python3; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool here; cargo install cargo-mutants" && exit 0; }
done
[ $# -gt 0 ] || set -- verify trust bundle
for part; do set -- "$@" -f "src/$part/**/*.rs" && shift; done
out=$PWD/target/mutation
rm -rf "$out/crate" && mkdir -p "$out/crate/src"
cargo mutants --list --json --config tests/mutants/mutants.toml "$@" >"$out/list.json"

# A crate of these modules, what they stand on, and the tests of faults that need no
# process: less to build, and one program.
sed '/^\[\[/,/^$/d; /^default-run/d; /^packager = \[/,/^\]/c packager = []' Cargo.toml >"$out/crate/Cargo.toml"
cp -R Cargo.lock tests "$out/crate"
modules='bundle failure host progress regular_file trust verify'
(
    cd src
    for module in $modules; do cp -R "$module" "$out/crate/src" 2>/dev/null || cp "$module.rs" "$out/crate/src"; done
    echo 'extern crate self as minikube_offline;'
    # shellcheck disable=SC2086 # words
    printf 'pub mod %s;\n' $modules
    for file in faults/corpus/mod support/draft support/effort faults/failures faults/flaky faults/library support/words; do
        name=${file#*/}
        printf '#[cfg(test)]\n#[path = "../tests/%s.rs"]\nmod %s;\n' "$file" "${name%/mod}"
    done
) >"$out/crate/src/lib.rs"

export CARGO_TARGET_DIR="$out/target"
# No test here runs the program: it need not be there.
export BUILD='env CARGO_BIN_EXE_minikube-offline-stub=none cargo test -q --profile mutants --lib --no-run'
# The slowest last, as most are noticed before.
export STEPS='bundle:: trust:: verify:: library:: failures:: flaky::
corpus::the_library'
exec python3 tests/mutants/mutants.py "$out/list.json" "$out/crate" "$out/outcomes"
