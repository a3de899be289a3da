# shellcheck shell=bash
#
# One lock a script, held until it ends.

# lock_take FILE SECONDS: waits for the lock; status 1 if it is not to be had in that time.
lock_take() {
    { exec {LOCK_FD}>"$1"; } 2>/dev/null || fail "cannot write $1" "see who owns its folder: ls -ld ${1%/*}"
    flock --nonblock "$LOCK_FD" && return 0
    say "another ${0##*/} is at work, waiting for it"
    flock --timeout "$2" "$LOCK_FD"
}

# lock_without COMMAND...: becomes COMMAND, without taking the lock along: a server that outlives the
# script must not go on holding it.
lock_without() {
    [[ -z ${LOCK_FD:-} ]] || exec {LOCK_FD}>&-
    exec "$@"
}
