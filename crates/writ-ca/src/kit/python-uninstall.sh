#!/bin/sh
# Takes back what install.sh did: removes its folder and its file in /etc/profile.d. Run as root.
set -eu
name='@NAME@'
root=${DESTDIR:-}
for path in "$root/usr/local/share/$name-python/bundle.pem" "$root/etc/profile.d/$name-python.sh"; do
    if [ -e "$path" ]; then
        rm "$path"
        echo "removed $path"
    fi
done
if [ -d "$root/usr/local/share/$name-python" ]; then rmdir "$root/usr/local/share/$name-python"; fi
echo "logins that are open keep SSL_CERT_FILE and REQUESTS_CA_BUNDLE until they end"
