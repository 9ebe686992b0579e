#!/bin/sh
# Copies iptables and conntrack, with the libraries that they load, from a
# Debian root into a directory: what kube-proxy needs around it in its image.
# Usage: kube-proxy-root.sh ROOT DIR
set -eu
root=$1 directory=$2
mkdir -p "$directory/usr" "$directory/etc"
cp -a "$root/bin" "$root/sbin" "$root/lib" "$root/lib64" "$directory/"
cp -a "$root/etc/alternatives" "$directory/etc/"
ln -s "lib/$(uname -m)-linux-gnu" "$directory/usr/lib64"
cd "$root"
tools="usr/sbin/xtables-nft-multi usr/sbin/xtables-legacy-multi usr/sbin/conntrack"
# What balances between several endpoints loads a library of its own.
modules=$(echo usr/lib/*/xtables/*.so)
# shellcheck disable=SC2086,SC2046
libraries=$(chroot . ldd $(printf '/%s ' $tools $modules) | awk '/=> \// { print $3 } /^\t\/lib64/ { print $1 }' | sort -u)
# shellcheck disable=SC2086
cp -a --parents $tools usr/sbin/iptables* usr/sbin/ip6tables* usr/lib/*/xtables "$directory/"
for library in $libraries; do
    real=$(realpath "./$library")
    install -D "./$library" "$directory/$(dirname "${real#"$(realpath .)"/}")/$(basename "$library")"
done
