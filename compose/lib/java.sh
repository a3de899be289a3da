# shellcheck shell=bash
#
# Finds the Java that runs Kafka: the first one that is new enough.

# java_home_bin: prints the path of the java program; status 1 if there is none.
java_home_bin() {
    local java
    for java in "${JAVA_HOME:-/nowhere}/bin/java" "$(command -v java || true)" /usr/lib/jvm/*/bin/java; do
        if [[ -x $java ]] && (($(java_major "$java") >= JAVA_MINIMUM)); then
            printf '%s' "$java"
            return 0
        fi
    done
    return 1
}

# java_version JAVA: prints its version; 0 if unknown. Reads the file `release` of the installation, because
# starting Java takes longer than all other checks together. Without that file it starts Java.
java_version() {
    local real release version=
    real=$(readlink -f "$1")
    release=${real%/bin/java}/release
    if [[ -r $release ]]; then
        version=$(sed -n 's/^JAVA_VERSION="\(.*\)"/\1/p' "$release")
    fi
    if [[ -z $version ]]; then
        version=$("$1" -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p;T;q')
    fi
    printf '%s' "${version:-0}"
}

java_major() {
    local version
    version=$(java_version "$1")
    printf '%d' "${version%%[!0-9]*}"
}
