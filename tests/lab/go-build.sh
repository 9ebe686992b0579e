#!/bin/sh
# Builds programs of one published Go module into a directory.
# Usage: go-build.sh DIR LDFLAGS MODULE@VERSION PACKAGE...
set -eu
out=$1 ldflags=$2 module=${3%@*} at=${3#*@}
shift 3
here=$(cd "$(dirname "$0")" && pwd)
"$here/need.sh" go=golang-go
# Go 1.21 and newer fetch the toolchain that a module asks for by themselves.
go version | grep -Eq 'go1\.(2[1-9]|[3-9][0-9])' || { echo "$0 needs Go 1.21 or newer, this is $(go version)" >&2; exit 1; }
export CGO_ENABLED="${CGO_ENABLED:-0}"
mkdir -p "$out"
facts=$(cd / && go mod download -json "$module@$at")
mod=$(echo "$facts" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p') source=$(echo "$facts" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
work=$(mktemp -d)
trap 'cd / && chmod -R u+w "$work" && rm -rf "$work"' EXIT
cd "$work"
mkdir built
if ! grep -q '=>' "$mod" && [ ! -e "$source/vendor.mod" ]; then
    # shellcheck disable=SC2046
    GOBIN=$work/built go install -trimpath -ldflags "$ldflags" $(printf "%s@$at " "$@")
elif [ -e "$source/vendor.mod" ]; then
    # It has no go.mod: it is built in a tree of its own, with what it says elsewhere.
    cp -r "$source/." .
    chmod -R u+w .
    cp vendor.mod go.mod
    cp vendor.sum go.sum
    go build -mod=mod -trimpath -ldflags "$ldflags" -o built/ "$@"
else
    # What is replaced by a tree beside it has releases of its own.
    printf 'module lab\n\ngo 1.25.0\n' >go.mod
    go mod edit -require="$module@$at"
    sed -n "s#^\t\(k8s.io/[^ ]*\) => \./staging.*#-replace=\1=\1@v0${at#v1}#p" "$mod" | xargs -r go mod edit
    go build -mod=mod -trimpath -ldflags "$ldflags" -o built/ "$@"
fi
[ ! -e built/server ] || mv built/server built/etcd # its package is go.etcd.io/etcd/server
mv built/* "$out/"
