#!/bin/sh
# Installs Docker Engine with apt when it is missing, so that airgap.sh has one
# to run. Nothing is started here: airgap.sh starts an Engine of its own.
# Where CAP_SYS_RESOURCE is not in the bounding set (so that --privileged fails
# with "unable to apply caps"), runc gets a wrapper: see runc-wrapper.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/need.sh" dockerd=docker.io iptables=iptables ip=iproute2 nsenter=util-linux capsh=libcap2-bin
runc=$(command -v runc)
if ! capsh --has-b=cap_sys_resource 2>/dev/null && [ ! -e "$runc.real" ]; then
    echo "wrapping $runc: this machine cannot grant CAP_SYS_RESOURCE" >&2
    mv "$runc" "$runc.real"
    install -m 755 "$here/runc-wrapper" "$runc"
fi
