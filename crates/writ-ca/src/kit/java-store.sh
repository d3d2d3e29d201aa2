# Which trust store is meant; read by the other scripts.
STOREPASS=${STOREPASS:-changeit}
export STOREPASS
store=${1:-}
if [ -z "$store" ]; then
    home=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.home = //p')
    store=$home/lib/security/cacerts
    [ -f "$store" ] || store=$home/jre/lib/security/cacerts
fi

# Whether the store has exactly this certificate under this name.
same() {
    [ -f "$store" ] && keytool -list -alias "$name" -keystore "$store" -storepass:env STOREPASS 2>/dev/null |
        grep -q '@SHA256@'
}
