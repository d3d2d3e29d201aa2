#!/bin/sh
# Says which browser databases of this user trust "@SUBJECT@". Changes nothing. Ends with 0 if all do (and there is one).
set -eu
name='@NAME@'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/databases.sh"
result=1
for database in $(databases | sed 's/ /?/g'); do
    if same "$database"; then
        echo "trusted: $database"
        [ "$result" = 2 ] || result=0
    else
        echo "not trusted: $database"
        result=2
    fi
done
[ "$result" != 1 ] || echo "no browser database found below $HOME; start the browser once"
[ "$result" = 0 ]
