# shellcheck shell=bash
#
# Servers in the background. A pid file holds the pid and the start time of the process, so that a pid that
# the kernel has reused is not mistaken for the server.

# process_start PIDFILE LOG COMMAND...: starts a process in its own session, so that neither the terminal's
# signals nor the end of this script reach it.
process_start() {
    local pid_file=$1 log=$2 pid
    shift 2
    # Start in /: PostgreSQL's user may have no access to the caller's folder.
    (cd / && lock_without setsid "$@") >>"$log" 2>&1 </dev/null &
    pid=$!
    printf '%s %s\n' "$pid" "$(process_begin "$pid")" >"$pid_file"
}

# process_begin PID: prints the process's start time in ticks since boot; empty if it ended or is a zombie.
process_begin() {
    local line
    local -a field
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    # The name may contain blanks and parentheses, so count the fields behind its last parenthesis.
    read -ra field <<<"${line##*) }"
    [[ ${field[0]} == Z ]] || printf '%s' "${field[19]}"
}

# process_pid PIDFILE: prints the pid if the same process still runs; otherwise status 1.
process_pid() {
    local pid begin
    { read -r pid begin <"$1"; } 2>/dev/null || return 1
    [[ -n $begin && $(process_begin "$pid") == "$begin" ]] || return 1
    printf '%s' "$pid"
}

# process_tree PID: prints the process and its descendants as "pid begin" lines.
process_tree() {
    local stat line pid parent
    local -a field
    printf '%s %s\n' "$1" "$(process_begin "$1")"
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        read -ra field <<<"${line##*) }"
        parent=${field[1]}
        pid=${stat#/proc/}
        if [[ $parent == "$1" ]]; then
            process_tree "${pid%/stat}"
        fi
    done
}

# process_wait_gone SECONDS: reads "pid begin" lines and waits until these processes have ended; status 1
# after SECONDS.
process_wait_gone() {
    local pid begin deadline=$(($(now_ms) + $1 * 1000))
    while read -r pid begin; do
        while [[ -n $begin && $(process_begin "$pid") == "$begin" ]]; do
            (($(now_ms) < deadline)) || return 1
            sleep 0.05
        done
    done
}

# process_stop PIDFILE SIGNAL SECONDS: sends SIGNAL, waits up to SECONDS, then kills the process.
process_stop() {
    local pid_file=$1 signal=$2 seconds=$3 pid tree
    if pid=$(process_pid "$pid_file"); then
        tree=$(process_tree "$pid")
        kill -s "$signal" "$pid" 2>/dev/null || true
        if ! process_wait_gone "$seconds" <<<"$tree"; then
            say "process $pid did not end within $seconds s, killing it"
            process_kill_tree "$tree"
        fi
    fi
    rm -f "$pid_file"
}

# process_kill PIDFILE: kills the process and its descendants, as in a crash. Status 1 if it did not run.
process_kill() {
    local pid
    pid=$(process_pid "$1") || return 1
    process_kill_tree "$(process_tree "$pid")"
    rm -f "$1"
}

# process_kill_tree TREE: kills the parent first, so that it cannot replace a child that dies.
process_kill_tree() {
    local pid begin
    while read -r pid begin; do
        if [[ -n $begin && $(process_begin "$pid") == "$begin" ]]; then
            kill -s KILL "$pid" 2>/dev/null || true
        fi
    done <<<"$1"
    process_wait_gone 20 <<<"$1" || fail "killed processes still exist: $(tr '\n' ' ' <<<"$1")"
}

# process_wait_ready WHAT PIDFILE SECONDS LOG TEST...: waits up to SECONDS until TEST succeeds; fails at once
# if the process ends.
process_wait_ready() {
    local what=$1 pid_file=$2 seconds=$3 log=$4
    local deadline=$(($(now_ms) + seconds * 1000))
    shift 4
    until "$@"; do
        if ! process_pid "$pid_file" >/dev/null; then
            tail_log "$log"
            fail "$what ended before it was ready" "whole log: $log"
        fi
        if (($(now_ms) >= deadline)); then
            tail_log "$log"
            fail "$what was not ready within $seconds s" "whole log: $log"
        fi
        sleep 0.05
    done
}
