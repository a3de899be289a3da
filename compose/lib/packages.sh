# shellcheck shell=bash
#
# The distribution's packages. A test looks for what each package provides: a command, a library known to
# pkg-config, or a file. compose/setup installs only packages whose test fails, so a machine with its own
# installation keeps it.

# packages_for_build: prints what building the worker needs, one "package test argument" per line. The names
# are the same on Debian 12, Debian 13 and Ubuntu 24.04. npm fetches librdkafka's source.
packages_for_build() {
    cat <<'END'
ca-certificates     file    /etc/ssl/certs/ca-certificates.crt
gcc                 command gcc
g++                 command g++
libc6-dev           file    /usr/include/stdio.h
make                command make
cmake               command cmake
ninja-build         command ninja
pkg-config          command pkg-config
python3             command python3
git                 command git
npm                 command npm
libpq-dev           library libpq
libavro-dev         library avro-c
libconfig-dev       library libconfig
libcriterion-dev    library criterion
libmicrohttpd-dev   library libmicrohttpd
libjansson-dev      library jansson
libpcre2-dev        library libpcre2-8
libssl-dev          library libcrypto
libzstd-dev         library libzstd
zlib1g-dev          library zlib
END
}

# packages_for_stack: prints what the local stack, the tests and the checks of tests/lint need in addition.
packages_for_stack() {
    cat <<'END'
curl                command curl
default-jre-headless java   17
maven               command mvn
postgresql          postgres 14
pgbouncer           file    /usr/sbin/pgbouncer
python3-pip         module  pip
shellcheck          command shellcheck
clang               command clang
END
}

# packages_for_fuzzing: prints what clang's sanitizers and libFuzzer need. Asked once clang is installed: the
# package has clang's number in its name.
packages_for_fuzzing() {
    local resources major
    resources=$(clang -print-resource-dir)
    major=$(basename "$resources")
    printf 'libclang-rt-%s-dev file %s/lib/linux/libclang_rt.fuzzer-%s.a\n' "${major%%.*}" "$resources" "$(uname -m)"
}

# package_present TEST ARGUMENT: succeeds if the test finds what the package provides.
package_present() {
    case $1 in
    command) command -v "$2" >/dev/null ;;
    file) [[ -e $2 ]] ;;
    library) pkg-config --exists "$2" 2>/dev/null ;;
    module) python3 -c "import $2" 2>/dev/null ;;
    java) java_home_bin >/dev/null ;;
    postgres) (($(postgres_major) >= $2)) ;;
    *) fail "BUG: unknown test '$1' in packages.sh" ;;
    esac
}

# packages_missing GROUP...: prints the names of the packages to install.
packages_missing() {
    local package test argument group
    while read -r package test argument; do
        package_present "$test" "$argument" || printf '%s\n' "$package"
    done < <(for group in "$@"; do "packages_for_$group"; done)
}

# packages_setup GROUP...: installs the missing packages of the groups (build, stack).
packages_setup() {
    local -a missing
    mapfile -t missing < <(packages_missing "$@")
    ((${#missing[@]})) || return 0

    local had_postgres
    had_postgres=$(postgres_bin)
    packages_install "${missing[@]}"
    [[ -n $had_postgres ]] || postgres_drop_default_cluster

    mapfile -t missing < <(packages_missing "$@")
    ((${#missing[@]} == 0)) || fail "installed, but still not found: ${missing[*]}" \
        "another installation may hide it: check command -v and pkg-config --list-all"
}

# packages_install PACKAGE...: installs packages without questions.
packages_install() {
    local log start
    command -v apt-get >/dev/null || fail "these packages are missing, and this machine has no apt-get: $*" \
        "compose/setup supports Debian 12, Debian 13 and Ubuntu 24.04; elsewhere install the equivalents by hand"
    log=$(cache_log packages)
    start=$(now_ms)
    say "packages: installing $*"
    # Ignore errors of single sources: the installation below shows whether the packages are available.
    run_logged "$log" as_root apt-get update --quiet || say "packages: apt-get update failed, continuing with the existing lists"
    run_logged "$log" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --quiet --yes --no-install-recommends \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "$@" ||
        fail "apt-get cannot install: $*" "whole log: $log"
    say "packages: installed in $(seconds_since "$start")"
}

# package_candidate PACKAGE: prints the version that apt would install; empty if there is none.
package_candidate() {
    apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -vx '(none)' || true
}
