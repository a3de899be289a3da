# shellcheck shell=bash
#
# What the scripts say and how they fail. Progress goes to standard error, so that standard output
# stays free for answers (paths, settings) that another script reads.

# say TEXT...: one line of progress.
say() {
    printf '%s\n' "$*" >&2
}

# fail WHAT [HINT...]: says what went wrong and, a line each, what to do about it; ends the script.
fail() {
    printf '%s: error: %s\n' "${0##*/}" "$1" >&2
    shift
    local hint
    for hint in "$@"; do
        printf '  %s\n' "$hint" >&2
    done
    exit 1
}

# tail_log FILE: the end of a log, indented, below an error that names it.
tail_log() {
    [[ -s $1 ]] || return 0
    say "  last lines of $1:"
    tail -n 20 "$1" | sed 's/^/  | /' >&2
}

# now_ms: milliseconds for measuring, without starting a process.
now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    printf '%s' "$((now / 1000))"
}

# seconds_since MS: elapsed time as "1.2 s".
seconds_since() {
    local elapsed=$(($(now_ms) - $1))
    printf '%d.%d s' "$((elapsed / 1000))" "$((elapsed % 1000 / 100))"
}

# version_at_least HAVE WANT: compares dotted numbers; anything from the first character that is
# neither digit nor dot on (Debian revisions, "-rc1") is ignored.
version_at_least() {
    local have=${1%%[!0-9.]*} want=${2%%[!0-9.]*}
    [[ -n $have ]] && printf '%s\n%s\n' "$want" "$have" | sort --check=quiet --version-sort
}

# run_logged LOG COMMAND...: runs a long command with its output in LOG, which is shown if it fails.
run_logged() {
    local log=$1
    shift
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        say "failed: $*"
        tail_log "$log"
        return 1
    fi
}

# as_root COMMAND...: for the few steps that change the machine.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "'$1' has to be run as root and there is no sudo" "run compose/setup once as root"
    fi
}
