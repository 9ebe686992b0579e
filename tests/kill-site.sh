#!/bin/sh
# On the air-gapped host: see kill.sh.
# Usage: kill-site.sh BUNDLE TIMES [START FLAGS...]
set -eu
cd "$(dirname "$0")"
. ./check.sh
bundle=$1 times=$2
shift 2
mkdir -p "$HOME" "$TMPDIR"
export KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME XDG_RUNTIME_DIR

# Everything that a start could leave: files, the engine's objects, mounts, interfaces
# and the rules of the firewall, without their counters.
host() {
    find "$HOME" "$TMPDIR" /usr/local/bin
    docker ps --all --no-trunc --format '{{.ID}}'
    docker volume ls --quiet
    docker image ls --no-trunc --quiet
    docker network ls --quiet
    cut -d ' ' -f 2 /proc/self/mounts | grep -v '/airgap' || true
    ip -o link | cut -d : -f 2 | grep -v veth
    iptables-save | grep '^-'
}
is_as_before() { host | sort >"$CHECKS/after" && diff "$CHECKS/before" "$CHECKS/after"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
killed() { # killed MILLISECONDS START-FLAGS...: says what the start was at
    moment=$1
    shift
    "$bundle" -y "$@" 2>"$CHECKS/told" >/dev/null &
    start=$!
    sleep "$(echo "$moment" | awk '{ print $1 / 1000 }')"
    kill -9 "$start" 2>/dev/null || echo "it had ended by itself"
    wait "$start" 2>/dev/null || true
    tail -n 1 "$CHECKS/told"
}
host | sort >"$CHECKS/before"
first=$(milliseconds)
check "a start that nobody ends${*:+: $*}" "$bundle" -y "$@"
whole=$(($(milliseconds) - first))
check "its uninstall" "$bundle" uninstall -y
check "the host is as before" is_as_before
number=0
while [ "$number" -lt "$times" ]; do
    number=$((number + 1))
    moment=$((whole * number / (times + 1)))
    echo "        $number of $times: after $moment of $whole ms, behind: $(killed "$moment" "$@")"
    if [ $((number % 2)) = 1 ]; then check "killed, and run again" "$bundle" -y "$@" || true; fi
    check "killed, and uninstalled" "$bundle" uninstall -y || true
    check "the host is as before" is_as_before || true
done
