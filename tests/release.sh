#!/bin/sh
# `make test-release`: the files of a release page, made of the packager as it is
# released and a throwaway key: stock tools agree with them, a program updates itself
# from them, and with no other key. And the Debian package, where there is dpkg.
# Takes the packager from PACKAGER.
set -eu
cd "$(dirname "$0")"
lab/need.sh minisign=minisign
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. ./check.sh
page=$work/page old=$work/old key=$work/release
mkdir "$page" "$old"
file=minikube-offline-linux-$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
for who in release stranger; do minisign -G -W -f -p "$work/$who.pub" -s "$work/$who.key" >/dev/null; done
cp "$PACKAGER" "$old/program"
version=$("$PACKAGER" --version | cut -d ' ' -f 2)
# The same program, which says that it is newer; nothing in it moves.
newer=$(echo "$version" | sed 's/^[0-9]/9/')
LC_ALL=C sed "s/$(echo "$version" | sed 's/\./\\./g')/$newer/g" "$PACKAGER" >"$page/$file"
chmod +x "$page/$file"
says() { [ "$("$old/program" --version)" = "minikube-offline $1" ]; }
update() { "$old/program" self-update --from "$page" "$@"; }
refused() { code=0; "$@" || code=$?; [ "$code" = 3 ]; }
stock() { (cd "$page" && sha256sum -c "$file.sha256" && minisign -Vm "$file" -p "$key.pub"); }
alone() { [ "$(ls -A "$old")" = program ]; }
check "the files of a release page" ../packaging/release "$page" "$key.key"
check "stock tools agree with them" stock
check "there is a newer release" update --check
check "another key does not count" refused update --key "$work/stranger.pub"
check "nothing was changed" says "$version"
check "the release is installed" update --key "$key.pub"
check "it is the released program" cmp "$old/program" "$page/$file"
check "it is the newer one" says "$newer"
check "nothing else lies beside it" alone
if command -v dpkg-deb >/dev/null; then
    holds() { dpkg-deb -c "$work"/*.deb >"$work/list" && for path; do grep -q " \./$path$" "$work/list" || { cat "$work/list"; return 1; }; done; }
    check "a Debian package" ../packaging/deb "$PACKAGER" "$work"
    check "what it holds" holds usr/bin/minikube-offline usr/share/man/man1/minikube-offline-pack.1.gz \
        usr/share/bash-completion/completions/minikube-offline usr/share/doc/minikube-offline/copyright
else
    echo "skipped: the Debian package, there is no dpkg-deb"
fi
summary
