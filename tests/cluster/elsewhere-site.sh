#!/bin/sh
# On the air-gapped host: a start with an engine that does not see this user's files, as
# one in a machine of its own does not; here the home is a file system that only the
# start sees.
# Usage: cluster/elsewhere-site.sh BUNDLE
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
bundle=$1
mkdir -p "$HOME"
unset MINIKUBE_HOME XDG_STATE_HOME
start_and_uninstall() {
    # shellcheck disable=SC2016
    unshare --mount sh -ec '
        mount -t tmpfs -o mode=755 tmpfs "$HOME"
        "$0" start -y --image-load volume
        "$0" uninstall -y' "$bundle" >"$CHECKS/told" 2>&1
}
says_so() {
    if start_and_uninstall && grep -q 'through its client' "$CHECKS/told"; then return; fi
    cat "$CHECKS/told"
    return 1
}
check "an engine that does not see this user's files: start and uninstall" says_so
