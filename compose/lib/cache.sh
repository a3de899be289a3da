# shellcheck shell=bash
#
# The cache of downloads and builds. It is outside of the tree, so that a fresh checkout is ready at once.
# Each item is built in a workspace and renamed to its place as the last step, so an item in its place is
# complete even after an interruption.

# cache_dir: prints the cache's folder.
cache_dir() {
    local dir=${STOWAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/stowage}
    [[ $dir == /* ]] || fail "the cache folder '$dir' is not an absolute path" \
        "set STOWAGE_CACHE to an absolute path, or unset it"
    printf '%s' "$dir"
}

# cache_lock: lets one set-up run at a time. A second one waits and then has nothing to do.
cache_lock() {
    local dir
    dir=$(cache_dir)
    mkdir -p "$dir/log" || fail "cannot create the cache folder $dir" \
        "set STOWAGE_CACHE to a writable folder"
    lock_take "$dir/lock" 1800 ||
        fail "another set-up has held $dir/lock for half an hour" "see which process: fuser $dir/lock"
    # With the lock held, any remaining workspace belongs to an interrupted run.
    rm -rf "$dir"/work.*
}

# cache_workspace: creates an empty folder on the file system of the cache and prints its path.
cache_workspace() {
    mktemp -d "$(cache_dir)/work.XXXXXX"
}

# cache_log NAME: empties the log file of a download or build and prints its path.
cache_log() {
    local log
    log=$(cache_dir)/log/$1.log
    : >"$log"
    printf '%s' "$log"
}

# cache_publish FOLDER NAME: moves a finished folder to its place in the cache.
cache_publish() {
    local place
    place=$(cache_dir)/$2
    rm -rf "$place"
    mv -T "$1" "$place"
}

# npm_unpack PACKAGE FOLDER LOG: unpacks an npm package from the registry that this machine's npm uses. npm
# checks the package's integrity and runs none of its scripts.
npm_unpack() {
    local package=$1 folder=$2 log=$3
    mkdir -p "$folder"
    # Run npm in an empty folder, so that no project's .npmrc or package.json applies.
    (cd "$folder" && run_logged "$log" npm pack --loglevel=error "$package") ||
        fail "npm cannot fetch $package" "check this machine's npm registry: npm config get registry" \
            "whole log: $log"
    tar -xzf "$folder"/*.tgz -C "$folder" --strip-components=1 --no-same-owner
    rm -f "$folder"/*.tgz
}
