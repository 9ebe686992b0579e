#!/bin/sh
# The part of `make bench` that starts clusters: from the file to Ready, beside the
# steps that minikube's own documents give. Everybody waits for the same.
# In rounds, each in the other order than the one before, and each time divided by the
# bundle's in the same round: other work on the machine makes all of them slower.
# Twice: with the files on this machine's disk, and on a stick (100 MB/s; STICK=bytes a
# second), which is what people carry.
# BENCH_ROUNDS says how many (3); BENCH_RUNTIME which container runtime (docker).
# Usage: bench/start.sh DIR
set -eu
cd "$(dirname "$0")/.."
work=$1 rounds=${BENCH_ROUNDS:-3}
if [ -z "${MINIKUBE_OFFLINE_TEST_MINIKUBE:-}" ]; then
    echo "from the file to Ready: skipped, MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube"
    exit 0
fi
export BENCH="$work"
STICK=${STICK:-100000000}
. bench/stick.sh
trap no_stick EXIT
stick_is_there "$work" || echo 'from a stick: skipped (not root, or no control group for disks)'
export stick_group
once() {
    HOME=$work/site lab/airgap.sh bench/site.sh "$@"
    rm -rf "$work/site"
}
once prepare
# What each way uses, and a person would check.
(
    cd "$work"
    programs='parts/minikube parts/kubeadm parts/kubelet parts/kubectl'
    # shellcheck disable=SC2086
    sha256sum parts/kicbase.tar $programs preload.tar.lz4 >sums.preload
    # shellcheck disable=SC2046,SC2086
    sha256sum parts/kicbase.tar $programs $(find parts/v* -type f) >sums.images
)
round=1
while [ "$round" -le "$rounds" ]; do
    ways='bundle preload'
    [ $((round % 2)) = 1 ] || ways='preload bundle'
    # One by one is the slow way: once is enough to see it.
    [ "$round" != 1 ] && [ -z "${BENCH_FULL:-}" ] || ways="$ways images"
    for way in $ways; do once "$way" "$round"; done
    [ -z "$stick_group" ] || for way in ${ways%images}; do once "$way-stick" "$round"; done
    round=$((round + 1))
done
printf '\n%-36s %8s %8s %17s %9s\n' "from the file to Ready, $rounds rounds" 's' 'ratio' 'in the rounds' 'MiB peak'
for way in bundle preload preload-verified images images-verified bundle-stick preload-stick preload-stick-verified; do
    grep -q "^$way|" "$work/starts" || continue
    # NAME|ROUND|SECONDS|MiB, and the bundle's seconds of that round and medium
    base=bundle
    [ "$way" = "${way#*-stick}" ] || base=bundle-stick
    awk -F '|' -v way="$way" -v base="$base" 'NR == FNR { if ($1 == base) bundle[$2] = $3; next }
        $1 == way { print $3 / bundle[$2], $3, $4 }' "$work/starts" "$work/starts" | sort -n >"$work/one"
    awk -v way="$way" '{ ratio[NR] = $1; seconds[NR] = $2; if ($3 > peak) peak = $3 }
        END { middle = int((NR + 1) / 2)
              printf "%-36s %8.1f %7.2fx %7.2fx - %5.2fx %9.0f\n", way, seconds[middle], ratio[middle], ratio[1], ratio[NR], peak / 1024 }' "$work/one"
done
echo '-stick: the files come from a medium of '$((STICK / 1000000))' MB/s'
echo 'preload, images: docker load, files into the cache, minikube start; -verified: and sha256sum -c'
