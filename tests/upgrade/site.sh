#!/bin/sh
# On the air-gapped host: starts the first bundle, upgrades by the second, and goes back.
# Usage: upgrade/site.sh OLD.run NEW.run RUNTIME
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
old=$1 new=$2 label=$3
mkdir -p "$HOME"
export PATH="$HOME/.local/share/minikube-offline/bin:$PATH" KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME
cache=$(mktemp -d)
kubectl() { KUBECACHEDIR=$cache command kubectl "$@"; }
give_up() { kill "$asker" 2>/dev/null || true; "$new" uninstall -y || true; }
asker=
trap give_up EXIT

deploy() {
    kubectl apply -f upgrade/app.yaml
    kubectl rollout status deployment app --timeout=180s
    address=$(kubectl get service app -o 'jsonpath={.spec.clusterIP}')
    eventually answers
}
in_node() { docker exec minikube "$@"; }
write() { # where the volume is, as the application sees it
    directory=$(in_node sh -c 'echo /tmp/hostpath-provisioner/default/data')
    echo "$1" | docker exec -i minikube sh -c "cat >>$directory/written"
}
has() { in_node cat /tmp/hostpath-provisioner/default/data/written | grep -x "$1"; }
answers() { in_node curl -fsS --max-time 2 "http://$address/" >/dev/null 2>&1; }
ask() { # every half second; each state with its time
    state=
    while :; do
        now=down
        ! answers || now=up
        [ "$now" = "$state" ] || echo "$(date +%s) $now" >>"$cache/states"
        state=$now
        sleep 0.5
    done
}
away() { # the longest time without an answer, in seconds
    awk '$2 == "down" { since = $1 } $2 == "up" && since { if ($1 - since > most) most = $1 - since; since = 0 } END { print most + 0 }' "$cache/states"
}
runs() { # runs VERSION: node, API server, application
    [ "$(kubectl get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}')" = "$1" ]
    kubectl version -o json | grep -A 12 serverVersion | grep "\"gitVersion\": \"$1\""
    eventually answers
    kubectl rollout status deployment app --timeout=180s
}
restarts() { kubectl -n kube-system get pods -o 'custom-columns=N:.metadata.name,R:.status.containerStatuses[*].restartCount,S:.status.phase' --no-headers; }
start() { "$@" -y >"$cache/start" 2>&1 || { cat "$cache/start"; return 1; }; }
break_kubeadm() { # once the old state is kept: minikube then resets the cluster, and fails
    until in_node test -d /var/lib/minikube-offline/kept; do sleep 0.2; done
    in_node sh -c 'printf "#!/bin/sh\nexit 1\n" >/var/lib/minikube/binaries/v1.35.5/kubeadm'
}
fails() {
    break_kubeadm &
    ! "$new" -y >"$cache/start" 2>&1 || return 1
    cat "$cache/start"
    grep 'the upgrade was taken back: Kubernetes v1.35.4 runs again' "$cache/start"
}

check "$label: start" start "$old"
check "$label: deploy" deploy
check "$label: write" write before
check "$label: preflight names the upgrade" sh -c "'$new' preflight | grep 'is upgraded from Kubernetes v1.35.4 to v1.35.5'"
ask & asker=$!
begun=$(date +%s)
check "$label: upgrade" start "$new"
echo "        upgraded in $(($(date +%s) - begun)) s"
check "$label: runs v1.35.5" runs v1.35.5
echo "        the service was away for $(away) s at most"
check "$label: the volume has its data" has before
check "$label: write again" write after
"$new" status | sed 's/^/        /'
restarts | sed 's/^/        /'
check "$label: a downgrade is refused" sh -c "! '$old' -y 2>'$cache/no' && grep newer '$cache/no'"
: >"$cache/states"
begun=$(date +%s)
check "$label: rollback" "$new" rollback -y
echo "        rolled back in $(($(date +%s) - begun)) s"
check "$label: runs v1.35.4" runs v1.35.4
echo "        the service was away for $(away) s at most"
check "$label: the volume has all data" has after
restarts | sed 's/^/        /'
check "$label: nothing more to roll back" sh -c "! '$new' rollback -y 2>'$cache/no' && grep 'no state' '$cache/no'"
: >"$cache/states"
begun=$(date +%s)
check "$label: an upgrade that minikube fails is taken back" fails
echo "        taken back after $(($(date +%s) - begun)) s: $(grep '^error' "$cache/start")"
check "$label: runs v1.35.4" runs v1.35.4
echo "        the service was away for $(away) s at most"
check "$label: the volume has all data" has after
kill -TERM "$asker" && asker=

for seconds in ${KILLS-5 20 35 50}; do
    setsid "$new" -y >"$cache/start" 2>&1 & run=$!
    sleep "$seconds"
    # The bundle is a shell that becomes the program: nothing of it may go on.
    kill -KILL "$run" 2>/dev/null || true
    wait "$run" 2>/dev/null || true
    "$new" status | sed -n 's/^unfinished/        unfinished/p'
    check "$label: killed after $seconds s, the old bundle again" start "$old"
    check "$label: runs v1.35.4" runs v1.35.4
    check "$label: the volume has all data" has after
done
check "$label: upgrade after all" start "$new"
check "$label: runs v1.35.5" runs v1.35.5
check "$label: uninstall" "$new" uninstall -y
left() { left=$(docker ps -aq; docker volume ls -q; find "$HOME" -type f); [ -z "$left" ] || { echo "$left"; return 1; }; }
check "$label: nothing is left" left
trap - EXIT
