# shellcheck shell=bash
#
# Progress messages, errors and small helpers. Progress goes to standard error: standard output is for
# results (paths, settings) that another script reads.

# say TEXT...: prints one line of progress.
say() {
    printf '%s\n' "$*" >&2
}

# fail WHAT [HINT...]: prints an error and hints on what to do, a line each, and ends the script.
fail() {
    printf '%s: error: %s\n' "${0##*/}" "$1" >&2
    shift
    local hint
    for hint in "$@"; do
        printf '  %s\n' "$hint" >&2
    done
    exit 1
}

# tail_log FILE: prints the end of a log, indented.
tail_log() {
    [[ -s $1 ]] || return 0
    say "  last lines of $1:"
    tail -n 20 "$1" | sed 's/^/  | /' >&2
}

# now_ms: prints the time in milliseconds without starting a process.
now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    printf '%s' "$((now / 1000))"
}

# seconds_since MS: prints the time elapsed since then as "1.2 s".
seconds_since() {
    local elapsed=$(($(now_ms) - $1))
    printf '%d.%d s' "$((elapsed / 1000))" "$((elapsed % 1000 / 100))"
}

# version_at_least HAVE WANT: compares dotted numbers. It ignores everything from the first character on
# that is neither a digit nor a dot (Debian revisions, "-rc1").
version_at_least() {
    local have=${1%%[!0-9.]*} want=${2%%[!0-9.]*}
    [[ -n $have ]] && printf '%s\n%s\n' "$want" "$have" | sort --check=quiet --version-sort
}

# run_logged LOG COMMAND...: runs a command with its output in LOG, and prints the end of LOG on failure.
run_logged() {
    local log=$1
    shift
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        say "failed: $*"
        tail_log "$log"
        return 1
    fi
}

# as_root COMMAND...: runs a command that changes the machine, as root or through sudo.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "'$1' needs root, and sudo is not installed" "run compose/setup once as root"
    fi
}
