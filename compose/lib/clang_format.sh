# shellcheck shell=bash
#
# clang-format, which tests/lint runs: a Python package carries the program. Another version formats
# differently, so the distribution's own is of no use.

clang_format_folder() {
    printf '%s/clang-format-%s' "$(cache_dir)" "$CLANG_FORMAT_VERSION"
}

# clang_format_program: the path of the program that compose/setup fetches.
clang_format_program() {
    printf '%s/clang_format/data/bin/clang-format' "$(clang_format_folder)"
}

clang_format_setup() {
    local folder work log start
    folder=$(clang_format_folder)
    if [[ -e $folder ]]; then
        return 0
    fi
    start=$(now_ms)
    say "clang-format $CLANG_FORMAT_VERSION: fetching"
    work=$(cache_workspace)
    log=$(cache_log clang-format)
    run_logged "$log" python3 -m pip install --disable-pip-version-check --no-deps --only-binary :all: \
        --target "$work/install" "clang-format==$CLANG_FORMAT_VERSION" ||
        fail "pip cannot fetch clang-format $CLANG_FORMAT_VERSION" \
            "check this machine's package index: python3 -m pip config list" "whole log: $log"
    [[ $("$work/install/clang_format/data/bin/clang-format" --version) == *" $CLANG_FORMAT_VERSION"* ]] ||
        fail "the fetched clang-format does not run on this machine" "whole log: $log"
    cache_publish "$work/install" "${folder##*/}"
    rm -rf "$work"
    say "clang-format $CLANG_FORMAT_VERSION: fetched in $(seconds_since "$start")"
}
