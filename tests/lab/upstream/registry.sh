#!/bin/sh
# Writes the configuration of a docker-registry that has the images in DIR/images.
# Usage: registry.sh DIR ADDRESS plain|tls|password|token
set -eu
directory=$1 address=$2 guard=$3
cat <<END
version: 0.1
log: {accesslog: {disabled: false}, level: error}
storage: {filesystem: {rootdirectory: '$directory/images'}, maintenance: {uploadpurging: {enabled: false}}}
http:
  addr: $address
END
[ "$guard" = plain ] || echo "  tls: {certificate: '$directory/server.pem', key: '$directory/server.key'}"
case $guard in
password) echo "auth: {htpasswd: {realm: upstream, path: '$directory/htpasswd'}}" ;;
token) echo "auth: {token: {realm: 'https://auth.gcr.io/token', service: gcr.io, issuer: auth.gcr.io, rootcertbundle: '$directory/token.pem'}}" ;;
esac
