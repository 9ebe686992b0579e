#!/bin/sh
# Builds real Kubernetes binaries from the published Go modules into the lab's
# kubernetes/VERSION: kubeadm kubelet kubectl kube-apiserver
# kube-controller-manager kube-scheduler kube-proxy, and beside them etcd and
# coredns. About 12 minutes on 2 cores when cold; nothing when already there.
# Usage: kubernetes.sh [VERSION] [ETCD] [COREDNS], as in v1.35.4 v3.6.6 v1.14.3
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=${1:-v1.35.4} etcd=${2:-v3.6.6} coredns=${3:-v1.14.3}
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
out=$lab/kubernetes/$version
mkdir -p "$out"
export CGO_ENABLED=0 GOFLAGS=-mod=mod

build() { # build MODULE VERSION PACKAGE...: puts the programs into $out
    module=$1 at=$2
    shift 2
    work=$(mktemp -d)
    cd "$work"
    printf 'module lab\n\ngo 1.25.0\n' >go.mod
    go mod edit -require="$module@$at"
    # The module points its staging modules at its own tree: pin their releases.
    for staged in $(go mod download -json "$module@$at" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p' | xargs sed -n 's#^\t\(k8s.io/[^ ]*\) => \./staging.*#\1#p'); do
        go mod edit -replace="$staged=$staged@v0${at#v1}"
    done
    for package; do go mod edit -tool="$package"; done
    go mod tidy
    mkdir built
    go build -trimpath -ldflags "$ldflags" -o built/ "$@"
    for program in built/*; do
        case ${program#built/} in
        server) mv "$program" "$out/etcd" ;; # its package is go.etcd.io/etcd/server
        *) mv "$program" "$out/" ;;
        esac
    done
    cd / && chmod -R u+w "$work" && rm -rf "$work"
}
missing() { for program; do [ -x "$out/$program" ] || return 0; done; return 1; }

kubernetes="kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy"
# shellcheck disable=SC2086
missing etcd coredns $kubernetes || exit 0
"$here/need.sh" go=golang-go
# Go 1.21 and newer fetch the toolchain that a module asks for by themselves.
go version | grep -Eq 'go1\.(2[1-9]|[3-9][0-9])' || { echo "kubernetes.sh needs Go 1.21 or newer, this is $(go version)" >&2; exit 1; }
echo "building Kubernetes $version, etcd $etcd and CoreDNS $coredns into $out: up to 12 minutes on 2 cores" >&2
ldflags="-s -w"
if missing etcd; then build go.etcd.io/etcd/server/v3 "$etcd" go.etcd.io/etcd/server/v3; fi
if missing coredns; then build github.com/coredns/coredns "$coredns" github.com/coredns/coredns; fi
minor=${version#v1.}
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    ldflags="$ldflags -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean -X $package.gitCommit=lab -X $package.buildDate=2026-01-01T00:00:00Z"
done
# shellcheck disable=SC2046,SC2086
if missing $kubernetes; then build k8s.io/kubernetes "$version" $(printf 'k8s.io/kubernetes/cmd/%s ' $kubernetes); fi
