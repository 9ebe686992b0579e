#!/bin/sh
# `make bench-verify`: how long it takes to verify a bundle of a GiB that does not
# compress, beside `cat` and `sha256sum` of the same file. Medians of BENCH_ROUNDS (10)
# rounds in which each has its turn: from the medium, where the page cache has forgotten
# the file, from a medium of 400 MB/s, as good sticks are (root), and from the page cache.
# Takes PACKAGER, STUB and STANDIN.
set -eu
cd "$(dirname "$0")/.."
rounds=${BENCH_ROUNDS:-10}
lab/need.sh time=time
work=$(mktemp -d)
. bench/stick.sh
cleanup() {
    rm -rf "$work"
    no_stick
}
trap cleanup EXIT
lab/sample-parts.sh "$STANDIN" "$work/parts"
mkdir "$work/noise"
head -c 1G /dev/urandom >"$work/noise/noise"
lab/archive.sh registry.example/noise:1 "$work/noise" "$work/parts/images/noise.tar"
rm -r "$work/noise"
set -- --kubernetes-version v1.35.4 --container-runtime docker --stub "$STUB" --level fast --offline \
    --minikube "$work/parts/minikube" --kicbase "docker-archive:$work/parts/kicbase.tar" --binaries "$work/parts/binaries"
for image in "$work"/parts/images/*.tar; do set -- "$@" --image "docker-archive:$image"; done
"$PACKAGER" pack "$@" -o "$work/x.run" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
rm -r "$work/parts"
sync
bytes=$(wc -c <"$work/x.run")

forget() { dd if="$work/x.run" iflag=nocache count=0 status=none; }
# measure NAME COMMAND...: `SECONDS PROCESSOR-SECONDS` of one run, in a file for the name
measure() {
    name=$1
    shift
    /usr/bin/time -f '%e %U %S' -o "$work/time" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    tail -n 1 "$work/time" | awk '{ print $1, $2 + $3 }' >>"$work/$name"
}
stick_is_there "$work" || echo "skipped: a medium of 400 MB/s (not root, or no control group for disks)"
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    forget && measure medium.cat cat "$work/x.run"
    forget && measure medium.verify "$work/x.run" verify
    forget && measure medium.sha256sum sha256sum "$work/x.run"
    if [ -n "$stick_group" ]; then
        forget && from_stick measure stick.cat cat "$work/x.run"
        forget && from_stick measure stick.verify "$work/x.run" verify
    fi
    cat "$work/x.run" >/dev/null
    measure cache.cat cat "$work/x.run"
    measure cache.verify "$work/x.run" verify
    measure cache.sha256sum sha256sum "$work/x.run"
    measure cache.one taskset -c 0 "$work/x.run" verify
done

median() { sort -n -k "$2,$2" "$work/$1" | awk -v column="$2" '{ value[NR] = $column } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'; }
row() { # row TITLE NAME BESIDE: beside what the ratio is taken
    awk -v title="$1" -v bytes="$bytes" -v time="$(median "$2" 1)" -v cpu="$(median "$2" 2)" -v beside="$(median "$3" 1)" 'BEGIN {
        gib = bytes / 2 ^ 30
        printf "%-44s %8.2f %8.0f %9.2f %12.2fx\n", title, time, bytes / time / 1e6, cpu / gib, time / beside }'
}
echo "$bytes bytes, $rounds rounds, medians; $(nproc) processors, $(uname -m)$(grep -q sha_ni /proc/cpuinfo && echo ' with SHA-NI'); $(date -u +%F)"
printf '%-44s %8s %8s %9s %13s\n' 'from the medium' s MB/s 'cpu s/GiB' 'time/cat'
row 'cat' medium.cat medium.cat
row 'minikube-offline verify' medium.verify medium.cat
row 'sha256sum' medium.sha256sum medium.cat
if [ -n "$stick_group" ]; then
    printf '%-44s %8s %8s %9s %13s\n' 'from a medium of 400 MB/s' s MB/s 'cpu s/GiB' 'time/cat'
    row 'cat' stick.cat stick.cat
    row 'minikube-offline verify' stick.verify stick.cat
fi
printf '%-44s %8s %8s %9s %13s\n' 'from the page cache' s MB/s 'cpu s/GiB' 'time/sha256sum'
row 'cat' cache.cat cache.sha256sum
row 'minikube-offline verify' cache.verify cache.sha256sum
row 'minikube-offline verify, on one processor' cache.one cache.sha256sum
row 'sha256sum' cache.sha256sum cache.sha256sum

. lab/check.sh
# This machine's medium may be faster than its processors hash.
medium=medium
[ -z "$stick_group" ] || medium=stick
check "at least 90 % of the rate at which the medium is read" \
    awk -v verify="$(median $medium.verify 1)" -v cat="$(median $medium.cat 1)" 'BEGIN { exit !(cat / verify >= 0.9) }' || true
# Of processors, so that other work on the machine does not count.
check "a GiB from the page cache in at most 0.5 s of each processor" \
    awk -v cpu="$(median cache.verify 2)" -v bytes="$bytes" -v processors="$(nproc)" 'BEGIN { exit !(cpu / (bytes / 2 ^ 30) / processors <= 0.5) }' || true
summary
