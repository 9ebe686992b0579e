#!/bin/sh
# `make test-rehearse`: rehearsals of real Kubernetes, started by the stand-in minikube: a sound
# bundle, one whose image is pulled at run time, one whose pod asks a name outside, one that has too
# little memory, and one that is killed. Takes PACKAGER, STUB and STANDIN. Needs root.
set -eu
cd "$(dirname "$0")/.."
lab/engine.sh
lab/need.sh mkfs.ext4=e2fsprogs
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
if ! [ -e "$lab/kicbase.tar" ] || ! [ -d "$lab/images/v1.35.4" ]; then lab/all.sh; fi
work=$(mktemp -d "$lab/rehearse.XXXXXX")
trap 'rm -rf "$work"' EXIT
. lab/check.sh
report=$work/report

packed() { # packed NAME [POD IMAGE COMMAND [FLAGS...]]
    bundle=$work/$1.run
    shift
    if [ $# -gt 0 ]; then
        pod=$1 image=$2 words=$3
        shift 3
        cat >"$work/manifest.yaml" <<END
apiVersion: v1
kind: Pod
metadata: {name: $pod, namespace: default}
spec:
  containers: [{name: app, image: '$image', $words}]
END
        set -- "$@" --manifest "$work/manifest.yaml"
    fi
    lab/pack.sh "$STANDIN" containerd "$lab/kubernetes/v1.35.4" "$bundle" --level fast --stub "$STUB" "$@"
}
rehearse() { # rehearse CODE BUNDLE [FLAGS...]: the result is in $report
    code=$1 status=0
    shift
    "$PACKAGER" rehearse "$@" --directory "$work/host" --json >"$report" 2>&1 || status=$?
    tail -n 2 "$report"
    [ "$status" = "$code" ]
}
says() { grep -F "$1" "$report"; }
nothing_stays() { ! [ -e "$work/host" ] && ! find /sys/fs/cgroup -maxdepth 2 -name minikube-offline-rehearsal | grep .; }
killed() {
    "$PACKAGER" rehearse "$work/sound.run" --directory "$work/host" >/dev/null 2>&1 &
    pid=$!
    eventually test -d "$work/host/data/engine/containers"
    kill -KILL "$pid"
    wait "$pid" || true
    eventually "$PACKAGER" rehearse --clean --directory "$work/host"
    ! grep -F "$work/host" /proc/mounts && ! losetup -a | grep -F "$work/host"
}

check "pack a sound bundle" packed sound
check "a sound bundle: exit code 0" rehearse 0 "$work/sound.run" --disk 12g --html "$work/page.html"
check "a sound bundle: it is fit" says '"fit":true'
check "a sound bundle: the page says so" grep 'everything was ready' "$work/page.html"
check "a sound bundle: nothing stays" nothing_stays
check "too little memory: exit code 9" rehearse 9 "$work/sound.run" --memory 600m
check "too little memory: it is named" says memory
check "a rehearsal that is killed leaves nothing that --clean does not remove" killed
check "killed: nothing stays" nothing_stays
check "pack a pod whose image is pulled at run time" packed pull puller registry.example/app:1 "imagePullPolicy: Always"
check "an image that is pulled: exit code 10" rehearse 10 "$work/pull.run"
check "an image that is pulled: it is named" says 'registry.example/app:1` is pulled at run time'
check "an image that is pulled: who asks for it is named" says '"by":"process containerd in the node"'
# Static, whatever the package busybox of this machine is.
mkdir "$work/busybox"
(cd "$work" && apt-get download -qq busybox-static && dpkg -x busybox-static_*.deb static)
cp "$work/static/bin/busybox" "$work/busybox/busybox"
lab/archive.sh registry.example/busybox:1 "$work/busybox" "$work/busybox.tar" '{"Entrypoint":["/busybox"]}'
asks="while :; do /busybox nslookup outside.example.com; /busybox sleep 2; done"
check "pack a pod that asks a name outside" packed asks asker registry.example/busybox:1 "imagePullPolicy: IfNotPresent, command: [/busybox, sh, -c, '$asks']" --image "docker-archive:$work/busybox.tar"
check "a name outside: exit code 10" rehearse 10 "$work/asks.run"
check "a name outside: pod and name are there" says 'pod default/asker tries name outside.example.com'
summary
