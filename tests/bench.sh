#!/bin/sh
# `make bench`: sizes and times of one run, side by side, as ratios to ours. The slow
# ones (zstd -19, --level max: 20 minutes) only with BENCH_FULL=1; the starts only
# with a real minikube in MINIKUBE_OFFLINE_TEST_MINIKUBE.
# Takes the programs from the environment: PACKAGER, STUB, STANDIN.
set -eu
cd "$(dirname "$0")"
./lab.sh >&2
lab/need.sh makeself=makeself zstd=zstd time=time jq=jq >&2
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
work=$(mktemp -d "$lab/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
minikube=${MINIKUBE_OFFLINE_TEST_MINIKUBE:-$STANDIN}
parts=$work/parts
mkdir -p "$parts"
cp -r "$lab/images/v1.35.4" "$lab/kicbase.tar" "$minikube" "$parts/"
cp "$lab"/kubernetes/v1.35.4/kubeadm "$lab"/kubernetes/v1.35.4/kubelet "$lab"/kubernetes/v1.35.4/kubectl "$parts/"
tar -C "$parts" -cf "$work/parts.tar" .

row() { # row NAME FILE COMMAND...: time, peak memory and size of what it makes
    name=$1 file=$2
    shift 2
    /usr/bin/time -o "$work/time" -f '%e %M' "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    read -r seconds memory <"$work/time"
    bytes=$([ -z "$file" ] || wc -c <"$file")
    : "${ours_seconds:=$seconds}" "${ours_bytes:=$bytes}"
    awk -v n="$name" -v s="$seconds" -v m="$memory" -v b="${bytes:-0}" -v os="$ours_seconds" -v ob="${ours_bytes:-0}" \
        'BEGIN { printf "%-34s %7.2f s  x%-6.2f %5d MiB", n, s, s / os, m / 1024; if (b) printf "  %5d MB  x%.2f", b / 1e6, b / ob; print "" }'
}
echo "what                                  time  to ours   memory      size  to ours"
pack() { row "pack --level $1" "$work/$1.run" ./pack-lab.sh "$minikube" docker "$lab/kubernetes/v1.35.4" "$work/$1.run" --level "$1"; }
pack default
pack fast
row "zstd -3 of a tar" "$work/parts.zst" zstd -q -f -T0 -3 "$work/parts.tar" -o "$work/parts.zst"
row "makeself --zstd" "$work/makeself.run" makeself --quiet --nox11 --zstd "$parts" "$work/makeself.run" parts true
row "makeself --gzip" "$work/makeself.run" makeself --quiet --nox11 --gzip "$parts" "$work/makeself.run" parts true
if [ -n "${BENCH_FULL:-}" ]; then
    pack max
    row "zstd -19 --long=27 of a tar" "$work/parts.zst" zstd -q -f -T0 -19 --long=27 "$work/parts.tar" -o "$work/parts.zst"
else
    echo "skipped: --level max and zstd -19, without BENCH_FULL=1"
fi
ours_seconds='' ours_bytes=''
row "verify" '' "$PACKAGER" verify "$work/default.run"
row "sha256sum" '' sha256sum "$work/default.run"
if [ -z "${MINIKUBE_OFFLINE_TEST_MINIKUBE:-}" ]; then
    echo "skipped: from file to Ready, without MINIKUBE_OFFLINE_TEST_MINIKUBE"
    exit 0
fi
(cd "$parts" && find . -type f -exec sha256sum {} +) >"$work/sums"
ours_seconds='' ours_bytes=''
export MINIKUBE_OFFLINE_LAB="$lab"
row "file to Ready, the bundle" '' env HOME="$work/home1" lab/airgap.sh ./bench-site.sh bundle "$work/default.run"
row "file to Ready, stock, per image" '' env HOME="$work/home2" lab/airgap.sh ./bench-site.sh stock "$parts" "$work/sums" "$minikube"
