#!/bin/sh
# Installs what is missing, with apt, after saying so.
# Usage: need.sh COMMAND=PACKAGE...
set -eu
packages=
for pair; do
    command -v "${pair%%=*}" >/dev/null || packages="$packages ${pair#*=}"
done
[ -n "$packages" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing:$packages (not root, or no apt: install them by hand)" >&2
    exit 1
fi
echo "installing with apt:$packages" >&2
echo "(a fresh machine's own updates hold apt's lock: it is waited for, at most 300 s)" >&2
export DEBIAN_FRONTEND=noninteractive
# The option is for the lock of dpkg: `update` takes another, and gives up at once.
waited=0
until said=$(apt-get -o DPkg::Lock::Timeout=300 update -qq 2>&1); do
    case $said in *lock*) ;; *) waited=300 ;; esac
    [ "$waited" -lt 300 ] || { printf '%s\n' "$said" >&2; exit 1; }
    [ "$waited" != 0 ] || echo "waiting for apt's lock: another program has it" >&2
    waited=$((waited + 5))
    sleep 5
done
# shellcheck disable=SC2086
apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $packages >/dev/null
