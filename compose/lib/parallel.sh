# shellcheck shell=bash
#
# Functions that run at the same time, each in a process group of its own, so that all they have
# begun can be ended.

# parallel_start FUNCTION...: not to be called from a condition: bash would then go on after errors
# inside the functions.
parallel_start() {
    local task
    PARALLEL_PIDS=()
    set -m
    for task in "$@"; do
        ("$task") &
        PARALLEL_PIDS+=("$!")
    done
    set +m
}

# parallel_wait: waits for all; status 1 as soon as one has failed.
parallel_wait() {
    local ended index
    while ((${#PARALLEL_PIDS[@]})); do
        wait -n -p ended "${PARALLEL_PIDS[@]}" || return 1
        for index in "${!PARALLEL_PIDS[@]}"; do
            [[ ${PARALLEL_PIDS[index]} != "$ended" ]] || unset "PARALLEL_PIDS[index]"
        done
    done
}

# parallel_end: ends what still runs of them.
parallel_end() {
    local pid
    for pid in "${PARALLEL_PIDS[@]}"; do
        kill -s TERM -- "-$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
