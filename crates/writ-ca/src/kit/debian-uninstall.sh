#!/bin/sh
# Takes back what install.sh did: removes @NAME@.crt and updates the system store. Run as root.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=${DESTDIR:-}
target=$root/usr/local/share/ca-certificates/$name.crt
if [ -e "$target" ]; then
    rm "$target"
    echo "removed $target"
else
    echo "$target is not there"
fi
# A line with "!" makes update-ca-certificates remove its links and tell its hooks, such as that of Java; a file that is
# just gone would leave both behind. The configuration itself stays as it is.
conf=$(mktemp)
trap 'rm -f "$conf"' EXIT
cat "$root/etc/ca-certificates.conf" >"$conf"
echo "!$name.crt" >>"$conf"
. "$here/update.sh"
echo "updated the system store"
if sh "$here/verify.sh" >/dev/null; then
    echo "the store still trusts it: another file below ${root}/usr/local/share/ca-certificates or a package has it" >&2
    exit 1
fi
echo "not trusted any more"
