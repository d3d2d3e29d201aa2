# Updates the store below $root; read by the other scripts.
if [ -n "$root" ]; then
    update-ca-certificates --certsconf "$root/etc/ca-certificates.conf" --certsdir "$root/usr/share/ca-certificates" \
        --localcertsdir "$root/usr/local/share/ca-certificates" --etccertsdir "$root/etc/ssl/certs" \
        --hooksdir "$root/etc/ca-certificates/update.d" >/dev/null
else
    update-ca-certificates >/dev/null
fi
