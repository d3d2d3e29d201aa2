#!/bin/sh
# Lets this machine trust the certificate authority "@SUBJECT@". For Debian, Ubuntu and their derivatives; run as root.
# Changes: one file, @NAME@.crt, and what update-ca-certificates makes of it. Running it again changes nothing.
# DESTDIR=/path tries it out in another folder instead of this machine.
set -eu
name='@NAME@'
fingerprint='@SHA256@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=${DESTDIR:-}
target=$root/usr/local/share/ca-certificates/$name.crt

found=$(openssl x509 -in "$here/$name.crt" -noout -fingerprint -sha256 | sed 's/.*=//')
if [ "$found" != "$fingerprint" ]; then
    echo "$here/$name.crt is not the certificate that this kit was made for; nothing was changed" >&2
    exit 1
fi
if cmp -s "$here/$name.crt" "$target"; then
    echo "$target is there already"
else
    mkdir -p "$(dirname -- "$target")"
    cp "$here/$name.crt" "$target"
    chmod 644 "$target"
    echo "wrote $target"
fi
conf=$root/etc/ca-certificates.conf
. "$here/update.sh"
echo "updated the system store"
exec sh "$here/verify.sh"
