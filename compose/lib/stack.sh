# shellcheck shell=bash
#
# The stack: a private PostgreSQL and a private Kafka. One folder, which each function takes, holds their
# data, logs, pid files and settings. The functions are for compose/stack only: they hold a lock until
# the process ends, and set traps.

# stack_start DIR [PARTITIONS]: starts both servers. A stopped stack in DIR starts with its data and ports.
stack_start() {
    local start
    start=$(now_ms)
    stack_check_setup
    mkdir -p "$1" || fail "cannot create the folder $1"
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

# stack_both FUNCTION FUNCTION: runs both in parallel. After a failure or an interruption it stops both
# servers.
stack_both() {
    trap 'parallel_end; broker_stop; postgres_stop' EXIT
    parallel_start "$@"
    parallel_wait ||
        fail "the stack in $STACK_DIR did not start" "see the errors above and the logs $STACK_DIR/*.log"
    trap - EXIT
}

# stack_discard: deletes the data of a start that failed or was interrupted. The logs stay.
stack_discard() {
    [[ -e $STACK_DIR/stack.conf ]] || return 0
    stack_load "$STACK_DIR"
    broker_stop
    postgres_stop
    rm -rf "$POSTGRES_DATA" "$POSTGRES_SOCKETS" "$STACK_DIR/kafka" "$STACK_DIR/stack.conf"
}

# stack_check_setup: fails unless everything that compose/setup installs exists.
stack_check_setup() {
    local missing=
    [[ -n $(postgres_bin) ]] || missing+=" PostgreSQL"
    pgvector_present "$(postgres_major)" || missing+=" pgvector"
    java_home_bin >/dev/null || missing+=" Java"
    [[ -d $(kafka_home) ]] || missing+=" Kafka"
    [[ -z $missing ]] || fail "the stack lacks:$missing" "run compose/setup first"
}

# stack_lock: lets one command at a time use the folder.
stack_lock() {
    lock_take "$STACK_DIR/lock" 120 ||
        fail "another command has used $STACK_DIR for two minutes" "see which process: fuser $STACK_DIR/lock"
}

# stack_plan PARTITIONS: chooses the ports and folders of a new stack and stores them for a restart.
# shellcheck disable=SC2034  # read by postgres.sh and broker.sh
stack_plan() {
    [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] || fail "'$1' is not a number of partitions" "use 1 to 99999"
    KAFKA_PARTITIONS=$1
    POSTGRES_PORT=$(port_free)
    KAFKA_PORT=$(port_free)
    KAFKA_SASL_PORT=$(port_free)
    KAFKA_CONTROLLER_PORT=$(port_free)
    postgres_place
    local name
    for name in KAFKA_PARTITIONS KAFKA_PORT KAFKA_SASL_PORT KAFKA_CONTROLLER_PORT POSTGRES_PORT POSTGRES_DATA \
        POSTGRES_SOCKETS; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$STACK_DIR/stack.conf"
}

# stack_load DIR: reads the settings of an existing stack.
stack_load() {
    [[ -e $1/stack.conf ]] || fail "there is no stack in $1" "start one: compose/stack start $1"
    STACK_DIR=$(cd "$1" && pwd)
    # shellcheck source=/dev/null
    . "$STACK_DIR/stack.conf"
}

# stack_open DIR: reads the settings and locks the folder, for commands on an existing stack.
stack_open() {
    stack_load "$1"
    stack_lock
}

stack_running() {
    process_pid "$STACK_DIR/postgres.pid" >/dev/null || process_pid "$STACK_DIR/kafka.pid" >/dev/null
}

# stack_write_env: writes the settings for programs. The rename makes the file appear complete.
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
export STACK_KAFKA_SASL_SERVERS=127.0.0.1:$KAFKA_SASL_PORT
export STACK_KAFKA_PID=$(process_pid "$STACK_DIR/kafka.pid" || true)
export STACK_KAFKA_LOG=$(printf '%q' "$STACK_DIR/kafka.log")
END
    mv "$STACK_DIR/env.new" "$STACK_DIR/env"
}

# stack_stop DIR: stops both servers; data and logs stay.
stack_stop() {
    stack_open "$1"
    rm -f "$STACK_DIR/env"
    parallel_start broker_stop postgres_stop
    parallel_wait ||
        fail "a server of the stack in $STACK_DIR still runs" "see: compose/stack status $STACK_DIR"
    say "stack: stopped, data and logs stay in $STACK_DIR"
}

# stack_remove DIR: stops both servers and deletes the stack's folders.
stack_remove() {
    stack_stop "$1"
    rm -rf "$POSTGRES_DATA" "$POSTGRES_SOCKETS" "$STACK_DIR"
}

# stack_kill DIR NAME: kills the server NAME, as in a crash.
stack_kill() {
    stack_open "$1"
    process_kill "$STACK_DIR/$2.pid" || fail "$2 does not run in $STACK_DIR"
}

# stack_revive DIR NAME FUNCTION: starts the server NAME again with the same port and data.
stack_revive() {
    stack_open "$1"
    ! process_pid "$STACK_DIR/$2.pid" >/dev/null || fail "$2 already runs in $STACK_DIR"
    "$3"
    stack_write_env
}

# stack_status DIR: prints a line per server; status 1 unless both run.
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
