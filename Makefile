# What there is to build and to try. Everything is also a script of its own.
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR
PLATFORM := $(shell uname -m)-unknown-linux-gnu
STATIC := RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --no-default-features --profile stub --target $(PLATFORM)

# The programs that the scripts below run: for the demo as they are quickly built,
# else the packager as it is released, with the stub inside.
export PACKAGER = $(abspath $(CARGO_TARGET_DIR))/$(PROFILE)/minikube-offline
export STUB = $(abspath $(CARGO_TARGET_DIR))/$(PLATFORM)/stub/minikube-offline-stub
export STANDIN = $(abspath $(CARGO_TARGET_DIR))/$(PLATFORM)/stub/examples/minikube-standin
PROFILE := debug

# Without a target, what there is.
## help: this list
help:
	@sed -n 's/^## //p' Makefile

.PHONY: help check-stub check-dependencies check-msrv build demo fuzz mutants snapshots test test-cluster test-kill test-long test-minikube test-online test-rehearse test-release test-space test-upgrade test-upstream test-volumes bench bench-verify lint parts release-parts toolchain

## build: the whole tool as one file, in target/package
build: toolchain
	packaging/build

## demo: pack sample parts, start them on a host without a network (3 minutes)
demo: toolchain parts
	tests/demo/run.sh

## test: formatting, lints, unit and integration tests (2 minutes, no root, no Docker)
test: toolchain lint
	cargo test --locked --no-fail-fast

## snapshots: write again what the tests compare help, output and errors with; read the difference
snapshots: toolchain
	mkdir -p tests/snapshots/help tests/snapshots/packing tests/snapshots/host tests/snapshots/errors
	cargo build --locked --examples
	SNAPSHOTS=overwrite cargo test --quiet --locked --test it snapshots::

## test-long: every fault in full, with counts (MINIKUBE_OFFLINE_TEST_SEED=N repeats a run;
## NAMES="corpus sweep::power rollback" only these files of tests/faults and tests/it)
test-long: toolchain parts
	tests/long/run.sh $(NAMES)

## fuzz: the parsers by cargo-fuzz (SECONDS=60 for each; cargo-fuzz, C++)
fuzz: toolchain
	tests/fuzz/run.sh $(SECONDS)

## mutants: does a test notice when a check is taken away? (5 minutes; cargo-mutants)
mutants: toolchain
	tests/mutants/run.sh

## check-stub: what every bundle has inside is static, small and on the list
check-stub: toolchain
	$(STATIC) --bin minikube-offline-stub
	packaging/check-stub $(STUB)

## check-dependencies: licences, sources and advisories of every crate (cargo-deny)
check-dependencies: toolchain
	packaging/check-dependencies

## check-msrv: both programs with the oldest Rust that Cargo.toml promises (rustup; 2 minutes)
check-msrv: toolchain
	packaging/check-msrv

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --no-default-features --bins -- -D warnings
	cargo clippy --locked --no-default-features --manifest-path tests/fuzz/Cargo.toml -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --lib
	tests/lint/shellcheck.sh

## test-volumes: split bundles on FAT32, disturbed repairs, sizes and lengths in full (root; 6 minutes)
test-volumes: toolchain parts
	tests/volumes/run.sh

## test-cluster: real Kubernetes on hosts without a network, by two engines (root; 35 minutes cold)
test-cluster: PROFILE := package
test-cluster: toolchain release-parts
	tests/cluster/run.sh

## test-upgrade: upgrade, roll back and kill upgrades with real minikube (25 minutes)
test-upgrade: PROFILE := package
test-upgrade: toolchain release-parts
	tests/upgrade/run.sh

## test-minikube: the same with real minikube, named by MINIKUBE_OFFLINE_TEST_MINIKUBE, and a
## newer one, named by MINIKUBE_OFFLINE_TEST_MINIKUBE_NEXT
test-minikube: PROFILE := package
test-minikube: toolchain release-parts
	tests/minikube/run.sh

## test-space: the disk that a start takes, beside what the preflight asks for (root)
test-space: PROFILE := package
test-space: toolchain release-parts
	tests/space/run.sh

## test-upstream: packs by a proxy alone, and packs that are killed (root; 8 minutes)
test-upstream: toolchain parts
	tests/upstream/run.sh

## test-online: straight from real upstream, to a host without a network (root; a network)
test-online: PROFILE := package
test-online: toolchain release-parts
	tests/online/run.sh

## test-rehearse: rehearsals of a sound bundle and of three that are not (root; 15 minutes)
test-rehearse: toolchain parts
	tests/rehearse/run.sh

## test-release: the files of a release page, and an update from them
test-release: PROFILE := package
test-release: toolchain release-parts
	tests/release/run.sh

## test-kill: end a start anywhere, then run it again or uninstall (root; 10 minutes)
test-kill: toolchain parts
	tests/kill/run.sh

## bench-verify: how fast a GiB is verified, beside cat and sha256sum (3 minutes)
bench-verify: toolchain parts
	tests/bench/verify.sh

## bench: sizes and times beside other tools' (BENCH_FULL=1: the slow ones too)
bench: PROFILE := package
bench: toolchain release-parts
	tests/bench/run.sh

# Side by side, for the static ones are optimized as a whole, which keeps one core busy.
# One after the other among themselves: an example's dependencies would change the stub's.
parts:
	set -e; cargo build --locked --bin minikube-offline & \
	    $(STATIC) --bin minikube-offline-stub; \
	    $(STATIC) --example minikube-standin; \
	    wait $$!

release-parts:
	packaging/build
	$(STATIC) --example minikube-standin

toolchain:
	@command -v cargo >/dev/null || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
	@tests/lab/need.sh cc=gcc ld=binutils
