#!/bin/sh
# On a host whose only way out is a proxy on localhost: packs straight from upstream,
# again, by the other proxies, and without one.
# Usage: upstream/packs.sh DIR
set -eu
cd "$(dirname "$0")/.."
. lab/check.sh
directory=$1
# The bundles are compared byte for byte, and have the time in them.
export SOURCE_DATE_EPOCH=1764081872
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
blobs() { # every blob that a registry gave, as the logs have it
    grep -hEo '"GET /v2/[^ ]*/blobs/sha256:[0-9a-f]*[^"]*" (200|206)' "$directory"/log/open "$directory"/log/token "$directory"/log/password "$directory"/log/plain |
        grep -o 'sha256:[0-9a-f]*' | sort
}
programs() { # every binary that the release servers sent; one byte is asked for to learn a size
    grep -E '^GET (cdn.dl.k8s.io|release-assets[^ ]*)/.*(kubeadm|kubelet|kubectl|minikube-linux-[a-z0-9]*) 20[06]( |$)' "$directory/log/pages" |
        grep -v ' 206 bytes 0-0/' | sort
}
start_logs() { for log in "$directory"/log/*; do : >"$log"; done; }
pack() { # pack HOME BUNDLE [FLAGS...]
    home=$1 bundle=$2
    shift 2
    # The manifests bring registry.example/app:1.
    for flag in $(lab/carried/flags); do set -- "$@" "$flag"; done
    HOME=$directory/$home "$PACKAGER" pack --kubernetes-version v1.35 --ca "$directory/ca.pem" --stub "$STUB" --level fast \
        --image docker://plain.example:5000/plain:1 \
        --insecure-registry plain.example:5000 -o "$directory/$bundle" "$@" 2>&1
}
refused() { # refused EXIT-CODE WORDS COMMAND...
    wanted=$1 words=$2 code=0
    shift 2
    "$@" >"$directory/said" || code=$?
    cat "$directory/said"
    [ "$code" = "$wanted" ] || { echo "exit code $code, not $wanted"; return 1; }
    grep -Fq -- "$words" "$directory/said" || { echo "it does not say: $words"; return 1; }
    ! grep -Eq 'pass-word|wrong|secret' "$directory/said" || { echo "it shows a password"; return 1; }
}
no_way_out() {
    [ -z "$(ip route show)" ] || return 1
    ! curl -sS --max-time 5 --cacert "$directory/ca.pem" https://dl.k8s.io
}
each_once() {
    blobs | uniq -d | grep . && { echo "given twice"; return 1; }
    programs | uniq -d | grep . && { echo "given twice"; return 1; }
    # Twelve images, which share a layer: a config each, that layer, the node's.
    echo "$(blobs | wc -l) blobs, $(programs | wc -l) programs"
    [ "$(programs | wc -l)" = 4 ] && [ "$(blobs | wc -l)" -ge 10 ]
}
nothing_came() { [ -z "$(blobs)$(programs)" ] || { blobs; programs; return 1; }; }
by_proxy() { # by_proxy PORT: as its own log has it, every page and registry
    for host in dl.k8s.io cdn.dl.k8s.io github.com storage.googleapis.com registry.k8s.io gcr.io auth.gcr.io registry.example; do
        grep -q "CONNECT $host:443" "$directory/log/tinyproxy.$1" || { echo "$host was not asked for"; return 1; }
    done
    grep -q 'GET http://plain.example:5000/' "$directory/log/tinyproxy.$1"
}
same() { cmp "$directory/$1" "$directory/$2"; }

for home in one two; do
    mkdir -p "$directory/$home/.docker"
    printf '{"auths":{"registry.example":{"auth":"bWU6c2VjcmV0"}}}' >"$directory/$home/.docker/config.json"
done
check "there is no way out but the proxy" no_way_out
check "without a proxy: an error says how to set one" refused 5 'behind a proxy set HTTPS_PROXY' pack none none.run
check "with a wrong password: the proxy is named" \
    refused 5 'the proxy http://user:***@localhost:3129' pack none none.run --proxy http://user:wrong@localhost:3129
check "without one: the proxy wants it" \
    refused 5 'the proxy wants a name and a password' pack none none.run --proxy http://localhost:3129
export HTTP_PROXY='http://user:pass-word@localhost:3129' HTTPS_PROXY='http://user:pass-word@localhost:3129'
start_logs
check "packed by a proxy with a password" pack one one.run
check "each blob and program came once" each_once
check "all of it by the proxy" by_proxy 3129
start_logs
check "packed again" pack one again.run
check "nothing was downloaded again" nothing_came
check "the same bytes" same one.run again.run
export HTTP_PROXY=http://localhost:3128 HTTPS_PROXY=http://localhost:3128
check "a private registry without a login" refused 5 'docker login' pack none none.run
start_logs
check "packed by a proxy without a password" pack two two.run
check "each blob and program came once" each_once
check "all of it by the proxy" by_proxy 3128
check "the same bytes" same one.run two.run
unset HTTP_PROXY HTTPS_PROXY
export ALL_PROXY=socks5h://user:pass@localhost:1080
export NO_PROXY=.example
check "NO_PROXY goes past the proxy, to nowhere" \
    refused 5 "/manifests/1\` cannot be read" pack one none.run --proxy "$ALL_PROXY"
unset NO_PROXY
start_logs
mkdir -p "$directory/three" && cp -r "$directory/one/.docker" "$directory/three/"
check "packed by a SOCKS5 server" pack three three.run
check "each blob and program came once" each_once
check "the same bytes" same one.run three.run
check "verified, part by part" "$PACKAGER" verify --deep "$directory/one.run"
