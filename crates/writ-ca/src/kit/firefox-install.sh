#!/bin/sh
# Lets Firefox and Chromium of this user on Linux trust the certificate authority "@SUBJECT@".
# Changes: one entry, @NAME@, in each of the user's NSS databases. Running it again changes nothing.
# Needs certutil (Debian: libnss3-tools). Close the browsers first.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/databases.sh"
if [ ! -f "$HOME/.pki/nssdb/cert9.db" ] && [ -n "$(command -v chromium || command -v google-chrome || true)" ]; then
    mkdir -p "$HOME/.pki/nssdb"
    certutil -d "sql:$HOME/.pki/nssdb" -N --empty-password
    echo "made $HOME/.pki/nssdb for Chromium"
fi
databases | while IFS= read -r database; do
    if same "$database"; then
        echo "$database has it already"
    else
        certutil -d "sql:$database" -D -n "$name" 2>/dev/null || true
        certutil -d "sql:$database" -A -n "$name" -t C,, -i "$here/$name.crt"
        echo "added $name to $database"
    fi
done
exec sh "$here/verify.sh"
