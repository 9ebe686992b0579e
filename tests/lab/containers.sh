#!/bin/sh
# Builds what runs containers, as it is now, from the published Go modules: into the
# lab's containers/ containerd, its shim, ctr and crictl, which the node image has, and
# Docker Engine 29 with its client, which `airgap.sh --engine 29` runs on them. Debian
# has its runc. Does nothing when all are there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
out=$lab/containers containerd=v2.4.2 crictl=v1.37.0 moby=v2.0.0-beta.24 docker=29.9.3

build() { # build VERSION-FLAG MODULE@VERSION PACKAGE...
    flag=$1 module=$2
    shift 2
    for package; do
        [ -x "$out/${package##*/}" ] && continue
        "$here/go-build.sh" "$out" "-s -w -X $flag" "$module" "$@"
        return
    done
}
echo "building containerd $containerd, crictl $crictl and Docker Engine $docker into $out: up to 5 minutes on 2 cores" >&2
c=github.com/containerd/containerd/v2
build "$c/version.Version=$containerd" "$c@$containerd" $c/cmd/containerd $c/cmd/containerd-shim-runc-v2 $c/cmd/ctr
build "sigs.k8s.io/cri-tools/pkg/version.Version=$crictl" "sigs.k8s.io/cri-tools@$crictl" sigs.k8s.io/cri-tools/cmd/crictl
m=github.com/moby/moby/v2
build "$m/dockerversion.Version=$docker" "$m@$moby" $m/cmd/dockerd $m/cmd/docker-proxy
build "github.com/docker/cli/cli/version.Version=$docker" "github.com/docker/cli@v$docker+incompatible" github.com/docker/cli/cmd/docker
