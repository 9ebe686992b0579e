#!/bin/sh
# Builds a kicbase-like node image, from Debian packages and what containers.sh built,
# and writes it to the lab's kicbase.tar, named gcr.io/k8s-minikube/kicbase:v0.0.50.
# Debian 12's systemd, because newer ones refuse cgroup v1; Debian 13's runc. cri-dockerd
# is in no distribution: it is taken from the lab's bin/ if it is there (real minikube
# needs it with Docker, the stand-in does not).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lab=${MINIKUBE_OFFLINE_LAB:-$HOME/.cache/minikube-offline-lab}
root=$lab/node-rootfs output=$lab/kicbase.tar
# An image that is newer than what it is made with is good.
if [ -e "$output" ] && [ -z "$(find "$here/archive.sh" "$here"/node-* "$lab/bin" "$lab/containers" -newer "$output" 2>/dev/null)" ]; then exit 0; fi
if [ ! -e "$root/.complete" ]; then
    "$here/need.sh" debootstrap=debootstrap gpgv=gpgv
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || "$here/need.sh" no-such-command=debian-archive-keyring
    rm -rf "$root" && mkdir -p "$root"
    mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
    debootstrap --variant=minbase --include="$(paste -sd , "$here/node-packages")" \
        bookworm "$root" ${mirror:+"$mirror"} >"$lab/debootstrap.log" || { tail -20 "$lab/debootstrap.log" >&2; exit 1; }
    install -m 755 "$here/node-setup" "$root/node-setup"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    chroot "$root" /node-setup >"$lab/node-setup.log" 2>&1 || { tail -20 "$lab/node-setup.log" >&2; exit 1; }
    rm "$root/node-setup"
    touch "$root/.complete"
fi
for program in containerd containerd-shim-runc-v2 ctr docker docker-proxy; do install -m 755 "$lab/containers/$program" "$root/usr/bin/"; done
install -m 755 "$lab/containers/dockerd" "$root/usr/sbin/"
rm -f "$root/usr/sbin/docker-proxy"
install -m 755 "$lab/containers/runc" "$lab/containers/runc.real" "$root/usr/sbin/"
install -m 755 "$here/node-entrypoint" "$root/usr/local/bin/entrypoint"
echo '{"kicbase_version":"lab"}' >"$root/version.json"
install -m 755 "$lab/containers/crictl" "$root/usr/local/bin/crictl.real"
install -m 755 "$here/node-crictl" "$root/usr/local/bin/crictl"
if [ -x "$lab/bin/cri-dockerd" ]; then
    install -m 755 "$lab/bin/cri-dockerd" "$root/usr/bin/"
    mv "$root/usr/local/bin/crictl.real" "$root/usr/local/bin/crictl"
    install -m 644 "$lab/bin/cri-docker.service" "$lab/bin/cri-docker.socket" "$root/usr/lib/systemd/system/"
fi
"$here/archive.sh" gcr.io/k8s-minikube/kicbase:v0.0.50 "$root" "$output" \
    '{"Env":["container=docker"],"ExposedPorts":{"22/tcp":{}},"StopSignal":"SIGRTMIN+3","Entrypoint":["/usr/local/bin/entrypoint","/sbin/init"]}'
