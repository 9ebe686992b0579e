#!/bin/sh
# The part of `make bench` that starts clusters: from the file to Ready, beside
# the steps that minikube's own documents give. Everybody waits for the same
# (--wait=all). Needs real minikube.
# Usage: bench-start.sh FOLDER MINIKUBE
set -eu
cd "$(dirname "$0")"
work=$1
if [ -z "${MINIKUBE_OFFLINE_TEST_MINIKUBE:-}" ]; then
    echo "from the file to Ready: skipped, MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube"
    exit 0
fi
(cd "$work/parts" && find . -type f -exec sha256sum {} + >"$work/sums")
export BENCH="$work"
for way in bundle images preload; do
    HOME=$work/site lab/airgap.sh ./bench-site.sh "$way"
    rm -rf "$work/site"
done
printf '\n%-34s %9s %8s %8s\n' "from the file to Ready" s time 'MiB peak'
awk -F '|' 'NR == 1 { t = $2 } { printf "%-34s %9.1f %7.2fx %8.0f\n", $1, $2, $2 / t, $3 / 1024 }' "$work/starts"
