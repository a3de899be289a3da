# shellcheck shell=bash
#
# pgvector for the distribution's PostgreSQL: its package if that is new enough, otherwise a build from the
# source package of a newer release. PostgreSQL before 18 finds extensions only in its own folders, so
# the build is installed there.

# pgvector_present VERSION: succeeds if PostgreSQL VERSION has a pgvector that is new enough.
pgvector_present() {
    local control=/usr/share/postgresql/$1/extension/vector.control version
    [[ -r $control ]] || return 1
    version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "$control")
    version_at_least "$version" "$PGVECTOR_MINIMUM"
}

pgvector_setup() {
    local major candidate
    major=$(postgres_major)
    pgvector_present "$major" && return 0
    candidate=$(package_candidate "postgresql-$major-pgvector")
    if [[ -n $candidate ]] && version_at_least "$candidate" "$PGVECTOR_MINIMUM"; then
        packages_install "postgresql-$major-pgvector"
    else
        pgvector_build "$major"
    fi
    pgvector_present "$major" ||
        fail "pgvector was installed, but PostgreSQL $major does not find it" \
            "check the folder /usr/share/postgresql/$major/extension"
}

pgvector_build() {
    local major=$1 start work log suites version config=/usr/lib/postgresql/$1/bin/pg_config
    local -a make
    start=$(now_ms)
    say "pgvector: building from a newer release's source package"
    work=$(cache_workspace)
    log=$(cache_log pgvector)
    suites=$(pgvector_suites)
    # shellcheck disable=SC2086  # a list of words
    version=$(mirror_source pgvector "$PGVECTOR_MINIMUM" "$work" "$log" $suites) ||
        fail "found no source package of pgvector $PGVECTOR_MINIMUM or later in: $suites" \
            "the machine's package sources name no mirror for its own release, or the mirror lacks these suites" \
            "whole log: $log"
    pgvector_headers "$major" "$work" "$log"
    # Build for any processor, since the files may move to another machine; without bitcode, which needs clang.
    make=(make -C "$work/source" "PG_CONFIG=$config" OPTFLAGS= with_llvm=no
        "PG_CPPFLAGS=-I$work/headers/usr/include/postgresql/$major/server")
    run_logged "$log" "${make[@]}" -j"$(nproc)" || fail "pgvector $version failed to build" "whole log: $log"
    run_logged "$log" as_root "${make[@]}" install || fail "pgvector $version cannot be installed" "whole log: $log"
    rm -rf "$work"
    say "pgvector $version: built in $(seconds_since "$start")"
}

# pgvector_headers MAJOR WORK LOG: puts the server's headers below WORK/headers. It only unpacks their package:
# an installation would add clang, LLVM and another minor release of the running server.
pgvector_headers() {
    local major=$1 work=$2 log=$3
    mkdir -p "$work/headers"
    [[ ! -e /usr/include/postgresql/$major/server/postgres.h ]] || return 0
    if ! pgvector_download_headers "$@" && run_logged "$log" as_root apt-get update --quiet; then
        pgvector_download_headers "$@" || true
    fi
    dpkg-deb --extract "$work"/headers/*.deb "$work/headers" ||
        fail "apt-get cannot fetch postgresql-server-dev-$major" "whole log: $log"
}

pgvector_download_headers() {
    (cd "$2/headers" && run_logged "$3" apt-get download "postgresql-server-dev-$1")
}

pgvector_suites() {
    case $(mirror_distribution) in
    debian) printf '%s' "$PGVECTOR_SUITES_DEBIAN" ;;
    ubuntu) printf '%s' "$PGVECTOR_SUITES_UBUNTU" ;;
    *) fail "found no pgvector package for this PostgreSQL, and this system is neither Debian nor Ubuntu" \
        "install pgvector $PGVECTOR_MINIMUM or later by hand" ;;
    esac
}
