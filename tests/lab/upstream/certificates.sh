#!/bin/sh
# An authority, a certificate of it for upstream's hosts, and one to sign tokens with.
# Usage: certificates.sh DIR HOST...
set -eu
cd "$1"
shift
names=
for host; do names="${names:+$names,}DNS:$host"; done
new() { openssl req -x509 -newkey "$1" -pkeyopt "$2" -nodes -days 2 -keyout "$3.key" -out "$3.pem" -subj "/CN=$3" 2>/dev/null; }
new ec ec_paramgen_curve:P-256 ca
new rsa rsa_keygen_bits:2048 token
openssl x509 -in token.pem -outform DER -out token.der
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj '/CN=upstream' 2>/dev/null
printf 'basicConstraints=critical,CA:FALSE\nsubjectAltName=%s\n' "$names" >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem 2>/dev/null
