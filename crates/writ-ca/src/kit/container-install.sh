#!/bin/sh
# Lets an image trust the certificate authority "@SUBJECT@": RUN it as root while the image is built.
# For Debian, Ubuntu, Alpine (package ca-certificates) and Fedora, RHEL, UBI. Changes: one file and the system's store.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if command -v update-ca-trust >/dev/null; then
    folder=/etc/pki/ca-trust/source/anchors
    update='update-ca-trust extract'
elif command -v update-ca-certificates >/dev/null; then
    folder=/usr/local/share/ca-certificates
    update=update-ca-certificates
else
    echo "this image has neither update-ca-certificates nor update-ca-trust; install the package ca-certificates" >&2
    exit 1
fi
mkdir -p "$folder"
cp "$here/$name.crt" "$folder/$name.crt"
chmod 644 "$folder/$name.crt"
$update >/dev/null
echo "wrote $folder/$name.crt and updated the system store"
