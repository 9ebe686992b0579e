#!/bin/sh
# For other scripts to take in with `.`: a medium as slow as a stick. What runs `from_stick`
# reads from the disk at no more than STICK bytes a second, what the page cache has at any
# rate. Needs root and a control group for disks.
STICK=${STICK:-400000000}
stick_group=${stick_group:-}

stick_is_there() { # stick_is_there FILE: on whose disk it is to be slow
    stick_disk=$(findmnt -n -o MAJ:MIN -T "$1") || return 1
    for stick_directory in /sys/fs/cgroup/blkio /sys/fs/cgroup; do
        stick_group=$stick_directory/minikube-offline-stick.$$
        mkdir "$stick_group" 2>/dev/null || continue
        { echo "$stick_disk $STICK" >"$stick_group/blkio.throttle.read_bps_device"; } 2>/dev/null && return
        { echo "$stick_disk rbps=$STICK" >"$stick_group/io.max"; } 2>/dev/null && return
        rmdir "$stick_group"
    done
    stick_group=
    return 1
}
from_stick() { (echo 0 >"$stick_group/cgroup.procs" && "$@"); }
no_stick() { [ -z "$stick_group" ] || rmdir "$stick_group"; }
