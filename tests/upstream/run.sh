#!/bin/sh
# `make test-upstream`: packs straight from upstream on a host whose only way out is a
# proxy on localhost, and starts the bundle on one without a network. Upstream's hosts
# are Debian's docker-registry, by TLS, tokens and a password, and a server with the
# release pages' layout and redirects. Then kills packs at any moment: the seed is
# printed, MINIKUBE_OFFLINE_TEST_SEED repeats it. Takes the programs from the
# environment: PACKAGER, STUB, STANDIN. Needs root.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "skipped: it needs root"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. lab/check.sh
lab/sample-parts.sh "$STANDIN" "$work/parts"
lab/proxied.sh "$work/upstream" "$STANDIN" "$work/parts" upstream/packs.sh "$work/upstream" || true
if lab/engine.sh; then
    HOME=$work/site MINIKUBE_OFFLINE_LAB=$work/lab lab/airgap.sh cluster/site.sh "$work/upstream/one.run" runtime || true
else
    echo "skipped: the start, which needs Docker Engine"
fi
# It packs the stand-in, and has to be compiled where there may be a network.
(cd .. && cargo test --quiet --locked --no-run --test it && cargo build --quiet --locked --example minikube-standin)
# Sockets that hold little: what is on its way when a pack is killed stays small.
check "50 packs killed while they download, and run again" unshare --net sh -c '
    ip link set lo up
    echo "4096 65536 131072" >/proc/sys/net/ipv4/tcp_rmem
    echo "4096 65536 131072" >/proc/sys/net/ipv4/tcp_wmem
    cd .. && cargo test --locked --test it -- --ignored --nocapture upstream::killed' || true
grep -E '^(MINIKUBE_OFFLINE_TEST_SEED|killed|[0-9]+ parts)' "$CHECKS/output" | sed 's/^/        /'
summary
