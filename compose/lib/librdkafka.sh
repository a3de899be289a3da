# shellcheck shell=bash
#
# librdkafka: the system's if it is new enough, otherwise built from upstream's source.

# librdkafka_prefix: prints the folder of the build, whether it exists or not.
librdkafka_prefix() {
    printf '%s/librdkafka-%s' "$(cache_dir)" "$RDKAFKA_VERSION"
}

# librdkafka_of_system: succeeds if the system's librdkafka is new enough and has the static library, which
# makes the binary independent of this machine.
librdkafka_of_system() {
    pkg-config --atleast-version="$RDKAFKA_MINIMUM" rdkafka-static 2>/dev/null
}

# librdkafka_pkg_config_path: prints the prefix of PKG_CONFIG_PATH; empty for the system's librdkafka.
librdkafka_pkg_config_path() {
    librdkafka_of_system || printf '%s/lib/pkgconfig' "$(librdkafka_prefix)"
}

# librdkafka_tsan_prefix: where the one for ThreadSanitizer is or would be.
librdkafka_tsan_prefix() {
    printf '%s-tsan' "$(librdkafka_prefix)"
}

librdkafka_setup() {
    librdkafka_of_system || librdkafka_make "$(librdkafka_prefix)"
}

# librdkafka_tsan_setup: builds librdkafka for ThreadSanitizer, with its instrumentation and with
# pthreads. ThreadSanitizer does not know C11's threads, and crashes in what librdkafka creates by them.
librdkafka_tsan_setup() {
    CFLAGS='-O1 -fsanitize=thread' LDFLAGS=-fsanitize=thread \
        librdkafka_make "$(librdkafka_tsan_prefix)" --disable-c11threads
}

# librdkafka_make PREFIX [OPTION...]: builds it unless it is there, with these options of configure.
librdkafka_make() {
    local prefix=$1 name=${1##*/} work log start
    if [[ -e $prefix ]]; then
        return 0
    fi
    start=$(now_ms)
    say "$name: building (about a minute on two cores)"
    work=$(cache_workspace)
    log=$(cache_log "$name")
    npm_unpack "$RDKAFKA_NPM_PACKAGE" "$work/package" "$log"
    librdkafka_build "$work/package/deps/librdkafka" "$prefix" "$work/install" "$log" "${@:2}"
    cache_publish "$work/install$prefix" "$name"
    rm -rf "$work"
    say "$name: built in $(seconds_since "$start")"
}

# librdkafka_build SOURCE PREFIX STAGE LOG [OPTION...]: builds the C library for PREFIX and installs it below
# STAGE. Kerberos and an external lz4 would only add dependencies (lz4 is built in). SCRAM and PLAIN need
# only OpenSSL.
librdkafka_build() {
    local source=$1 prefix=$2 stage=$3 log=$4
    (
        cd "$source" &&
            run_logged "$log" ./configure --prefix="$prefix" --enable-ssl --enable-zstd \
                --disable-gssapi --disable-lz4-ext --disable-curl "${@:5}" &&
            run_logged "$log" make -C src -j"$(nproc)" &&
            run_logged "$log" make -C src install DESTDIR="$stage"
    ) || fail "librdkafka failed to build" "whole log: $log"

    # configure silently leaves out features whose libraries it does not find, so check the result.
    local feature
    for feature in SSL ZSTD SASL_SCRAM; do
        grep -q "^#define WITH_$feature 1" "$source/config.h" ||
            fail "librdkafka was built without $feature" "see how configure searched for it: $log"
    done
    [[ -e $stage$prefix/lib/librdkafka.a ]] || fail "the build of librdkafka produced no librdkafka.a" "whole log: $log"
}
