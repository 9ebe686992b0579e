#!/bin/sh
# On the air-gapped host: a bundle whose manifests the cluster refuses, and what a person
# changes of its files. For a bundle of the stand-in's with Docker in the node.
# Usage: cluster/manifests-site.sh BUNDLE
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
bundle=$1
mkdir -p "$HOME"
unset MINIKUBE_HOME
own=$HOME/.local/share/minikube-offline/bundles
said=$(mktemp)
give_up() { "$bundle" uninstall -y || true; }
trap give_up EXIT

ends_with() { # ends_with CODE WORDS ARGUMENTS...
    code=$1 words=$2
    shift 2
    status=0
    "$bundle" "$@" >"$said" 2>&1 || status=$?
    cat "$said"
    [ "$status" = "$code" ] && grep -F "$words" "$said"
}
silent_of() { ! grep -F "$1" "$said"; }

touch "$HOME/refuse-manifests"
check "manifests: refused ones end the start with 10 and kubectl's words" ends_with 10 'does not take all of the bundle'\''s manifests: The Deployment "carried" is invalid: spec.selector: Required value' -y
check "manifests: the cluster stays" ends_with 0 'Running' status
check "manifests: a start may leave them out" ends_with 0 'is ready' -y --no-manifests
rm "$HOME/refuse-manifests"
check "manifests: the same command again gives them again" ends_with 0 'objects' -y
manifest=$(find "$own" -name 02-objects.yaml)
echo '# mine' >>"$manifest"
check "manifests: one that was changed is told of" ends_with 0 '02-objects.yaml` was changed on this machine: it stays, and is not given to the cluster' -y
check "manifests: it was not overwritten" grep '^# mine$' "$manifest"
rm "$manifest"
check "manifests: one that was moved away comes again" ends_with 0 '1 written' -y
check "manifests: nobody is told any more" silent_of 'was changed'
check "manifests: uninstall" ends_with 0 '' uninstall -y
check "manifests: nothing is left" test ! -e "$own"
trap - EXIT
