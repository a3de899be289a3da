# shellcheck shell=bash
#
# The cache of what was downloaded or built. It lies outside the tree, so that a fresh checkout is
# ready at once. A thing is made in a workspace and renamed into its place as the last step: what
# is there is complete, whatever was interrupted.

# cache_dir: where the cache is.
cache_dir() {
    local dir=${STOWAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/stowage}
    [[ $dir == /* ]] || fail "the cache folder '$dir' is not an absolute path" \
        "set STOWAGE_CACHE to an absolute path, or leave it out"
    printf '%s' "$dir"
}

# cache_lock: one set-up at a time; a second one waits, then finds everything done.
cache_lock() {
    local dir
    dir=$(cache_dir)
    mkdir -p "$dir/log" || fail "cannot make the cache folder $dir" \
        "set STOWAGE_CACHE to a folder that you may write to"
    lock_take "$dir/lock" 1800 ||
        fail "another set-up has held $dir/lock for half an hour" "see which: fuser $dir/lock"
    # Nobody else can be using a workspace now: what is left over is an interrupted run's.
    rm -rf "$dir"/work.*
}

# cache_workspace: a new empty folder on the same file system as the cache.
cache_workspace() {
    mktemp -d "$(cache_dir)/work.XXXXXX"
}

# cache_log NAME: the (emptied) log file of a download or build.
cache_log() {
    local log
    log=$(cache_dir)/log/$1.log
    : >"$log"
    printf '%s' "$log"
}

# cache_publish MADE NAME: moves a finished folder to its place in the cache.
cache_publish() {
    local place
    place=$(cache_dir)/$2
    rm -rf "$place"
    mv -T "$1" "$place"
}

# npm_unpack PACKAGE FOLDER LOG: the contents of an npm package, from the registry that this
# machine's npm is configured for; npm checks its integrity. None of its scripts are run.
npm_unpack() {
    local package=$1 folder=$2 log=$3
    mkdir -p "$folder"
    # From a folder of its own, so that no project's .npmrc or package.json is taken into account.
    (cd "$folder" && run_logged "$log" npm pack --loglevel=error "$package") ||
        fail "npm cannot fetch $package" "check this machine's npm registry: npm config get registry" \
            "whole log: $log"
    tar -xzf "$folder"/*.tgz -C "$folder" --strip-components=1 --no-same-owner
    rm -f "$folder"/*.tgz
}
