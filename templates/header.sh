#!/bin/sh
{ trap 'echo "error: this bundle is cut short; copy the file again" >&2; exit 4' EXIT; }
# @NAME@: a Kubernetes cluster for a place without a network.
# Run it: ./@NAME@.run, or: sh @NAME@.run help
# Open it without running it:
#   @PAYLOAD@ | zstd -d --long=27 | tar -t
bundle_bytes=@BUNDLE_BYTES@
# A shell reads the braces to their end before it runs what is in them: of a file that
# is cut short, it runs the trap above and nothing else.
{
trap - EXIT

die() {
    status=$1
    # The name of a file can hold anything: only ASCII that is printed reaches the terminal.
    printf 'error: %s\n\nhint: %s\n' "$2" "$3" | LC_ALL=C tr -c '\n -~' '?' >&2
    exit "$status"
}

# Sets mode, owner and bytes of $2, with these options of ls.
look_at() {
    set -f
    # shellcheck disable=SC2046 # fields
    set -- $(LC_ALL=C ls "$1" -- "$2" 2>/dev/null)
    set +f
    mode=${1:-} owner=${3:-} bytes=${5:-}
}

# Whether only root and this user can exchange what is in $1, a path without links:
# each directory of it is theirs, and sticky where others may write to it.
is_safe() {
    step=$1
    while :; do
        look_at -lnd "$step"
        [ -n "$owner" ] || return 1
        case $owner in 0 | "$user" | "$admin") ;; *) return 1 ;; esac
        case $mode in
        d????????[tT]*) ;;
        d????w* | d???????w*) return 1 ;;
        esac
        [ "$step" != / ] || return 0
        step=${step%/*}
        step=${step:-/}
    done
}

# An odd PATH still finds the system's own programs, after everything else.
PATH=${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin
export PATH

machine=$(uname -s)/$(uname -m)
case $machine in
@STUB_CASES@
*)
    hint='run it on one of these; there are no bundles for other machines'
    case $machine in
    Linux/x86_64) hint='pack one for it: minikube-offline pack --platform linux/amd64' ;;
    Linux/aarch64) hint='pack one for it: minikube-offline pack --platform linux/arm64' ;;
    esac
    die 9 "this bundle runs on @PLATFORMS@, and this machine is $machine" "$hint"
    ;;
esac

case $0 in
*/*) self=$0 ;;
*) if [ -f "./$0" ]; then self=./$0; else self=$(command -v -- "$0"); fi ;;
esac
[ -r "$self" ] || die 5 "cannot read $self" "run it by its path, as a user who may read it"
{ read -r _ && read -r _ && read -r line; } <"$self" 2>/dev/null
case $line in
'# @NAME@: '*) ;;
*) die 5 "$self is not this bundle" "run it by its path: sh ./@NAME@.run" ;;
esac
look_at -lnL "$self"
[ "${bytes:-0}" -ge $bundle_bytes ] || die 4 "$self is cut short: ${bytes:-0} of $bundle_bytes bytes" \
    "copy the file again from where it was packed, and compare both with sha256sum"

# The stub must lie where this machine lets programs run: /tmp may be full or
# mounted noexec, and the bundle itself may lie on a stick.
umask 077
user=$(id -u)
# In a user namespace root outside has another number; all trust whoever owns /.
look_at -lnd /
admin=$owner unsafe=
for directory in "${XDG_RUNTIME_DIR:-}" "${TMPDIR:-}" /tmp /var/tmp /dev/shm /run "${HOME:-}" .; do
    if [ ! -d "$directory" ] || [ ! -w "$directory" ]; then continue; fi
    directory=$(CDPATH='' cd -P -- "$directory" 2>/dev/null && pwd -P) || continue
    is_safe "$directory" || { unsafe="$unsafe $step"; continue; }
    place=$(mktemp -d "${directory%/}/minikube-offline.XXXXXX" 2>/dev/null) || continue
    # What is removed below must be what was made here.
    case $place in "${directory%/}"/minikube-offline.*) ;; *) continue ;; esac
    trap 'rm -rf "$place"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    look_at -lnd "$place"
    case $mode:$owner in
    drwx--[-S]---*:"$user")
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
        ;;
    esac
    rm -rf "$place"
    trap - EXIT INT TERM HUP
done
die 9 "no directory was found where a program of $((count * @BLOCK_BYTES@ / 1024)) KiB can be put and run${unsafe:+; others can change}$unsafe" \
    "set TMPDIR to a directory that has room, is not mounted noexec, and belongs with all above it to root or to you"
}
