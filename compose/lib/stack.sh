# shellcheck shell=bash
#
# The stack: a private PostgreSQL and a private Kafka whose data, logs, pid files and settings are
# in one folder, which each function takes. They are for compose/stack: they hold a lock until the
# process ends, and set traps.

# stack_start DIR [PARTITIONS]: starts both. A folder in which a stack was stopped starts again with
# its data and ports.
stack_start() {
    local start
    start=$(now_ms)
    stack_check_setup
    mkdir -p "$1" || fail "cannot make the folder $1"
    STACK_DIR=$(cd "$1" && pwd)
    stack_lock
    if [[ -e $STACK_DIR/complete ]]; then
        stack_load "$1"
        ! stack_running || fail "a stack already runs in $STACK_DIR" "stop it: compose/stack stop $STACK_DIR"
        stack_both postgres_start broker_start
    else
        stack_discard
        stack_plan "${2:-4}"
        stack_both stack_new_postgres stack_new_broker
        touch "$STACK_DIR/complete"
    fi
    stack_write_env
    say "stack: started in $(seconds_since "$start"); settings for programs: . $STACK_DIR/env"
}

stack_new_postgres() {
    postgres_create
    postgres_start
    postgres_fill
}

stack_new_broker() {
    broker_create
    broker_start
}

# stack_both FUNCTION FUNCTION: runs both at once. If one fails, or the user breaks it off, neither
# server is left running.
stack_both() {
    trap 'parallel_end; broker_stop; postgres_stop' EXIT
    parallel_start "$@"
    parallel_wait ||
        fail "the stack in $STACK_DIR did not start" "see above; its logs are in $STACK_DIR/*.log"
    trap - EXIT
}

# stack_discard: a start that failed or was broken off left no data that is worth anything. Its logs
# stay.
stack_discard() {
    [[ -e $STACK_DIR/stack.conf ]] || return 0
    stack_load "$STACK_DIR"
    broker_stop
    postgres_stop
    rm -rf "$POSTGRES_DATA" "$POSTGRES_SOCKETS" "$STACK_DIR/kafka" "$STACK_DIR/stack.conf"
}

# stack_check_setup: everything that compose/setup makes is there.
stack_check_setup() {
    local missing=
    [[ -n $(postgres_bin) ]] || missing+=" PostgreSQL"
    pgvector_present "$(postgres_major)" || missing+=" pgvector"
    java_home_bin >/dev/null || missing+=" Java"
    [[ -d $(kafka_home) ]] || missing+=" Kafka"
    [[ -z $missing ]] || fail "the stack lacks:$missing" "run compose/setup first"
}

# stack_lock: one command at a time on a folder.
stack_lock() {
    lock_take "$STACK_DIR/lock" 120 ||
        fail "another command has been at work on $STACK_DIR for two minutes" "see which: fuser $STACK_DIR/lock"
}

# stack_plan PARTITIONS: ports and places of a new stack; kept, so that a restart finds the same.
# shellcheck disable=SC2034  # read by postgres.sh and broker.sh
stack_plan() {
    [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] || fail "'$1' is no number of partitions"
    KAFKA_PARTITIONS=$1
    POSTGRES_PORT=$(port_free)
    KAFKA_PORT=$(port_free)
    KAFKA_CONTROLLER_PORT=$(port_free)
    postgres_place
    local name
    for name in KAFKA_PARTITIONS KAFKA_PORT KAFKA_CONTROLLER_PORT POSTGRES_PORT POSTGRES_DATA POSTGRES_SOCKETS; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$STACK_DIR/stack.conf"
}

# stack_load DIR: the settings of a stack that was started before.
stack_load() {
    [[ -e $1/stack.conf ]] || fail "there is no stack in $1" "start one: compose/stack start $1"
    STACK_DIR=$(cd "$1" && pwd)
    # shellcheck source=/dev/null
    . "$STACK_DIR/stack.conf"
}

# stack_open DIR: for the commands on an existing stack.
stack_open() {
    stack_load "$1"
    stack_lock
}

stack_running() {
    process_pid "$STACK_DIR/postgres.pid" >/dev/null || process_pid "$STACK_DIR/kafka.pid" >/dev/null
}

# stack_write_env: what programs need to know, complete or not there at all.
stack_write_env() {
    cat >"$STACK_DIR/env.new" <<END
export STOWAGE_POSTGRES_CONNECTION_STRING=postgresql://stowage@127.0.0.1:$POSTGRES_PORT/stowage
export STOWAGE_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:$KAFKA_PORT
export PGHOST=127.0.0.1 PGPORT=$POSTGRES_PORT PGUSER=stowage PGDATABASE=stowage
export STACK_DIR=$(printf '%q' "$STACK_DIR")
export STACK_POSTGRES_ADMIN=postgresql://postgres@127.0.0.1:$POSTGRES_PORT/stowage
export STACK_POSTGRES_PORT=$POSTGRES_PORT
export STACK_POSTGRES_PID=$(process_pid "$STACK_DIR/postgres.pid" || true)
export STACK_POSTGRES_SOCKETS=$(printf '%q' "$POSTGRES_SOCKETS")
export STACK_POSTGRES_LOG=$(printf '%q' "$STACK_DIR/postgres.log")
export STACK_KAFKA_PORT=$KAFKA_PORT
export STACK_KAFKA_PID=$(process_pid "$STACK_DIR/kafka.pid" || true)
export STACK_KAFKA_LOG=$(printf '%q' "$STACK_DIR/kafka.log")
END
    mv "$STACK_DIR/env.new" "$STACK_DIR/env"
}

# stack_stop DIR: stops what start began; data and logs stay.
stack_stop() {
    stack_open "$1"
    rm -f "$STACK_DIR/env"
    parallel_start broker_stop postgres_stop
    parallel_wait ||
        fail "something of the stack in $STACK_DIR still runs" "see: compose/stack status $STACK_DIR"
    say "stack: stopped, data and logs stay in $STACK_DIR"
}

# stack_remove DIR: stops it and deletes the folder with all that belongs to it.
stack_remove() {
    stack_stop "$1"
    rm -rf "$POSTGRES_DATA" "$POSTGRES_SOCKETS" "$STACK_DIR"
}

# stack_kill DIR NAME: the server NAME dies as in a crash.
stack_kill() {
    stack_open "$1"
    process_kill "$STACK_DIR/$2.pid" || fail "$2 does not run in $STACK_DIR"
}

# stack_revive DIR NAME FUNCTION: starts the server NAME again, same port and data.
stack_revive() {
    stack_open "$1"
    ! process_pid "$STACK_DIR/$2.pid" >/dev/null || fail "$2 already runs in $STACK_DIR"
    "$3"
    stack_write_env
}

# stack_status DIR: a line for each server; status 1 unless both run.
stack_status() {
    local name pid all=0
    stack_load "$1"
    for name in postgres kafka; do
        if pid=$(process_pid "$STACK_DIR/$name.pid"); then
            printf '%s: runs, pid %s\n' "$name" "$pid"
        else
            printf '%s: does not run\n' "$name"
            all=1
        fi
    done
    return "$all"
}
