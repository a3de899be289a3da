# shellcheck shell=bash
#
# Each script holds up to one lock, until it ends.

# lock_take FILE SECONDS: waits up to SECONDS for the lock; status 1 if it is still held.
lock_take() {
    { exec {LOCK_FD}>"$1"; } 2>/dev/null || fail "cannot write $1" "check the owner of its folder: ls -ld ${1%/*}"
    flock --nonblock "$LOCK_FD" && return 0
    say "waiting for another ${0##*/} to end"
    flock --timeout "$2" "$LOCK_FD"
}

# lock_without COMMAND...: executes COMMAND in place of this shell, without the lock. A server that outlives
# the script must not keep the lock.
lock_without() {
    [[ -z ${LOCK_FD:-} ]] || exec {LOCK_FD}>&-
    exec "$@"
}
