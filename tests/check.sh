#!/bin/sh
# For other scripts to take in with `.`: checks that say what they found, and
# count. The counts survive in $CHECKS, a folder, across processes.
CHECKS=${CHECKS:-$(mktemp -d)}
export CHECKS

check() { # check NAME COMMAND...: runs it; shows what it said when it failed
    name=$1 begun=$(date +%s)
    shift
    if "$@" >"$CHECKS/output" 2>&1; then
        echo "ok      $name ($(($(date +%s) - begun)) s)"
        echo "$name" >>"$CHECKS/passed"
    else
        echo "FAILED  $name ($(($(date +%s) - begun)) s)"
        sed 's/^/        /' "$CHECKS/output" | tail -n 40
        echo "$name" >>"$CHECKS/failed"
        return 1
    fi
}
eventually() { # eventually COMMAND...: repeats it for three minutes, until it succeeds
    attempts=0
    until "$@"; do
        attempts=$((attempts + 1))
        [ "$attempts" -lt 90 ] || return 1
        sleep 2
    done
}
summary() { # the last line; fails when a check did
    touch "$CHECKS/passed" "$CHECKS/failed"
    passed=$(wc -l <"$CHECKS/passed") failed=$(wc -l <"$CHECKS/failed")
    rm -rf "$CHECKS"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
