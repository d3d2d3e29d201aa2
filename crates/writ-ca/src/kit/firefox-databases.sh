# Where this user's browsers keep certificates; read by the other scripts.
databases() {
    for folder in "$HOME/.pki/nssdb" "$HOME"/.mozilla/firefox/* "$HOME"/.config/mozilla/firefox/* \
        "$HOME"/snap/firefox/common/.mozilla/firefox/* "$HOME"/snap/chromium/current/.pki/nssdb \
        "$HOME"/.var/app/org.mozilla.firefox/.mozilla/firefox/*; do
        if [ -f "$folder/cert9.db" ]; then echo "$folder"; fi
    done
}

# Whether a database has exactly this certificate under this name, trusted for servers.
same() {
    certutil -d "sql:$1" -L -n "$name" -a 2>/dev/null | openssl x509 -outform DER 2>/dev/null >/dev/null || return 1
    theirs=$(certutil -d "sql:$1" -L -n "$name" -a | openssl x509 -noout -fingerprint -sha256 | sed 's/.*=//')
    [ "$theirs" = '@SHA256@' ] && certutil -d "sql:$1" -L | grep -Eq "^$name +C,,"
}
