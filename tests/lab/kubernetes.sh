#!/bin/sh
# Builds real Kubernetes binaries from the published Go modules into the lab's
# kubernetes/VERSION: kubeadm kubelet kubectl kube-apiserver
# kube-controller-manager kube-scheduler kube-proxy, and beside them the etcd
# that this kubeadm names, and coredns. About 12 minutes on 2 cores when cold, 8 for a second one;
# nothing when already there.
# Usage: kubernetes.sh [VERSION]...   as in v1.35.4 v1.37.2
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
kubernetes="kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy"
# Kubernetes is content with a newer CoreDNS than it names: one for all.
coredns=v1.14.6

missing() { for program; do [ -x "$out/$program" ] || return 0; done; return 1; }
shared() { # shared NAME VERSION MODULE: one build for every Kubernetes that has it
    missing "$1" || return 0
    [ -x "$lab/kubernetes/$1-$2/$1" ] || "$here/go-build.sh" "$lab/kubernetes/$1-$2" "-s -w" "$3@$2" "$3"
    ln -f "$lab/kubernetes/$1-$2/$1" "$out/$1"
}
named_etcd() { # as v3.7.0, by the kubeadm of this version
    source=$(cd / && go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
    sed -n 's/.*DefaultEtcdVersion = "\([0-9.]*\).*/v\1/p' "$source/cmd/kubeadm/app/constants/constants.go"
}

[ $# -gt 0 ] || set -- v1.35.4
for version; do
    out=$lab/kubernetes/$version
    # shellcheck disable=SC2086
    missing etcd coredns $kubernetes || continue
    "$here/need.sh" go=golang-go
    echo "building Kubernetes $version, its etcd and CoreDNS $coredns into $out: up to 12 minutes on 2 cores" >&2
    mkdir -p "$out"
    if missing etcd; then shared etcd "$(named_etcd)" go.etcd.io/etcd/server/v3; fi
    shared coredns $coredns github.com/coredns/coredns
    minor=${version#v1.} ldflags="-s -w"
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        ldflags="$ldflags -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean -X $package.gitCommit=lab -X $package.buildDate=2026-01-01T00:00:00Z"
    done
    # shellcheck disable=SC2046,SC2086
    if missing $kubernetes; then "$here/go-build.sh" "$out" "$ldflags" "k8s.io/kubernetes@$version" $(printf 'k8s.io/kubernetes/cmd/%s ' $kubernetes); fi
done
