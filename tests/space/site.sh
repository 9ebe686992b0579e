#!/bin/sh
# On the air-gapped host: one start on a disk that is as full as the preflight allows.
# Prints `NAME|bytes in the end|at the peak|asked for`; what it checks goes to stderr.
# Usage: space/site.sh BUNDLE DISK RUNTIME WAY
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
bundle=$1 disk=$2 runtime=$3 way=$4
mkdir -p "$HOME"
export KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME
bytes() { df --block-size=1 --output="$1" "$disk" | tail -n 1; }
leave() { # leave BYTES: fills the disk but for so many, and at most a MiB more
    rm -f "$disk/filler"
    fallocate -l "$(($(bytes avail) - $1 - (1 << 20)))" "$disk/filler"
}
start() { "$bundle" -y --container-runtime "$runtime" --image-load "$way"; }
is_refused() { # says on stdout how much is needed
    status=0
    start 2>"$CHECKS/refusal" || status=$?
    cat "$CHECKS/refusal"
    [ "$status" = 6 ] && [ "$(find "$HOME" -type f | wc -l)" = 0 ]
}
start_sampled() {
    (while :; do bytes used; sleep 0.1; done) >"$CHECKS/samples" &
    sampler=$!
    status=0
    start || status=$?
    kill "$sampler"
    return "$status"
}
give_up() { "$bundle" uninstall -y >&2 || true; }
trap give_up EXIT

leave $((4 << 20))
check "$runtime, $way: a disk with 4 MiB is refused" is_refused >&2
asked=$(grep -o '([0-9]* bytes, a tenth to spare)' "$CHECKS/refusal" | tr -cd 0-9)
leave "$asked"
before=$(bytes used)
check "$runtime, $way: a disk with $asked bytes is enough" start_sampled >&2
sync
end=$(($(bytes used) - before)) peak=$(($(sort -n "$CHECKS/samples" | tail -n 1) - before))
is_modest() { echo "$end bytes in the end, $peak at the peak"; [ $((peak * 10)) -le $((end * 11)) ]; }
[ "$way" = cache ] || check "$runtime, $way: the peak is at most a tenth above the end" is_modest >&2
echo "$runtime, $way|$end|$peak|$asked"
check "$runtime, $way: uninstall" "$bundle" uninstall -y >&2
trap - EXIT
