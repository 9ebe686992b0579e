#!/bin/sh
# On the air-gapped host: see kill/run.sh.
# Usage: kill/site.sh BUNDLE TIMES [START FLAGS...]
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
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
killed() { # killed LINE MILLISECONDS START-FLAGS...: so long after the line; says what it was at
    line=$1 moment=$2
    shift 2
    "$bundle" -y "$@" 2>"$CHECKS/told" >/dev/null &
    start=$!
    until [ -z "$line" ] || grep -q "^$line" "$CHECKS/told" || ! kill -0 "$start" 2>/dev/null; do sleep 0.02; done
    sleep "$(echo "$moment" | awk '{ print $1 / 1000 }')"
    kill -9 "$start" 2>/dev/null || echo "it had ended by itself"
    wait "$start" 2>/dev/null || true
    tail -n 1 "$CHECKS/told"
}
# Each line that a start tells, behind the milliseconds that it came after.
stamped() {
    while IFS= read -r line; do echo "$(($(milliseconds) - first)) $line"; done
}
whole_start() {
    { "$bundle" -y "$@" 2>&1 >/dev/null && echo ended; } | stamped >"$CHECKS/stages"
    tail -n 1 "$CHECKS/stages" | grep -q ' ended$'
}
came() { grep -e "^[0-9]* $1" "$CHECKS/stages" | tail -n 1 | cut -d ' ' -f 1; } # came LINE: when
# kills BEGIN END START-FLAGS...: so many, spread between these two lines.
kills() {
    begin=$1 end=$2 kill=0 hit=0
    long=$(came "$end")
    [ -z "$begin" ] || long=$((long - $(came "$begin")))
    shift 2
    while [ "$kill" -lt "$times" ]; do
        kill=$((kill + 1))
        moment=$((long * kill / (times + 1)))
        behind=$(killed "$begin" "$moment" "$@")
        grep -q "^$begin" "$CHECKS/told" && ! grep -q "^$end" "$CHECKS/told" && hit=$((hit + 1))
        echo "        $kill of $times: $moment of $long ms after \`$begin\`, behind: $behind"
        if [ $((kill % 2)) = 1 ]; then check "killed, and run again" "$bundle" -y "$@" || true; fi
        check "killed, and uninstalled" "$bundle" uninstall -y || true
        check "the host is as before" is_as_before || true
    done
    check "$hit of $times came between \`$begin\` and \`$end\`" [ $((2 * hit)) -ge "$times" ] || true
}
host | sort >"$CHECKS/before"
first=$(milliseconds)
check "a start that nobody ends${*:+: $*}" whole_start "$@"
check "its uninstall" "$bundle" uninstall -y
check "the host is as before" is_as_before
kills '' ended "$@"
# While others do the work: the engine, which loads the node image, and minikube.
kills verify: 'node image and programs:' "$@"
kills 'images into ' 'minikube start:' "$@"
