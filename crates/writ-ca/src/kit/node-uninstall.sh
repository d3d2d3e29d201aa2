#!/bin/sh
# Takes back what install.sh did: removes its folder and its file in /etc/profile.d. Run as root.
set -eu
name='@NAME@'
root=${DESTDIR:-}
for path in "$root/usr/local/share/$name-node/$name.crt" "$root/etc/profile.d/$name-node.sh"; do
    if [ -e "$path" ]; then
        rm "$path"
        echo "removed $path"
    fi
done
if [ -d "$root/usr/local/share/$name-node" ]; then rmdir "$root/usr/local/share/$name-node"; fi
echo "logins that are open keep NODE_EXTRA_CA_CERTS until they end"
