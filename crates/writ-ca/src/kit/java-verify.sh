#!/bin/sh
# Says whether a Java trust store has "@SUBJECT@": sh verify.sh [TRUSTSTORE]. Changes nothing.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/store.sh"
if same; then
    echo "trusted: $store"
else
    echo "not trusted: $store"
    exit 1
fi
