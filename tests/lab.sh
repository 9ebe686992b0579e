#!/bin/sh
# Makes every part of the lab that is not there yet, and says how long it took.
set -eu
cd "$(dirname "$0")/lab"
[ "$(id -u)" = 0 ] || { echo "the lab needs root: it builds a node image and starts an Engine of its own" >&2; exit 1; }
begun=$(date +%s)
./engine.sh
./kubernetes.sh
./node-image.sh
./images.sh
echo "the lab's parts are there ($(($(date +%s) - begun)) s)"
