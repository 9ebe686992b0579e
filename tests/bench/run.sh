#!/bin/sh
# `make bench`: what a bundle costs, beside other tools, in one run on this
# machine: size and time of packing, verifying, and from the file to Ready.
# BENCH_FULL=1 adds what takes minutes. The parts are the lab's.
set -eu
cd "$(dirname "$0")/.."
lab/all.sh
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
version=v1.35.4
lab/need.sh zstd=zstd makeself=makeself time=time
work=$(mktemp -d "$lab/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
minikube=${MINIKUBE_OFFLINE_TEST_MINIKUBE:-$STANDIN}

measure() { # measure NAME FILE COMMAND...: size of FILE, seconds, of processors too, peak memory
    name=$1 file=$2
    shift 2
    /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
    bytes=$(wc -c 2>/dev/null <"$file" || echo 0)
    echo "$name|$bytes|$(tail -n 1 "$work/time")" | tr ' ' '|' >>"$work/results"
}
table() { # table TITLE: ratios are against the first line; processor seconds do not depend on other work
    printf '\n%-34s %10s %8s %9s %8s %10s %8s %8s\n' "$1" MB size s time 'cpu s' time 'MiB peak'
    awk -F '|' 'NR == 1 { b = $2; t = $3; c = $4 + $5 }
        { gsub("_", " ", $1); printf "%-34s %10.1f %7.2fx %9.1f %7.2fx %10.1f %7.2fx %8.0f\n", $1, $2 / 1e6, b ? $2 / b : 0, $3, t ? $3 / t : 0, $4 + $5, c ? ($4 + $5) / c : 0, $6 / 1024 }' "$work/results"
    rm "$work/results"
}

# The same parts for everybody, as one directory.
mkdir -p "$work/parts"
cp -al "$lab/kicbase.tar" "$lab/images/$version" "$work/parts/"
cp -a "$minikube" "$work/parts/minikube"
for name in kubeadm kubelet kubectl; do cp -al "$lab/kubernetes/$version/$name" "$work/parts/"; done
printf '#!/bin/sh\ntrue\n' >"$work/parts/start" && chmod +x "$work/parts/start"
tar -C "$work/parts" -cf "$work/parts.tar" .
echo "parts: $(wc -c <"$work/parts.tar") bytes, $(nproc) processors, $(date -u +%F)"

pack() { # pack LEVEL
    measure "minikube-offline_--level_$1" "$work/$1.run" lab/pack.sh "$minikube" docker "$lab/kubernetes/$version" "$work/$1.run" --level "$1"
}
pack default
pack fast
[ -z "${BENCH_FULL:-}" ] || pack max
measure "zstd_-3" "$work/3.zst" zstd -q -f -3 -T0 "$work/parts.tar" -o "$work/3.zst"
measure "zstd_-3_--long=27" "$work/3l.zst" zstd -q -f -3 --long=27 -T0 "$work/parts.tar" -o "$work/3l.zst"
[ -z "${BENCH_FULL:-}" ] || measure "zstd_-19_--long=27" "$work/19.zst" zstd -q -f -19 --long=27 -T0 "$work/parts.tar" -o "$work/19.zst"
measure "makeself_gzip" "$work/gzip.run" makeself --gzip --quiet "$work/parts" "$work/gzip.run" parts ./start
measure "makeself_zstd" "$work/zstd.run" makeself --zstd --quiet "$work/parts" "$work/zstd.run" parts ./start
table "packing"

measure "minikube-offline_verify" "$work/default.run" "$work/default.run" verify
measure "sha256sum" "$work/default.run" sha256sum "$work/default.run"
measure "makeself_--check" "$work/zstd.run" "$work/zstd.run" --check
table "verifying"

bench/start.sh "$work"
