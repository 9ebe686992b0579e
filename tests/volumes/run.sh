#!/bin/sh
# Volumes on a real FAT32 file system (an image; root) and where no large file fits, and a
# repair that is killed, or finds no space, at each of its writes. Takes PACKAGER, STUB
# and STANDIN from the environment, and a seed: MINIKUBE_OFFLINE_TEST_SEED=N.
set -eu
cd "$(dirname "$0")/../.."
. tests/lab/check.sh
tests/lab/need.sh strace=strace mkfs.vfat=dosfstools || echo "what needs them is skipped"
work=$(mktemp -d) size=32
stick=$work/stick
mkdir "$stick" "$work/small" "$work/other"
cleanup() {
    if mountpoint -q "$stick"; then umount "$stick"; fi
    rm -rf "$work"
}
trap cleanup EXIT

# What is there must be what was packed: BUNDLE and its volumes, byte for byte.
same() { for file in "$work"/x.run*; do cmp "$file" "$1${file#"$work/x.run"}" || return 1; done; }
copy() { for file in "$work"/x.run*; do cp "$file" "$1${file#"$work/x.run"}"; done; }
spoil() { printf spoilt | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
fails() { # fails STATUS TEXT COMMAND...: ends with the status, and says the text
    wanted=$1 text=$2 status=0
    shift 2
    "$@" >"$work/said" 2>&1 || status=$?
    cat "$work/said" && [ "$status" = "$wanted" ] && grep -qF -- "$text" "$work/said"
}

tests/lab/sample-parts.sh "$STANDIN" "$work/parts"
set -- pack --offline --level fast --kubernetes-version v1.35.4 --stub "$STUB" --minikube "$work/parts/minikube" \
    --binaries "$work/parts/binaries" --kicbase "docker-archive:$work/parts/kicbase.tar"
for image in "$work"/parts/images/*.tar; do set -- "$@" --image "docker-archive:$image"; done
check "pack into volumes of $size MiB" "$PACKAGER" "$@" --split "${size}M" -o "$work/x.run"
rm -f "$work/x.lock"

echo "== A place that takes no file of more than $size MiB"
limited() ( # limited COMMAND...: an error, as FAT32 gives it, not the signal of a limit
    trap '' XFSZ
    ulimit -f $((size * 2048))
    "$@"
)
# shellcheck disable=SC2016 # backticks of the message
check "one file does not fit, which is told with what to do" \
    fails 6 'split the bundle with `--split 4000M`' limited "$PACKAGER" "$@" -o "$work/small/x.run"
check "nothing is left of it" [ -z "$(ls -A "$work/small")" ]

echo "== A stick with FAT32"
medium() { # medium: mounts an image, by the kernel or, where it has no FAT, by FUSE
    truncate -s 5G "$work/fat.img" && mkfs.vfat -F 32 "$work/fat.img" >"$work/said" 2>&1 || return 1
    mount -o loop "$work/fat.img" "$stick" 2>"$work/said" && echo "FAT32 by the kernel" && return
    tests/lab/need.sh fusefat=fusefat && fusefat -o rw+ "$work/fat.img" "$stick" >"$work/said" 2>&1 &&
        echo "FAT32 by FUSE: the kernel has none"
}
if [ "$(id -u)" = 0 ] && medium; then
    case $(stat -f -c %T "$stick") in
    msdos) check "pack onto it" "$PACKAGER" "$@" --split "${size}M" -o "$stick/x.run" ;;
    *)
        echo "skipped: packing onto it (this driver loses files that are open without a name)"
        check "copy onto it" copy "$stick/x.run"
        ;;
    esac
    check "it holds the same bytes" same "$stick/x.run"
    check "the bundle verifies itself from it" sh "$stick/x.run" verify --deep
    check "and extracts itself" sh "$stick/x.run" extract --to "$work/out"
    spoil "$stick/x.run.001" 5000000
    check "a damaged volume is named" fails 4 "x.run.001\` is damaged: chunk 4 of" sh "$stick/x.run" verify
    rm "$stick/x.run.002"
    check "a missing one, too" fails 4 "x.run.002\` (" sh "$stick/x.run" verify
    check "it is repaired on the stick" sh "$stick/x.run" repair --from "$work/x.run"
    umount "$stick" && sync
    check "the file system has no fault" fsck.vfat -n "$work/fat.img"
    mount -o loop "$work/fat.img" "$stick" 2>"$work/said" ||
        fusefat -o ro "$work/fat.img" "$stick" >"$work/said" 2>&1
    check "and the bundle is whole after it was taken out" same "$stick/x.run"
else
    echo "skipped: FAT32 (not root, or no driver: $(tail -n 1 "$work/said"))"
fi

echo "== A repair that is disturbed"
repair() { # repair [TRACER...]
    "$@" "$PACKAGER" repair "$work/small/x.run" --from "$work/other/x.run"
}
damage() { # both copies, each in other places
    copy "$work/small/x.run" && copy "$work/other/x.run" && rm "$work/small/x.run.003"
    for at in 0 9000; do spoil "$work/small/x.run" "$at"; done
    for at in 7 3000000 20000000; do spoil "$work/small/x.run.001" "$at"; done
    for at in 10000000 30000000; do spoil "$work/other/x.run.001" "$at"; done
}
disturb() { # disturb FAULT CALL: at the first such call, the second, … until none is left
    n=0 status=1
    while [ "$status" != 0 ]; do
        n=$((n + 1)) status=0
        damage
        repair strace -f -qq -o "$work/trace" -e "trace=$2" -e "inject=$2:$1:when=$n" || status=$?
        # Whatever it came to, the next one makes the bundle whole.
        repair && same "$work/small/x.run" || return 1
        [ "$n" -lt 100 ] || return 1
    done
    [ "$n" -gt 1 ] && echo "$((n - 1)) $2" >>"$work/tried"
}
if command -v strace >/dev/null; then
    for call in pwrite64 fsync; do
        check "killed at each $call, then run again: whole" disturb signal=SIGKILL "$call"
        check "no space at each $call, then run again: whole" disturb error=ENOSPC "$call"
    done
    damage && copy "$work/other/x.run"
    # Two in a row: what cannot be read is asked for once more.
    check "reads fail: the other copy has it" repair strace -f -qq -o "$work/trace" -e trace=pread64 \
        -e inject=pread64:error=EIO:when=8..9
    check "and it is whole" same "$work/small/x.run"
    echo "tried: $(paste -sd , "$work/tried") calls, each killed or refused"
else
    echo "skipped: strace is not here"
fi

echo "== Sizes, lengths, a second writer and pairs of copies, in full"
check "none is accepted that is wrong" env MINIKUBE_OFFLINE_TEST_LONG=1 cargo test --locked --test it -- \
    --nocapture lengths:: race:: sizes:: repair::what_is_bad_in_one && grep "^tried:" "$CHECKS/output"
summary
