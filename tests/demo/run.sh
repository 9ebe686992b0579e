#!/bin/sh
# `make demo`: the whole journey with sample parts, made on the spot. Takes the
# programs from the environment: PACKAGER, STUB, STANDIN.
set -eu
cd "$(dirname "$0")/.."
begun=$(date +%s)
say() { printf '\n== %s\n' "$*"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MINIKUBE_OFFLINE_LAB="$work/lab"

cat <<'END'
minikube is a STAND-IN in this demo, and so are kubeadm, kubelet and kubectl: small
programs that check what they are given as strictly as the real ones. Real are the
bundle, the node container, the container runtime in it, the images, and the host
without a network. To pack a real cluster, see the end.
END
missing=
PATH=$PATH:/usr/sbin:/sbin
if [ "$(id -u)" != 0 ]; then
    missing='root (sudo make demo)'
    command -v dockerd >/dev/null || missing="$missing and Docker Engine (which that installs)"
elif ! lab/engine.sh; then
    echo "error: the demo starts a cluster, and Docker Engine could not be made ready: see above" >&2
    exit 1
fi

say "Making sample parts"
lab/sample-parts.sh "$STANDIN" "$work/parts"
du -sh "$work/parts" | cut -f 1

say "Packing them: minikube-offline pack"
set -- --kubernetes-version v1.35.4 --container-runtime docker --stub "$STUB" --level fast --offline \
    --minikube "$work/parts/minikube" --kicbase "docker-archive:$work/parts/kicbase.tar" --binaries "$work/parts/binaries"
for image in "$work"/parts/images/*.tar; do set -- "$@" --image "docker-archive:$image"; done
bundle=$work/minikube-offline-v1.35.run
"$PACKAGER" pack "$@" -o "$bundle"

say "What is in it: ./minikube-offline-v1.35.run inspect"
"$bundle" inspect

for shell in dash 'busybox ash' bash; do
    command -v "${shell%% *}" >/dev/null || { echo "skipped: no $shell here"; continue; }
    say "Verifying it: $shell minikube-offline-v1.35.run verify"
    $shell "$bundle" verify
done

say "Opening it: ./minikube-offline-v1.35.run extract --to parts"
"$bundle" extract --to "$work/extracted"
find "$work/extracted" -type f | sed "s#$work/extracted#parts#" | sort | head -n 20

if [ -n "$missing" ]; then
    say "Not started: a start needs $missing"
else
    say "Starting it on a host without a network: ./minikube-offline-v1.35.run -y"
    HOME=$work/site lab/airgap.sh demo/site.sh "$bundle"
fi

say "Done in $(($(date +%s) - begun)) s"
cat <<'END'
To pack a real cluster, on a machine with a network:
    minikube-offline pack --kubernetes-version v1.35
or, where minikube started it once, from what it left:
    minikube-offline pack --kubernetes-version v1.35.4 --offline \
        --minikube /usr/local/bin/minikube --from-cache ~/.minikube
END
