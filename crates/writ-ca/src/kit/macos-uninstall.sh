#!/bin/sh
# Takes back what install.sh did: removes the trust setting and the certificate: sudo sh uninstall.sh
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
keychain=/Library/Keychains/System.keychain
sha1=$(echo '@SHA1@' | tr -d :)
security remove-trusted-cert -d "$here/$name.crt" 2>/dev/null && echo "removed its trust setting" || true
if security find-certificate -a -Z "$keychain" | grep -q "SHA-1 hash: $sha1"; then
    security delete-certificate -Z "$sha1" "$keychain"
    echo "removed $name from $keychain"
else
    echo "$keychain does not have it"
fi
