#!/bin/sh
# @NAME@: a Kubernetes cluster for a place without a network.
# Run it: ./@NAME@.run, or: sh @NAME@.run help
# Open it without running it:
#   @PAYLOAD@ | zstd -d --long=27 | tar -t
bundle_bytes=@BUNDLE_BYTES@

die() {
    status=$1
    # A file's name is somebody else's text: no control characters on the terminal.
    printf 'error: %s\n\nhint: %s\n' "$2" "$3" | tr -d '\000-\010\013-\037\177' >&2
    exit "$status"
}

# An odd PATH still finds the system's own programs, after everything else.
PATH=${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin
export PATH

case $(uname -s)/$(uname -m) in
@STUB_CASES@
*) die 9 "this bundle runs on @PLATFORMS@, and this machine is $(uname -s)/$(uname -m)" \
    "pack a bundle for this machine with: minikube-offline pack --platform" ;;
esac

case $0 in
*/*) self=$0 ;;
*) if [ -f "./$0" ]; then self=./$0; else self=$(command -v -- "$0"); fi ;;
esac
[ -r "$self" ] || die 5 "cannot read $self" "run it by its path, as a user who may read it"
{ read -r _ && read -r line; } <"$self" 2>/dev/null
case $line in
'# @NAME@: '*) ;;
*) die 5 "$self is not this bundle" "run it by its path: sh ./@NAME@.run" ;;
esac

# The stub must lie where this machine lets programs run: /tmp may be full or
# mounted noexec, and the bundle itself may lie on a stick.
umask 077
for folder in "${XDG_RUNTIME_DIR:-}" "${TMPDIR:-}" /tmp /var/tmp /dev/shm /run "${HOME:-}" .; do
    [ -n "$folder" ] && [ -d "$folder" ] && [ -w "$folder" ] || continue
    place=$(mktemp -d "$folder/minikube-offline.XXXXXX" 2>/dev/null) || continue
    # What is removed below must be what was made here.
    case $place in "$folder"/minikube-offline.*) ;; *) continue ;; esac
    trap 'rm -rf "$place"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    if dd if="$self" of="$place/stub" bs=@BLOCK_BYTES@ skip="$skip" count="$count" 2>/dev/null; then
        if command -v sha256sum >/dev/null 2>&1; then
            found=$(sha256sum <"$place/stub")
            [ "${found%% *}" = "$sha256" ] || die 4 "$self is damaged: the program in it has another SHA-256" \
                "copy the file again from where it was packed, and compare both with sha256sum"
        fi
        if chmod 700 "$place/stub" && "$place/stub" --probe >/dev/null 2>&1; then
            exec "$place/stub" --bundle "$self" "$@"
        fi
    fi
    rm -rf "$place"
    trap - EXIT INT TERM HUP
done
die 9 "no folder was found where a program of $((count * @BLOCK_BYTES@ / 1024)) KiB can be put and run" \
    "set TMPDIR to a folder that has room and is not mounted noexec, and run it again"
exit
