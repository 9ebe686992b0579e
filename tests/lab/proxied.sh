#!/bin/sh
# Runs a command on a host whose only way out is a proxy on localhost: a network
# namespace with nothing but its loopback. Behind the proxies, in another one, stand
# upstream's hosts under their own names, with certificates of the authority in
# DIR/ca.pem, the parts in PARTS, and logs in DIR/log. Needs root.
#   localhost:3128  tinyproxy                    localhost:1080  a SOCKS5 server,
#   localhost:3129  the same, for user:pass-word                      for user:pass
# Usage: proxied.sh DIR STANDIN PARTS COMMAND...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
directory=$1 standin=$2 parts=$3
shift 3
"$here/need.sh" docker-registry=docker-registry tinyproxy=tinyproxy microsocks=microsocks socat=socat \
    htpasswd=apache2-utils skopeo=skopeo openssl=openssl python3=python3 ip=iproute2 nsenter=util-linux curl=curl
outside=upstream$$ inside=proxied$$ pids=
cleanup() {
    # shellcheck disable=SC2086
    kill $pids 2>/dev/null || true
    wait || true
    ip netns del "$outside" || true
    ip netns del "$inside" || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM
mkdir -p "$directory/log"

pages='dl.k8s.io cdn.dl.k8s.io github.com release-assets.githubusercontent.com storage.googleapis.com registry.k8s.io auth.gcr.io'
cat >"$directory/hosts" <<END
127.0.0.1 localhost $pages
127.0.1.1 us-west1-docker.pkg.dev
127.0.1.2 gcr.io
127.0.1.3 registry.example
127.0.1.4 plain.example
END
# shellcheck disable=SC2086
"$here/upstream/certificates.sh" "$directory" $pages us-west1-docker.pkg.dev gcr.io registry.example
htpasswd -nbB me secret >"$directory/htpasswd" 2>/dev/null
printf '#!/bin/sh\nmount --bind %s/hosts /etc/hosts\nexec "$@"\n' "$directory" >"$directory/enter"
chmod +x "$directory/enter"
for namespace in "$outside" "$inside"; do
    ip netns add "$namespace"
    ip -n "$namespace" link set lo up
done
upstream() { nsenter --net="/run/netns/$outside" unshare --mount "$directory/enter" "$@"; }
proxied() { nsenter --net="/run/netns/$inside" "$@"; }
serve() { # serve LOG COMMAND...: among upstream's hosts, until the end
    log=$directory/log/$1
    shift
    nsenter --net="/run/netns/$outside" unshare --mount "$directory/enter" "$@" >>"$log" 2>&1 &
    pids="$pids $!"
}
registry() { # registry NAME ADDRESS GUARD
    "$here/upstream/registry.sh" "$directory" "$2" "$3" >"$directory/$1.yml"
    serve "$1" docker-registry serve "$directory/$1.yml"
}
proxy() { # proxy PORT LINE
    printf 'Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\n%s\n' "$1" "$2" >"$directory/tinyproxy.$1"
    serve "tinyproxy.$1" tinyproxy -d -c "$directory/tinyproxy.$1"
}
registry plain 127.0.1.4:5000 plain
registry open 127.0.1.1:443 tls
registry token 127.0.1.2:443 token
registry password 127.0.1.3:443 password
serve pages python3 -u "$here/upstream/serve.py" "$directory" 443
proxy 3128 ''
proxy 3129 'BasicAuth user pass-word'
serve socks microsocks -i 127.0.0.1 -p 1080 -u user -P pass
for port in 3128 3129 1080; do
    serve "socat.$port" socat "UNIX-LISTEN:$directory/$port.socket,fork" "TCP:127.0.0.1:$port"
    # Not by the function above: its shell would be what is killed at the end.
    nsenter --net="/run/netns/$inside" socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$directory/$port.socket" &
    pids="$pids $!"
done
tries=0
until upstream curl -fsS http://plain.example:5000/v2/ >/dev/null 2>&1 &&
    upstream curl -sS --cacert "$directory/ca.pem" -o /dev/null https://dl.k8s.io https://gcr.io https://registry.example https://us-west1-docker.pkg.dev 2>/dev/null &&
    proxied curl -sS --cacert "$directory/ca.pem" -o /dev/null -x http://localhost:3128 https://dl.k8s.io 2>/dev/null &&
    proxied curl -sS --cacert "$directory/ca.pem" -o /dev/null -x http://user:pass-word@localhost:3129 https://dl.k8s.io 2>/dev/null &&
    proxied curl -sS --cacert "$directory/ca.pem" -o /dev/null -x socks5h://user:pass@localhost:1080 https://dl.k8s.io 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -le 120 ] || { tail -n 5 "$directory"/log/* >&2; exit 1; }
    sleep 0.5
done
upstream "$here/upstream/fill.sh" "$directory" "$standin" "$parts"
# What filling it wrote is none of the command's.
for log in "$directory"/log/*; do : >"$log"; done
proxied "$@"
