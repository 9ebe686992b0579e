#!/bin/sh
# Makes every part of the lab that is not there yet, and says how long it took.
set -eu
cd "$(dirname "$0")"
[ "$(id -u)" = 0 ] || { echo "the lab needs root: it builds a node image and starts an Engine of its own" >&2; exit 1; }
begun=$(date +%s)
versions="v1.35.4 v1.37.2"
./engine.sh
./containers.sh
# shellcheck disable=SC2086
./kubernetes.sh $versions
./node-image.sh
for version in $versions; do ./images.sh "$version"; done
echo "the lab's parts are there ($(($(date +%s) - begun)) s)"
