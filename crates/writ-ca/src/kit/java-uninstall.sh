#!/bin/sh
# Takes back what install.sh did: removes @NAME@ from the same trust store: sh uninstall.sh [TRUSTSTORE]
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/store.sh"
if [ -f "$store" ] && keytool -list -alias "$name" -keystore "$store" -storepass:env STOREPASS >/dev/null 2>&1; then
    keytool -delete -alias "$name" -keystore "$store" -storepass:env STOREPASS >/dev/null 2>&1
    echo "removed $name from $store"
else
    echo "$store does not have it"
fi
