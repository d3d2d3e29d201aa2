#!/bin/sh
# Says whether Python, started from this shell, trusts "@SUBJECT@". Changes nothing.
set -eu
certificate=$(dirname -- "$0")/@NAME@.crt
result=0
for variable in SSL_CERT_FILE REQUESTS_CA_BUNDLE; do
    file=$(printenv "$variable" || true)
    if [ -n "$file" ] && openssl verify -partial_chain -no-CApath -no-CAstore -CAfile "$file" "$certificate" >/dev/null 2>&1; then
        echo "trusted: $variable=$file"
    else
        echo "not trusted: $variable is '$file'"
        result=1
    fi
done
exit $result
