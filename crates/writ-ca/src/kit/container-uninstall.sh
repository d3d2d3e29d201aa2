#!/bin/sh
# Takes back what install.sh did in a container that is kept. An image is better built anew without install.sh.
set -eu
name='@NAME@'
for folder in /etc/pki/ca-trust/source/anchors /usr/local/share/ca-certificates; do
    if [ -e "$folder/$name.crt" ]; then
        rm "$folder/$name.crt"
        echo "removed $folder/$name.crt"
    fi
done
if command -v update-ca-trust >/dev/null; then update-ca-trust extract >/dev/null; else update-ca-certificates >/dev/null; fi
echo "updated the system store"
