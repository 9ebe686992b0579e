#!/bin/sh
# On the air-gapped host: charts installed, left as they are, upgraded, rolled back, taken away.
# Usage: cluster/charts-site.sh FIRST SECOND BROKEN [START FLAGS...]   three bundles of charts/pack.sh
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
first=$1 second=$2 broken=$3
shift 3
mkdir -p "$HOME"
export PATH="$HOME/.local/share/minikube-offline/bin:$PATH" KUBECONFIG="$HOME/.kube/config"
unset MINIKUBE_HOME
cache=$(mktemp -d) said=$(mktemp)
kubectl() { KUBECACHEDIR=$cache command kubectl "$@"; }
helm() { KUBECACHEDIR=$cache HELM_CACHE_HOME=$cache HELM_CONFIG_HOME=$cache HELM_DATA_HOME=$cache command helm "$@"; }
give_up() { kubectl get pods,events -A || true; "$second" uninstall -y || true; }
trap give_up EXIT

ends_with() { # ends_with CODE WORDS BUNDLE ARGUMENTS...
    code=$1 words=$2
    shift 2
    status=0
    "$@" >"$said" 2>&1 || status=$?
    cat "$said"
    [ "$status" = "$code" ] && grep -F "$words" "$said"
}
also() { grep -F "$1" "$said"; }
offer() { kubectl -n market get offer shop -o 'jsonpath={.spec.text}' | grep "^$1\$"; }
revision() { helm -n "$1" status "$2" -o json | grep -o '"version":[0-9]*' | grep ":$3\$"; }
running() { kubectl -n market get pods -l app=shop --field-selector status.phase=Running -o name | wc -l; }
deployed() { # deployed COUNT: those that go take some seconds
    for _ in $(seq 30); do
        [ "$(running)" != "$1" ] || return 0
        sleep 2
    done
    return 1
}
secret_is_hidden() { ! grep -rF tell-nobody "$said" "$HOME/.local/state" && [ "$(stat -c %a "$(find "$HOME" -name '03-board-1.yaml')")" = 600 ]; }
nothing_is_left() {
    left=$(docker ps --all --quiet; docker volume ls --quiet; docker images --quiet; find "$HOME" -type f)
    [ -z "$left" ] || { echo "left: $left"; return 1; }
}

check "charts: install" ends_with 0 '3 of 3 installed' "$first" -y "$@"
check "charts: a hook ran before, a kind came with the chart" offer hello
check "charts: a StatefulSet has its volume" kubectl wait --for=jsonpath='{.status.phase}'=Bound pvc/data-orders-0 --timeout=10s
check "charts: a Job ran after the install" kubectl wait --for=condition=Complete job/board-fill --timeout=10s
check "charts: values reached a Secret" sh -c "kubectl get secret board -o 'jsonpath={.data.token}' | base64 -d | grep '^tell-nobody\$'"
check "charts: values are in no log and no journal" secret_is_hidden
check "charts: the same again changes nothing" ends_with 0 'already there' "$first" -y "$@"
check "charts: no new revision" revision market shop 1
check "charts: status" ends_with 0 'application shop in market: shop-1.0.0, deployed' "$first" status
check "charts: report" sh -c "'$first' report '$cache/report.txt' && grep -F 'helm list' '$cache/report.txt'"
check "charts: an upgrade is of what changed" ends_with 0 '1 of 3 installed' "$second" -y "$@"
check "charts: the new values hold" offer welcome
check "charts: two pods run" deployed 2
check "charts: what did not change has no new revision" revision default orders 1
# shellcheck disable=SC2016 # backticks of the message
check "charts: a release that does not become ready ends the start with 10" ends_with 10 'its application `shop` in the namespace `market` is not' "$broken" -y --application-timeout 45 "$@"
check "charts: and says what keeps it from being ready" also 'Unhealthy: Readiness probe failed'
check "charts: and is put back" also 'it is back at its revision 2'
check "charts: the values before hold again" offer welcome
check "charts: two pods run again" deployed 2
check "charts: the good bundle again" ends_with 0 'is ready' "$second" -y --allow-downgrade "$@"
check "charts: uninstall" ends_with 0 '' "$second" uninstall -y
check "charts: nothing is left" nothing_is_left
trap - EXIT
