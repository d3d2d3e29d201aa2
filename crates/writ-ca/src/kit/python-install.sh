#!/bin/sh
# Lets Python programs of all users trust the certificate authority "@SUBJECT@". Run as root.
# Changes: a folder with a bundle (the system's authorities and this one) and a file in /etc/profile.d that sets
# SSL_CERT_FILE and REQUESTS_CA_BUNDLE for new logins, unless they are set already. Run it again after updates of the
# system's authorities. DESTDIR=/path writes below another folder instead; BASE names another base bundle.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=/usr/local/share/$name-python
root=${DESTDIR:-}
base=${BASE:-}
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [ -z "$base" ] && [ -f "$root$bundle" ]; then base=$root$bundle; fi
done
if [ -z "$base" ]; then
    echo "no bundle of the system's authorities found; name one with BASE=/path" >&2
    exit 1
fi
mkdir -p "$root$folder" "$root/etc/profile.d"
{
    cat "$base"
    echo
    cat "$here/$name.crt"
} >"$root$folder/bundle.pem"
chmod 644 "$root$folder/bundle.pem"
for variable in SSL_CERT_FILE REQUESTS_CA_BUNDLE; do
    printf 'export %s="${%s:-%s}"\n' "$variable" "$variable" "$folder/bundle.pem"
done >"$root/etc/profile.d/$name-python.sh"
echo "wrote $root$folder/bundle.pem from $base, and $root/etc/profile.d/$name-python.sh"
echo "log in again, then run verify.sh"
