#!/bin/sh
# Copies iptables and conntrack, with the libraries that they load, from a
# Debian root into a folder: what kube-proxy needs around it in its image.
# Usage: kube-proxy-root.sh ROOT FOLDER
set -eu
root=$1 folder=$2
mkdir -p "$folder/usr" "$folder/etc"
cp -a "$root/bin" "$root/sbin" "$root/lib" "$root/lib64" "$folder/"
cp -a "$root/etc/alternatives" "$folder/etc/"
ln -s "lib/$(uname -m)-linux-gnu" "$folder/usr/lib64"
cd "$root"
tools="usr/sbin/xtables-nft-multi usr/sbin/xtables-legacy-multi usr/sbin/conntrack"
# What balances between several endpoints loads a library of its own.
modules=$(echo usr/lib/*/xtables/*.so)
# shellcheck disable=SC2086,SC2046
libraries=$(chroot . ldd $(printf '/%s ' $tools $modules) | awk '/=> \// { print $3 } /^\t\/lib64/ { print $1 }' | sort -u)
# shellcheck disable=SC2086
cp -a --parents $tools usr/sbin/iptables* usr/sbin/ip6tables* usr/lib/*/xtables "$folder/"
for library in $libraries; do
    real=$(realpath "./$library")
    install -D "./$library" "$folder/$(dirname "${real#"$(realpath .)"/}")/$(basename "$library")"
done
