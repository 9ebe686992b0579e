#!/bin/sh
# `make test-online`: packs straight from upstream as a person would, verifies the
# bundle, packs it again from its lock and, with root, carries it to a host without
# a network and starts it there. Takes the programs from PACKAGER and STANDIN.
#   ONLINE_VERSIONS   the Kubernetes versions (default: v1.37)
#   ONLINE_RUNTIMES   the container runtimes (default: docker containerd)
#   ONLINE_REQUIRED=1 no network is a failure
set -eu
cd "$(dirname "$0")/.."
lab/need.sh curl=curl
upstream=https://dl.k8s.io/release/stable.txt code=0
curl --silent --show-error --fail --location --max-time 60 --output /dev/null "$upstream" || code=$?
case $code in
0) ;;
5 | 6 | 7 | 28) # curl(1): no such proxy, no such host, no connection, nothing in time
    echo "skipped: no network to dl.k8s.io (curl ended with $code)"
    [ -z "${ONLINE_REQUIRED:-}" ] || { echo "ONLINE_REQUIRED is set: that is a failure" >&2; exit 1; }
    exit 0
    ;;
*)
    echo "there is a network, and $upstream cannot be read: curl ended with $code" >&2
    exit 1
    ;;
esac
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
mkdir -p "$lab"
work=$(mktemp -d "$lab/online.XXXXXX")
trap 'rm -rf "$work"' EXIT
. lab/check.sh
[ "$(id -u)" = 0 ] || echo "skipped: starting the bundles, which needs root"
# Nothing may come from an earlier run.
export XDG_CACHE_HOME="$work/cache"
# Besides what comes from upstream: an application, for the site to deploy.
mkdir "$work/app"
cp "$STANDIN" "$work/app/app"
lab/archive.sh registry.example/app:1 "$work/app" "$work/app.tar" '{"Entrypoint":["/app"]}'
own_files=$(lab/carried/flags)
# shellcheck disable=SC2086 # flags
pack() { "$PACKAGER" pack --container-runtime "$runtime" --level fast --image "docker-archive:$work/app.tar" $own_files "$@"; }
for version in ${ONLINE_VERSIONS:-v1.37}; do
    for runtime in ${ONLINE_RUNTIMES:-docker containerd}; do
        label="upstream $version, $runtime" bundle=$work/$runtime.run
        check "$label: pack" pack --kubernetes-version "$version" -o "$bundle" || continue
        echo "        $(wc -c <"$bundle") bytes"
        check "$label: verify" "$PACKAGER" verify --deep "$bundle" || true
        check "$label: inspect" "$PACKAGER" inspect "$bundle" || true
        cp "$work/$runtime.lock" "$work/again.lock"
        check "$label: pack again from the lock" pack --locked -o "$work/again.run" || true
        check "$label: the same bytes" cmp "$bundle" "$work/again.run" || true
        rm -f "$work/again.run"
        if [ "$(id -u)" = 0 ]; then
            lab/engine.sh
            HOME=$work/site MINIKUBE_OFFLINE_LAB=$lab lab/airgap.sh cluster/site.sh "$bundle" kubernetes || true
        fi
        rm -rf "$work/site" "$bundle"
    done
done
summary
