#!/bin/sh
# Takes back what install.sh did: removes @NAME@ from each of this user's NSS databases. Close the browsers first.
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/databases.sh"
databases | while IFS= read -r database; do
    if certutil -d "sql:$database" -L -n "$name" >/dev/null 2>&1; then
        certutil -d "sql:$database" -D -n "$name"
        echo "removed $name from $database"
    else
        echo "$database does not have it"
    fi
done
