#!/bin/sh
# Builds what runs containers, as it is now, from the published Go modules: into the
# lab's containers/ containerd, its shim, ctr, crictl and runc, and Docker Engine 29 with its
# client. The node image has all of them, and `airgap.sh --engine 29` runs a host's engine
# of them. Does nothing when they are there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
out=$lab/containers containerd=v2.4.2 crictl=v1.37.0 runc=1.4.4
moby=v2.0.0-beta.24 docker=29.8.1 # of the same month

build() { # build VERSION-FLAG MODULE@VERSION PACKAGE...
    flag=$1 module=$2
    shift 2
    for package; do
        [ ! -x "$out/${package##*/}" ] || continue
        echo "building $module into $out" >&2
        "$here/go-build.sh" "$out" "-s -w -X $flag" "$module" "$@"
        return
    done
}
c=github.com/containerd/containerd/v2
build "$c/version.Version=$containerd" "$c@$containerd" $c/cmd/containerd $c/cmd/containerd-shim-runc-v2 $c/cmd/ctr
build "sigs.k8s.io/cri-tools/pkg/version.Version=$crictl" "sigs.k8s.io/cri-tools@$crictl" sigs.k8s.io/cri-tools/cmd/crictl
m=github.com/moby/moby/v2
build "$m/dockerversion.Version=$docker" "$m@$moby" $m/cmd/dockerd $m/cmd/docker-proxy
build "github.com/docker/cli/cli/version.Version=$docker" "github.com/docker/cli@v$docker+incompatible" github.com/docker/cli/cmd/docker
# The wrapper is for machines that cannot grant CAP_SYS_RESOURCE, and does no harm elsewhere.
# Debian's is too old for engine 29, which gives containers a time namespace.
if [ ! -x "$out/runc.real" ]; then
    "$here/need.sh" cc=gcc pkg-config=pkg-config
    [ -e /usr/include/seccomp.h ] || "$here/need.sh" no-such-command=libseccomp-dev
    CGO_ENABLED=1 GOFLAGS=-tags=seccomp build main.version=$runc github.com/opencontainers/runc@v$runc github.com/opencontainers/runc
    mv "$out/runc" "$out/runc.real"
fi
cmp -s "$here/runc-wrapper" "$out/runc" || install -m 755 "$here/runc-wrapper" "$out/runc"
