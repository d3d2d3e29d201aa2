#!/bin/sh
# Lets a Java runtime trust the certificate authority "@SUBJECT@": sh install.sh [TRUSTSTORE]
# Changes: one entry, @NAME@, in the given trust store, else in that of the java in the path. STOREPASS is its password
# if it is not "changeit". Running it again changes nothing.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/store.sh"
if same; then
    echo "$store has it already"
else
    keytool -delete -alias "$name" -keystore "$store" -storepass:env STOREPASS >/dev/null 2>&1 || true
    keytool -importcert -noprompt -alias "$name" -file "$here/$name.crt" -keystore "$store" \
        -storepass:env STOREPASS >/dev/null 2>&1
    echo "added $name to $store"
fi
exec sh "$here/verify.sh" "$store"
