#!/bin/sh
# Runs a command on an air-gapped host: a network namespace of its own, with its
# own Docker Engine, whose socket is in DOCKER_HOST. Nothing there reaches this
# machine's network. Needs root; engine.sh installs what it runs.
# Usage: airgap.sh [--engine 29] [--blackhole] COMMAND...
#   default      this machine's Docker Engine; no route at all: connections fail at once
#   --engine 29  the one that containers.sh built, as its packages install it: with a
#                containerd of the host's, in whose directory it keeps images
#   --blackhole  a default route that swallows packets: connections time out
# AIRGAP_KEEP=1 keeps the Engine's data in the lab's airgap/ for the next run.
# AIRGAP_ENGINE=29 is the same as --engine 29.
set -eu
engine=${AIRGAP_ENGINE:-} blackhole=
while :; do
    case $1 in
    --blackhole) blackhole=1 ;;
    --engine) engine=$2 && shift ;;
    *) break ;;
    esac
    shift
done
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
name=airgap$$ state=/run/airgap$$ data=$lab/airgap
[ -n "${AIRGAP_KEEP:-}" ] || data=$lab/airgap.$$
mkdir -p "$state" "$data"
echo 'nameserver 198.51.100.53' >"$state/resolv.conf"
printf '#!/bin/sh\nset -e\nmount --bind %s/resolv.conf /etc/resolv.conf\n' "$state" >"$state/enter"
start=$state/start
printf '#!/bin/sh\n' >"$start"
case $engine in
29) # containerd where its packages have it, in sight of the engine and of the command
    containers=${MINIKUBE_OFFLINE_LAB_CONTAINERS:-$lab/containers}
    export PATH="$containers:$PATH"
    mkdir -p "$data/engine" "$data/containerd" "$state/containerd" /var/lib/containerd /run/containerd
    printf 'mount --bind %s /var/lib/containerd\nmount --bind %s /run/containerd\n' "$data/containerd" "$state/containerd" >>"$state/enter"
    printf 'containerd --log-level=warn & echo $! >%s/containerd.pid\nset -- "$@" --containerd=/run/containerd/containerd.sock\n' "$state" >>"$start"
    root=$data/engine ;;
'') root=$data ;;
*) echo "there is no engine $engine: 29, or none" >&2; exit 2 ;;
esac
printf 'exec "$@"\n' | tee -a "$start" >>"$state/enter"
chmod +x "$state/enter" "$start"
cleanup() {
    for pid in "$state/docker.pid" "$state/containerd.pid"; do
        [ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
        # containerd serves the engine until that has ended, and removed the file.
        tries=0
        while [ -e "$state/docker.pid" ] && [ "$tries" -lt 150 ]; do tries=$((tries + 1)) && sleep 0.1; done
    done
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
inside "$start" dockerd -H "$DOCKER_HOST" --data-root "$root" --exec-root "$state/exec" --pidfile "$state/docker.pid" >"$state/dockerd.log" 2>&1 &
tries=0
until docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -le 120 ] || { cat "$state/dockerd.log" >&2; exit 1; }
    sleep 0.5
done
inside "$@"
