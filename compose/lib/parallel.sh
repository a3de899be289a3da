# shellcheck shell=bash
#
# Runs functions in parallel, each in its own process group, so that parallel_end can stop all their
# processes.

# parallel_start FUNCTION...: starts the functions. Do not call it in a condition: bash would then ignore
# errors inside of the functions.
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

# parallel_wait: waits for all functions; status 1 as soon as one has failed.
parallel_wait() {
    local ended index
    while ((${#PARALLEL_PIDS[@]})); do
        wait -n -p ended "${PARALLEL_PIDS[@]}" || return 1
        for index in "${!PARALLEL_PIDS[@]}"; do
            [[ ${PARALLEL_PIDS[index]} != "$ended" ]] || unset "PARALLEL_PIDS[index]"
        done
    done
}

# parallel_end: stops the functions that still run.
parallel_end() {
    local pid
    for pid in "${PARALLEL_PIDS[@]}"; do
        kill -s TERM -- "-$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
