#!/bin/sh
# `make test-release`: the files of a release page, made of the packager as it is
# released and a throwaway key: stock tools agree with them, a program updates itself
# from them, and with no other key. And the Debian package, where there is dpkg.
# Takes the packager from PACKAGER.
set -eu
cd "$(dirname "$0")/.."
lab/need.sh minisign=minisign
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. lab/check.sh
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
# Only a debug build has the flags by which tests stand in for the publishers' servers.
own_word() { ! "$PACKAGER" pack --kubernetes-version v1.35.1 --binary-upstream http://127.0.0.1:9 2>"$work/said" && grep -q -e --binary-upstream "$work/said"; }
check "no flag stands for a publisher's server" own_word
check "the files of a release page" ../packaging/release "$page" "$key.key"
check "stock tools agree with them" stock
check "there is a newer release" update --check
check "another key does not count" refused update --key "$work/stranger.pub"
check "nothing was changed" says "$version"
check "the release is installed" update --key "$key.pub"
check "it is the released program" cmp "$old/program" "$page/$file"
check "it is the newer one" says "$newer"
check "nothing else lies beside it" alone
# The install script, by minisign and by OpenSSL alone.
installs() { sh "$page/install.sh" --from "$page" --to "$work/bin" "$@" && cmp "$work/bin/minikube-offline" "$page/$file"; }
refuses() { rm -rf "${work:?}/bin"; ! sh "$page/install.sh" --from "$page" --to "$work/bin" "$@" && [ ! -e "$work/bin" ]; }
# shellcheck disable=SC2123
without_minisign() { (PATH=$work/tools; "$@"); }
public=$(tail -n 1 "$key.pub") stranger=$(tail -n 1 "$work/stranger.pub")
mkdir "$work/tools"
for tool in cat chmod cmp cp cut grep head id mkdir mktemp mv openssl rm sed sh sha256sum tail tr uname wc; do
    ln -s "$(command -v "$tool")" "$work/tools/"
done
check "install.sh installs the release" installs --key "$public"
check "install.sh refuses another key" refuses --key "$stranger"
check "install.sh refuses without a key" refuses
check "install.sh installs with OpenSSL alone" without_minisign installs --key "$public"
cp "$page/$file" "$work/whole"
printf x >>"$page/$file"
check "install.sh refuses a changed binary" refuses --key "$public"
(cd "$page" && sha256sum "$file" >"$file.sha256")
check "install.sh refuses it with a matching SHA-256" refuses --key "$public"
check "and so with OpenSSL alone" without_minisign refuses --key "$public"
cp "$work/whole" "$page/$file"
(cd "$page" && sha256sum "$file" >"$file.sha256")
minisign -S -m "$page/$file" -s "$key.key" -t "minikube-offline release v1 linux/other" >/dev/null
check "install.sh refuses another platform's signature" refuses --key "$public"
if command -v dpkg-deb >/dev/null; then
    holds() { dpkg-deb -c "$work"/*.deb >"$work/list" && for path; do grep -q " \./$path$" "$work/list" || { cat "$work/list"; return 1; }; done; }
    check "a Debian package" ../packaging/deb "$PACKAGER" "$work"
    check "what it holds" holds usr/bin/minikube-offline usr/share/man/man1/minikube-offline-pack.1.gz \
        usr/share/bash-completion/completions/minikube-offline usr/share/doc/minikube-offline/copyright
else
    echo "skipped: the Debian package, there is no dpkg-deb"
fi
mkdir "$work/packages"
check "a tarball" ../packaging/tarball "$PACKAGER" "$work/packages"
in_tarball() { tar -tzf "$work"/packages/*.tar.gz | grep -q "/$1$"; }
check "it holds the program" in_tarball bin/minikube-offline
check "and the manual pages" in_tarball share/man/man1/minikube-offline-pack.1.gz
if command -v rpmbuild >/dev/null; then
    check "an RPM package" ../packaging/rpm "$PACKAGER" "$work/packages"
    in_rpm() { rpm -qlp "$work"/packages/*.rpm | grep -qx "$1"; }
    check "it holds the program" in_rpm /usr/bin/minikube-offline
    check "and the completions" in_rpm /usr/share/zsh/site-functions/_minikube-offline
else
    echo "skipped: the RPM package, there is no rpmbuild"
fi
summary
