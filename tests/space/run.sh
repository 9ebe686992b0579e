#!/bin/sh
# `make test-space`: the disk that a start takes. Engine and home lie on a file system
# of their own, with no more room on it than the preflight asks for: the start has to
# succeed there, and its peak may be a tenth above what lies there in the end.
# Starts with the minikube that MINIKUBE_OFFLINE_TEST_MINIKUBE names, else the stand-in.
set -eu
cd "$(dirname "$0")/.."
lab/all.sh
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
lab/need.sh mkfs.ext4=e2fsprogs
work=$(mktemp -d "$lab/space.XXXXXX")
disk=$work/disk
tidy() { ! mountpoint -q "$disk" || umount "$disk"; rm -rf "$work"; }
trap tidy EXIT
. lab/check.sh
minikube=${MINIKUBE_OFFLINE_TEST_MINIKUBE:-$STANDIN}
check "pack" lab/pack.sh "$minikube" docker "$lab/kubernetes/v1.35.4" "$work/x.run" --level fast
mkdir "$disk"
for case in 'docker volume' 'containerd volume' 'docker cache' 'containerd cache'; do
    truncate -s 16G "$work/image"
    mkfs.ext4 -q -m 0 "$work/image"
    mount -o loop "$work/image" "$disk"
    # shellcheck disable=SC2086
    HOME=$disk/home MINIKUBE_OFFLINE_LAB=$disk AIRGAP_KEEP=1 lab/airgap.sh space/site.sh "$work/x.run" "$disk" $case >>"$work/table" || true
    umount "$disk"
    rm "$work/image"
done
printf '\n%-20s %10s %10s %8s %10s %8s\n' 'MB' 'in the end' peak ratio asked ratio
awk -F '|' '{ printf "%-20s %10.0f %10.0f %7.2fx %10.0f %7.2fx\n", $1, $2/1e6, $3/1e6, $3/$2, $4/1e6, $4/$2 }' "$work/table"
summary
