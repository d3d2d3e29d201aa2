#!/bin/sh
# Says whether Node.js, started from this shell, trusts "@SUBJECT@". Changes nothing.
set -eu
file=${NODE_EXTRA_CA_CERTS:-}
if [ -n "$file" ] &&
    openssl verify -partial_chain -no-CApath -no-CAstore -CAfile "$file" "$(dirname -- "$0")/@NAME@.crt" >/dev/null 2>&1; then
    echo "trusted: NODE_EXTRA_CA_CERTS=$file"
else
    echo "not trusted: NODE_EXTRA_CA_CERTS is '$file'"
    exit 1
fi
