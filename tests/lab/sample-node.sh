#!/bin/sh
# Fills a directory with the root of a small node: this machine's own container
# runtime with the libraries that it loads, busybox, and a few scripts in place
# of systemd. Where there is no runtime to copy, the node has none.
# Usage: sample-node.sh DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd) directory=$1
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$directory/usr/bin" "$directory/usr/local/bin" "$directory/usr/lib" "$directory/etc/containerd" \
    "$directory/etc/cni/net.d" "$directory/var/lib" "$directory/var/log" "$directory/run" "$directory/tmp" "$directory/proc" "$directory/sys" "$directory/dev"
for link in bin sbin; do ln -s usr/bin "$directory/$link"; done
for link in lib lib64; do ln -s usr/lib "$directory/$link"; done
ln -s bin "$directory/usr/sbin"

copy() { # copy PROGRAM [AS]: with its libraries, under the paths that the loader wants
    program=$(command -v "$1") || return 0
    cp -L "$program" "$directory/usr/bin/${2:-$1}"
    for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
        target=$directory/usr/lib/${library#*/lib*/}
        mkdir -p "$(dirname "$target")" && cp -Lu "$library" "$target"
    done
}
for program in busybox tar containerd containerd-shim-runc-v2 ctr docker dockerd docker-init docker-proxy; do copy "$program"; done
if [ -e /usr/sbin/runc.real ]; then copy runc.real; else copy runc runc.real; fi
for applet in $("$directory/usr/bin/busybox" --list); do
    [ -e "$directory/usr/bin/$applet" ] || ln -s busybox "$directory/usr/bin/$applet"
done
install -m 755 "$here/runc-wrapper" "$directory/usr/bin/runc"
install -m 755 "$here/sample-node/systemctl" "$here/sample-node/init" "$directory/usr/bin/"
install -m 755 "$here/node-crictl" "$directory/usr/local/bin/crictl"
install -m 755 "$here/sample-node/entrypoint" "$directory/usr/local/bin/entrypoint"
cp "$here/sample-node/config.toml" "$directory/etc/containerd/"
printf 'root:x:0:0:root:/:/bin/sh\n' >"$directory/etc/passwd"
printf 'root:x:0:\ndocker:x:999:\n' >"$directory/etc/group"
echo '{"kicbase_version":"sample"}' >"$directory/version.json"
