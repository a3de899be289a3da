# shellcheck shell=bash
#
# The stack's private PostgreSQL, run with the distribution's server programs.
#
# Uses the settings of stack.sh: STACK_DIR, POSTGRES_DATA, POSTGRES_SOCKETS, POSTGRES_PORT.

# postgres_bin: prints the folder of the newest server's programs; empty if there is none. PATH does not help:
# it has the distribution's wrappers, which manage the distribution's own clusters.
postgres_bin() {
    compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort --version-sort | tail -n 1 | sed 's|/postgres$||' || true
}

# postgres_major: prints the major version of that server; 0 if there is none.
postgres_major() {
    local bin
    bin=$(postgres_bin)
    bin=${bin%/bin}
    bin=${bin##*/}
    printf '%s' "${bin:-0}"
}

# postgres_drop_default_cluster: removes the cluster that the distribution's package creates and starts on
# installation. Called only right after compose/setup installed the package, so the cluster is empty and
# nobody uses it.
postgres_drop_default_cluster() {
    local major
    major=$(postgres_major)
    if [[ -e /etc/postgresql/$major/main ]]; then
        as_root pg_dropcluster --stop "$major" main ||
            say "postgresql: could not remove the empty cluster $major/main that its package created"
    fi
}

# postgres_as_owner COMMAND...: runs a command as a user that PostgreSQL accepts. PostgreSQL refuses to run as
# root, so root switches to the distribution's user, in /, as that user may have no access to the
# caller's folder.
postgres_as_owner() {
    local -a prefix
    mapfile -t prefix < <(postgres_owner_prefix)
    (cd / && "${prefix[@]}" "$@")
}

# postgres_owner_prefix: prints the words that make a command run as the owner, one per line.
postgres_owner_prefix() {
    local user
    if ((EUID != 0)); then
        printf '%s\n' env
        return 0
    fi
    user=$(postgres_owner)
    printf '%s\n' setpriv "--reuid=$user" "--regid=$(id -g "$user")" --init-groups
}

postgres_owner() {
    if id postgres >/dev/null 2>&1; then
        printf postgres
    else
        printf nobody
    fi
}

# postgres_place: sets POSTGRES_DATA and POSTGRES_SOCKETS. They are in the stack's folder, unless the owner has
# no access to it (root's home) or a socket's path would exceed the kernel's limit of 107 bytes.
postgres_place() {
    POSTGRES_DATA=$STACK_DIR/postgres
    POSTGRES_SOCKETS=$STACK_DIR/sockets
    if ! postgres_as_owner test -x "$STACK_DIR"; then
        POSTGRES_DATA=$(mktemp -d /tmp/stowage-postgres.XXXXXX)
    fi
    if [[ $POSTGRES_DATA != "$STACK_DIR"/* ]] || ((${#POSTGRES_SOCKETS} > 80)); then
        POSTGRES_SOCKETS=$(mktemp -d /tmp/stowage-sockets.XXXXXX)
    fi
    mkdir -p "$POSTGRES_DATA" "$POSTGRES_SOCKETS"
    chmod 700 "$POSTGRES_DATA"
    # Other users may use the socket, as they may use the port.
    chmod 755 "$POSTGRES_SOCKETS"
    ((EUID != 0)) || chown "$(postgres_owner):" "$POSTGRES_DATA" "$POSTGRES_SOCKETS"
}

# postgres_create: creates a cluster. Every user of this machine may connect: the cluster is for development
# and tests, and listens on the loopback address only.
postgres_create() {
    local log=$STACK_DIR/postgres.log
    if ! postgres_as_owner "$(postgres_bin)/initdb" --pgdata="$POSTGRES_DATA" --username=postgres \
        --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions >>"$log" 2>&1; then
        tail_log "$log"
        fail "initdb cannot create a cluster in $POSTGRES_DATA" "whole log: $log"
    fi
    postgres_settings | postgres_as_owner tee -a "$POSTGRES_DATA/postgresql.conf" >/dev/null
}

postgres_settings() {
    cat <<END

# settings of Stowage's stack
listen_addresses = '127.0.0.1'
port = $POSTGRES_PORT
unix_socket_directories = '$POSTGRES_SOCKETS'
max_connections = 200
shared_buffers = 256MB
fsync = on
log_line_prefix = '%m [%p] %q%u@%d %a '
cluster_name = 'stowage'
END
}

# postgres_start: starts the server and waits until it accepts connections, after a crash including the
# recovery.
postgres_start() {
    local bin log=$STACK_DIR/postgres.log
    local -a prefix
    bin=$(postgres_bin)
    mapfile -t prefix < <(postgres_owner_prefix)
    postgres_forget_dead
    process_start "$STACK_DIR/postgres.pid" "$log" "${prefix[@]}" "$bin/postgres" -D "$POSTGRES_DATA"
    process_wait_ready PostgreSQL "$STACK_DIR/postgres.pid" 120 "$log" \
        "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$POSTGRES_PORT" --username=postgres --dbname=postgres
}

# postgres_forget_dead: removes the lock files of a killed server. They block the next server only while the
# dead pid is in the process table, where it stays until process 1 reaps it. They also protect the data
# from a second server. So they are removed only if no process has the data folder as its working
# directory, which all of PostgreSQL's processes have.
postgres_forget_dead() {
    local cwd
    [[ -e $POSTGRES_DATA/postmaster.pid ]] || return 0
    for cwd in /proc/[0-9]*/cwd; do
        [[ $(readlink "$cwd" 2>/dev/null) != "$POSTGRES_DATA" ]] || return 0
    done
    rm -f "$POSTGRES_DATA/postmaster.pid" "$POSTGRES_SOCKETS/.s.PGSQL.$POSTGRES_PORT.lock"
}

# postgres_fill: creates the worker's role and database. The role owns the database but is no superuser, so
# that nothing depends on a superuser's rights. The template database gets pgvector too, as only a
# superuser could add it to the databases that tests create.
postgres_fill() {
    postgres_admin --dbname=template1 --command="CREATE EXTENSION vector" \
        --command="CREATE ROLE stowage LOGIN CREATEDB CREATEROLE" \
        --command="GRANT pg_monitor TO stowage" \
        --command="CREATE DATABASE stowage OWNER stowage" ||
        fail "PostgreSQL runs, but the database 'stowage' cannot be created" \
            "if the extension vector is missing, run compose/setup" "whole log: $STACK_DIR/postgres.log"
}

# postgres_admin ARGUMENT...: runs psql as the superuser.
postgres_admin() {
    "$(postgres_bin)/psql" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
        --host=127.0.0.1 --port="$POSTGRES_PORT" --username=postgres "$@"
}

# postgres_stop: shuts the server down. Open sessions end; committed data is on disk.
postgres_stop() {
    process_stop "$STACK_DIR/postgres.pid" INT 30
}
