#!/bin/sh
# Fills a folder with the root of a small node: this machine's own container
# runtime with the libraries that it loads, busybox, and a few scripts in place
# of systemd. Where there is no runtime to copy, the node has none.
# Usage: sample-node.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd) folder=$1
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$folder/usr/bin" "$folder/usr/local/bin" "$folder/usr/lib" "$folder/etc/containerd" \
    "$folder/etc/cni/net.d" "$folder/var/lib" "$folder/var/log" "$folder/run" "$folder/tmp" "$folder/proc" "$folder/sys" "$folder/dev"
for link in bin sbin; do ln -s usr/bin "$folder/$link"; done
for link in lib lib64; do ln -s usr/lib "$folder/$link"; done
ln -s bin "$folder/usr/sbin"

copy() { # copy PROGRAM [AS]: with its libraries, under the paths that the loader wants
    program=$(command -v "$1") || return 0
    cp -L "$program" "$folder/usr/bin/${2:-$1}"
    for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
        target=$folder/usr/lib/${library#*/lib*/}
        mkdir -p "$(dirname "$target")" && cp -Lu "$library" "$target"
    done
}
for program in busybox tar containerd containerd-shim-runc-v2 ctr docker dockerd docker-init docker-proxy; do copy "$program"; done
if [ -e /usr/sbin/runc.real ]; then copy runc.real; else copy runc runc.real; fi
for applet in $("$folder/usr/bin/busybox" --list); do
    [ -e "$folder/usr/bin/$applet" ] || ln -s busybox "$folder/usr/bin/$applet"
done
install -m 755 "$here/runc-wrapper" "$folder/usr/bin/runc"
install -m 755 "$here/sample-node/systemctl" "$here/sample-node/init" "$folder/usr/bin/"
install -m 755 "$here/node-crictl" "$folder/usr/local/bin/crictl"
install -m 755 "$here/sample-node/entrypoint" "$folder/usr/local/bin/entrypoint"
cp "$here/sample-node/config.toml" "$folder/etc/containerd/"
printf 'root:x:0:0:root:/:/bin/sh\n' >"$folder/etc/passwd"
printf 'root:x:0:\ndocker:x:999:\n' >"$folder/etc/group"
echo '{"kicbase_version":"sample"}' >"$folder/version.json"
