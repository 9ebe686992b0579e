#!/bin/sh
# Wraps a directory in an image of one layer and writes it as a docker-archive,
# without an engine. The same directory gives the same bytes.
# Usage: archive.sh NAME DIR OUTPUT [CONFIG]
#   CONFIG is the image's own configuration, as in '{"Entrypoint":["/app"]}'
set -eu
name=$1 directory=$2 output=$3
config='{}'
[ $# -lt 4 ] || config=$4
case $(uname -m) in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) architecture=$(uname -m) ;;
esac
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
archive() { tar --sort=name --mtime=@0 --format=gnu --numeric-owner "$@"; }
# Root keeps the owners of the files; anybody else makes them root's.
owner=
[ "$(id -u)" = 0 ] || owner='--owner=0 --group=0'

mkdir -p "$(dirname "$output")"
work=$(mktemp -d "$output.XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086
archive $owner --one-file-system -C "$directory" -cf "$work/layer.tar" .
layer=$(sum "$work/layer.tar")
mkdir "$work/$layer" && mv "$work/layer.tar" "$work/$layer/"
printf '{"architecture":"%s","os":"linux","created":"2026-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"2026-01-01T00:00:00Z","created_by":"archive.sh"}]}' \
    "$architecture" "$config" "$layer" >"$work/config.json"
image=$(sum "$work/config.json")
mv "$work/config.json" "$work/$image.json"
printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["%s/layer.tar"]}]' "$image" "$name" "$layer" >"$work/manifest.json"
archive --owner=0 --group=0 --mode=u+rw,go+r -C "$work" -cf "$output.partial" "$image.json" "$layer" manifest.json
mv "$output.partial" "$output"
