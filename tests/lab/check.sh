#!/bin/sh
# For other scripts to take in with `.`: checks that say what they found, and
# count. The counts survive in $CHECKS, a directory, across processes.
CHECKS=${CHECKS:-$(mktemp -d)}
export CHECKS

check() { # check NAME COMMAND...: runs it; shows what it said when it failed
    check_name=$1 check_begun=$(date +%s)
    shift
    if "$@" >"$CHECKS/output" 2>&1; then
        echo "ok      $check_name ($(($(date +%s) - check_begun)) s)"
        echo "$check_name" >>"$CHECKS/passed"
    else
        echo "FAILED  $check_name ($(($(date +%s) - check_begun)) s)"
        sed 's/^/        /' "$CHECKS/output" | tail -n 40
        echo "$check_name" >>"$CHECKS/failed"
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
