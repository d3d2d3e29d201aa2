#!/bin/sh
# Says whether the image trusts "@SUBJECT@". Changes nothing.
set -eu
certificate=$(dirname -- "$0")/@NAME@.crt
wanted=$(sed -n 2p "$certificate")
for store in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [ -f "$store" ] && grep -qF "$wanted" "$store" && grep -qF "$(tail -n 3 "$certificate" | head -n 1)" "$store"; then
        echo "trusted: $store"
        exit 0
    fi
done
echo "not trusted"
exit 1
