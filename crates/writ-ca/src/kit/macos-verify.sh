#!/bin/sh
# Says whether this Mac trusts "@SUBJECT@" for TLS. Changes nothing.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
keychain=/Library/Keychains/System.keychain
fingerprint=$(echo '@SHA256@' | tr -d :)
if security find-certificate -a -Z "$keychain" | grep -q "SHA-256 hash: $fingerprint" &&
    security verify-cert -q -L -l -p ssl -c "$here/@NAME@.crt"; then
    echo "trusted: $keychain"
else
    echo "not trusted"
    exit 1
fi
