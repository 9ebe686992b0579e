#!/bin/sh
# Installs minikube-offline: downloads the binary of a release, checks its signature and its
# SHA-256, and only then gives it its name. Needs curl or wget, and minisign or OpenSSL 3.
# Usage: sh install.sh [--from URL|DIR] [--key KEY] [--to DIR]
#   --from   where the files of the release are [default: the project's newest release]
#   --key    a minisign public key, 56 characters [default: the keys of the project]
#   --to     where the binary goes [default: /usr/local/bin as root, else ~/.local/bin]
set -eu
# `packaging/release` fills in the next two lines.
from=
keys=
to=

die() { printf 'error: %s\n' "$1" >&2; [ -z "${2-}" ] || printf 'fix: %s\n' "$2" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

main() {
    while [ "$#" -gt 0 ]; do
        [ "$#" -gt 1 ] || die "\`$1\` needs a value"
        case $1 in
        --from) from=$2 ;;
        --key) keys=$2 ;;
        --to) to=$2 ;;
        *) die "unknown argument \`$1\`" "use --from, --key or --to" ;;
        esac
        shift 2
    done
    [ -n "$from" ] || die "no release to install from" "name one with --from URL or --from DIR"
    [ -n "$keys" ] || die "no key to check the release with" "name the publisher's key with --key KEY"
    [ -n "$to" ] || if [ "$(id -u)" = 0 ]; then to=/usr/local/bin; else to=$HOME/.local/bin; fi
    [ "$(uname -s)" = Linux ] || die "\`$(uname -s)\` is not supported: minikube-offline runs on Linux"
    case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) die "the processor \`$(uname -m)\` is not supported: there are releases for amd64 and arm64" ;;
    esac
    name=minikube-offline-linux-$arch

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    for file in "$name" "$name.sha256" "$name.minisig"; do get "$file"; done
    (cd "$work" && sha256sum --check --status "$name.sha256") ||
        die "$name does not have the SHA-256 of $name.sha256" "download it again"
    for key in $keys; do
        if signed "$key"; then install_binary; return; fi
    done
    die "the signature of $name is not by a trusted key" "download the release from its publisher; do not run this file"
}

get() { # get FILE: from the release, into the work directory
    case $from in
    *://*)
        if have curl; then curl -fsSL --retry 3 -o "$work/$1" "$from/$1"
        elif have wget; then wget -qO "$work/$1" "$from/$1"
        else die "neither curl nor wget is installed" "install one, or download the release and use --from DIR"; fi ||
            die "cannot download $from/$1" "check the address and the network" ;;
    *) cp "$from/$1" "$work/$1" 2>/dev/null || die "cannot read $from/$1" "name the directory that holds the release" ;;
    esac
}

# A signature counts with the trusted comment of exactly this file: one of another file, or of
# another platform, does not pass.
signed() { # signed KEY: is the binary signed with it?
    sed -n 's/^trusted comment: //p' "$work/$name.minisig" >"$work/comment"
    grep -Eqx "minikube-offline release v[0-9][0-9A-Za-z.+-]* linux/$arch" "$work/comment" || return 1
    if have minisign; then
        minisign -Vq -m "$work/$name" -P "$1" >/dev/null 2>&1
    elif have openssl && openssl version | grep -q '^OpenSSL [3-9]'; then
        with_openssl "$1"
    else
        die "neither minisign nor OpenSSL 3 is installed" "install minisign to check the signature"
    fi
}

# minisign's format: "ED", the key's id, and Ed25519 over the BLAKE2b-512 of the file; then the same
# over that signature and the trusted comment.
with_openssl() {
    printf %s "$1" | openssl base64 -d -A >"$work/key"
    sed -n 2p "$work/$name.minisig" | openssl base64 -d -A >"$work/signature"
    sed -n 4p "$work/$name.minisig" | openssl base64 -d -A >"$work/global.sig"
    [ "$(wc -c <"$work/key")" = 42 ] && [ "$(wc -c <"$work/signature")" = 74 ] || return 1
    [ "$(head -c 2 "$work/signature")" = ED ] || return 1
    # The header of an Ed25519 key in DER: RFC 8410.
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c 32 "$work/key"; } >"$work/key.der"
    tail -c 64 "$work/signature" >"$work/file.sig"
    openssl dgst -blake2b512 -binary "$work/$name" >"$work/file"
    { cat "$work/file.sig"; tr -d '\n' <"$work/comment"; } >"$work/global"
    verified file && verified global
}
verified() { # verified NAME: NAME.sig signs NAME
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin \
        -in "$work/$1" -sigfile "$work/$1.sig" >/dev/null 2>&1
}

install_binary() {
    mkdir -p "$to"
    cp "$work/$name" "$to/.minikube-offline-new"
    chmod 755 "$to/.minikube-offline-new"
    mv "$to/.minikube-offline-new" "$to/minikube-offline"
    echo "installed $to/minikube-offline ($(sed 's/.* release \(v[^ ]*\) .*/\1/' "$work/comment"), signature verified)"
    case :$PATH: in *:"$to":*) ;; *) echo "note: $to is not in PATH" ;; esac
}

# Called last: of a script that was cut short, nothing runs.
main "$@"
