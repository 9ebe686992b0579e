#!/bin/sh
# On the air-gapped host: starts a bundle, has a carried image answer in the
# cluster, stops, starts again, uninstalls, and looks at what is left.
# Usage: cluster/site.sh BUNDLE WHAT [START FLAGS...]
#   WHAT  kubernetes  a whole cluster
#         runtime     a node without Kubernetes: the stand-in on Docker
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
bundle=$1 what=$2
shift 2
mkdir -p "$HOME"
export PATH="$HOME/.local/share/minikube-offline/bin:$PATH" KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME
# What the test's own kubectl caches is not the bundle's to remove.
cache=$(mktemp -d)
kubectl() { KUBECACHEDIR=$cache command kubectl "$@"; }
minikube() { KUBECACHEDIR=$cache command minikube "$@"; }
give_up() { docker logs --tail 20 minikube || true; "$bundle" uninstall -y || true; }
trap give_up EXIT

nodes() { kubectl get nodes -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}'; }
nodes_are_ready() { kubectl wait --for=condition=Ready --timeout=120s node --all; }
pods_are_ready() { # but storage-provisioner, whose lab build may only wait
    pods=$(kubectl -n kube-system get pods -o name | grep -v storage-provisioner)
    # shellcheck disable=SC2086
    kubectl -n kube-system wait --for=condition=Ready --timeout=180s $pods
}
deploy() {
    if [ "$what" = runtime ]; then
        docker exec minikube sh -c 'docker start workload || docker run -d --name workload --network=host registry.example/app:1'
        return
    fi
    kubectl create deployment app --image=registry.example/app:1 --port=8080 --replicas="$(nodes | wc -l)"
    kubectl expose deployment app --port=80 --target-port=8080
    kubectl rollout status deployment app --timeout=120s
}
answers_in() { # answers_in NODE: the application, whichever node it is on
    case $what in
    kubernetes) docker exec "$1" curl -fsS --max-time 5 "http://$(kubectl get service app -o 'jsonpath={.spec.clusterIP}')/" ;;
    runtime) docker exec "$1" sh -c 'curl -fsS http://127.0.0.1:8080/ || wget -q -O - http://127.0.0.1:8080/' ;;
    esac | grep 'hello from a carried image'
}
own_files_are_there() {
    own=$(find "$HOME/.local/share/minikube-offline/bundles" -name files)
    cmp "$own/notes.txt" lab/carried/notes.txt && cmp "$own/../manifests/02-objects.yaml" lab/carried/02-objects.yaml
}
manifests_run() { # the second of which needs what the first defines
    kubectl -n carried rollout status deployment carried --timeout=120s
    kubectl -n carried get greeting hello -o 'jsonpath={.spec.text}' | grep '^hello$'
}
start() { "$bundle" -y "$@" >"$cache/start" 2>&1 || { cat "$cache/start"; return 1; }; }
the_engine_sees_pipes() { ! grep 'through its client' "$cache/start"; }
app_answers() {
    [ "$what" = kubernetes ] || { answers_in minikube; return; }
    # By each node three times, so that each pod has its turn.
    for node in $(nodes) $(nodes) $(nodes); do answers_in "$node" || return 1; done
}
kubelets_wait() { # for minikube, which first tells a node where the control plane is
    for node in $(nodes | tail -n +2); do
        docker exec "$node" systemctl is-enabled kubelet | grep '^disabled$' || return 1
    done
}
three_control_planes() { [ "$(kubectl get nodes -l node-role.kubernetes.io/control-plane -o name | wc -l)" = 3 ]; }
lose_the_first() { # and ask what is left by the address that they share
    docker kill minikube && kubectl config view | grep 'server:.*254:' && eventually kubectl get --raw /readyz --request-timeout=5s
}
status_is() { minikube status | grep "host: $1"; }
nothing_is_left() {
    left=$(docker ps --all --quiet; docker volume ls --quiet; docker images --quiet
        docker network ls --quiet --filter label=created_by.minikube.sigs.k8s.io=true; find "$HOME" -type f)
    [ -z "$left" ] || { echo "left: $left"; return 1; }
}
node_is_up() { if [ "$what" = kubernetes ]; then nodes_are_ready && pods_are_ready; else minikube status; fi; }

network='no route'
[ -z "$(ip route show default)" ] || network='packets vanish'
label="$what, engine $(docker version --format '{{.Server.Version}}' | cut -d . -f 1), $network${1:+, $*}"
check "$label: start" start "$@"
check "$label: the images take the short way" the_engine_sees_pipes
check "$label: nodes and pods are Ready" node_is_up
check "$label: the bundle's own files are there" own_files_are_there
[ "$what" = runtime ] || check "$label: the bundle's manifests run" manifests_run
check "$label: status" "$bundle" status
check "$label: minikube kubectl" minikube kubectl -- get pods -A
check "$label: a carried image is deployed" deploy
check "$label: the carried image answers" eventually app_answers
check "$label: the bundle again finds everything done" "$bundle" -y "$@"
[ "$what" = runtime ] || [ "$(nodes | wc -l)" = 1 ] || check "$label: kubelets of other nodes wait for minikube" kubelets_wait
case " $* " in *' --ha '*)
    check "$label: three control planes" three_control_planes
    check "$label: the first one is lost, and the others answer" lose_the_first ;;
esac
check "$label: minikube stop" minikube stop
check "$label: stopped" status_is Stopped
check "$label: minikube start again" minikube start --preload=false --cache-images=false --force
check "$label: nodes and pods are Ready again" node_is_up
check "$label: the carried image answers again" eventually app_answers
check "$label: uninstall" "$bundle" uninstall -y
check "$label: nothing is left" nothing_is_left
trap - EXIT
