#!/bin/sh
# Lets Node.js programs of all users trust the certificate authority "@SUBJECT@". Run as root.
# Changes: a folder and a file in /etc/profile.d that sets NODE_EXTRA_CA_CERTS for new logins, unless it is set already.
# Running it again changes nothing. DESTDIR=/path writes below another folder instead.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=/usr/local/share/$name-node
root=${DESTDIR:-}
mkdir -p "$root$folder" "$root/etc/profile.d"
cp "$here/$name.crt" "$root$folder/$name.crt"
chmod 644 "$root$folder/$name.crt"
printf 'export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-%s}"\n' "$folder/$name.crt" >"$root/etc/profile.d/$name-node.sh"
echo "wrote $root$folder/$name.crt and $root/etc/profile.d/$name-node.sh"
echo "log in again, then run verify.sh"
