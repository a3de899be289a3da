# shellcheck shell=bash
#
# Virtual environments of Python in the cache, one for each list of packages.

# python_environment REQUIREMENTS: prints the folder of an environment that has exactly these packages, for the
# distribution's Python. Creates it if there is none.
python_environment() {
    local requirements=$1 python=/usr/bin/python3 folder log
    [[ -x $python ]] || python=python3
    "$python" -c 'import ensurepip' 2>/dev/null || packages_install python3-venv >&2 || return 1
    folder=$(cache_dir)/python-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-$(sha256sum "$requirements" | cut -c 1-12)
    mkdir -p "$(cache_dir)/log"
    lock_take "$folder.lock" 600 || fail "another process has held $folder.lock for ten minutes" "see which process: fuser $folder.lock"
    if [[ ! -e $folder/complete ]]; then
        log=$(cache_log "${folder##*/}")
        rm -rf "$folder"
        { run_logged "$log" "$python" -m venv "$folder" &&
            run_logged "$log" "$folder/bin/pip" install --disable-pip-version-check --requirement "$requirements"; } ||
            fail "pip cannot install the packages of $requirements" "check this machine's package index: python3 -m pip config list" "whole log: $log"
        touch "$folder/complete"
    fi
    printf '%s' "$folder"
}
