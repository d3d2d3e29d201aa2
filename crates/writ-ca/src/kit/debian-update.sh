# Updates the store, by the configuration $conf; read by the other scripts. DESTDIR tries them out in another folder.
if [ -n "$root" ]; then
    update-ca-certificates --certsconf "$conf" --certsdir "$root/usr/share/ca-certificates" \
        --localcertsdir "$root/usr/local/share/ca-certificates" --etccertsdir "$root/etc/ssl/certs" \
        --hooksdir "$root/etc/ca-certificates/update.d" >/dev/null
else
    update-ca-certificates --certsconf "$conf" >/dev/null
fi
