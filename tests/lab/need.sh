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
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $packages >/dev/null
