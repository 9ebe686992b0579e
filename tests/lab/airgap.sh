#!/bin/sh
# Runs a command on an air-gapped host: a network namespace of its own, with its
# own Docker Engine, whose socket is in DOCKER_HOST. Nothing there reaches this
# machine's network. Needs root; engine.sh installs what it runs.
# Usage: airgap.sh [--blackhole] COMMAND...
#   default      no route at all: connections fail at once
#   --blackhole  a default route that swallows packets: connections time out
# AIRGAP_KEEP=1 keeps the Engine's data in the lab's airgap/ for the next run.
set -eu
blackhole=
[ "$1" != --blackhole ] || { blackhole=1; shift; }
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
name=airgap$$ state=/run/airgap$$ data=$lab/airgap
[ -n "${AIRGAP_KEEP:-}" ] || data=$lab/airgap.$$
mkdir -p "$state" "$data"
echo 'nameserver 198.51.100.53' >"$state/resolv.conf"
printf '#!/bin/sh\nmount --bind %s/resolv.conf /etc/resolv.conf\nexec "$@"\n' "$state" >"$state/enter"
chmod +x "$state/enter"
cleanup() {
    [ ! -e "$state/docker.pid" ] || kill "$(cat "$state/docker.pid")" 2>/dev/null || true
    wait || true
    ip netns del "$name" || true
    cp "$state/dockerd.log" "$lab/airgap-dockerd.log" 2>/dev/null || true
    rm -rf "$state"
    [ -n "${AIRGAP_KEEP:-}" ] || rm -rf "$data"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
ip netns add "$name"
# Not `ip netns exec`: it mounts a fresh /sys, without the cgroups that Docker needs.
inside() { nsenter --net="/run/netns/$name" unshare --mount "$state/enter" "$@"; }
inside ip link set lo up
if [ -n "$blackhole" ]; then
    inside ip link add void type bridge
    inside ip addr add 198.51.100.2/32 dev void
    inside ip link set void up
    inside ip route add 198.51.100.1 dev void
    inside ip route add default via 198.51.100.1
    inside ip neigh replace 198.51.100.1 lladdr 02:00:00:00:00:01 dev void
fi
export DOCKER_HOST="unix://$state/docker.sock"
inside dockerd -H "$DOCKER_HOST" --data-root "$data" --exec-root "$state/exec" --pidfile "$state/docker.pid" >"$state/dockerd.log" 2>&1 &
tries=0
until docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -le 120 ] || { cat "$state/dockerd.log" >&2; exit 1; }
    sleep 0.5
done
inside "$@"
