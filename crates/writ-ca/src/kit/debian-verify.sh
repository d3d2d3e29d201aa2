#!/bin/sh
# Says whether this machine trusts "@SUBJECT@". Changes nothing. Ends with 0 if it does and 1 if not.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
store=${DESTDIR:-}/etc/ssl/certs/ca-certificates.crt
if [ -f "$store" ] && openssl verify -partial_chain -no-CApath -no-CAstore -CAfile "$store" "$here/$name.crt" >/dev/null 2>&1; then
    echo "trusted: $store has $name"
else
    echo "not trusted: $store does not have $name"
    exit 1
fi
