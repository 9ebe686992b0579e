#!/bin/sh
# A client of Docker Engine without an engine: it remembers images, volumes and what
# it was asked, in its own directory, and refuses everything else. A file `fail VERB`
# makes that verb fail with what is in it.
here=${0%/*}
verb="$1 $2"
for last; do :; done
echo "$*" >>"$here/asked"
if [ -e "$here/fail $verb" ]; then
    [ "$verb" != 'image load' ] || cat >/dev/null
    cat "$here/fail $verb" >&2
    exit 1
fi
thing="$here/$1 $(printf %s "$last" | tr / _)"
case $verb in
'context inspect') echo 'default unix:///var/run/docker.sock' ;;
'info --format') cat "$here/info.json" ;;
'version --format') echo 28.2.2 ;;
'network ls' | 'container ls' | 'volume ls') ;;
'images --format') cat "$here"/image* 2>/dev/null | sed -n 's/.*"Name":"\([^"]*\)".*/\1@/p' ;;
'image load')
    archive=$(mktemp "$here/archive.XXXXXX")
    cat >"$archive"
    while [ -e "$here/wait" ]; do sleep 0.1; done
    # What a killed client has begun to send is no archive.
    tar -tf "$archive" >/dev/null 2>&1 || { rm "$archive" && echo 'unexpected EOF' >&2 && exit 1; }
    config=$(tar -xOf "$archive" manifest.json | sed 's/.*"Config":"\([^"]*\)".*/\1/')
    name=$(tar -xOf "$archive" manifest.json | sed 's/.*"RepoTags":\["\([^"]*\)".*/\1/')
    id=$(tar -xOf "$archive" "$config" | sha256sum)
    rm "$archive"
    # An engine that makes something of its own of an archive.
    [ ! -e "$here/loads" ] || { cat "$here/loads" >"$here/image $(printf %s "$name" | tr / _)" && exit; }
    echo "{\"Name\":\"$name\",\"Id\":\"sha256:${id%% *}\",\"RootFS\":{\"Layers\":[]}}" >"$here/image $(printf %s "$name" | tr / _)"
    ;;
'volume create')
    labels=
    for word; do
        pair=${word#--label=}
        [ "$pair" = "$word" ] || labels="$labels,\"${pair%%=*}\":\"${pair#*=}\""
    done
    echo "{\"Labels\":{${labels#,}}}" >"$thing"
    ;;
*' inspect') cat "$thing" 2>/dev/null || { echo "Error: No such $1: $last" >&2 && exit 1; } ;;
*' rm') rm "$thing" 2>/dev/null || { echo "Error: No such $1: $last" >&2 && exit 1; } ;;
*) echo "this engine knows no \`$*\`" >&2 && exit 1 ;;
esac
