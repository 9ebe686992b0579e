#!/bin/sh
# Writes the configuration of a docker-registry that has the images in FOLDER/images.
# Usage: registry.sh FOLDER ADDRESS plain|tls|password|token
set -eu
folder=$1 address=$2 guard=$3
cat <<END
version: 0.1
log: {accesslog: {disabled: false}, level: error}
storage: {filesystem: {rootdirectory: '$folder/images'}, maintenance: {uploadpurging: {enabled: false}}}
http:
  addr: $address
END
[ "$guard" = plain ] || echo "  tls: {certificate: '$folder/server.pem', key: '$folder/server.key'}"
case $guard in
password) echo "auth: {htpasswd: {realm: upstream, path: '$folder/htpasswd'}}" ;;
token) echo "auth: {token: {realm: 'https://auth.gcr.io/token', service: gcr.io, issuer: auth.gcr.io, rootcertbundle: '$folder/token.pem'}}" ;;
esac
