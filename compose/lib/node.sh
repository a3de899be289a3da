# shellcheck shell=bash
#
# Node for the compatibility suite: the machine's if it is new enough for @mastra/pg, otherwise the binary
# from an npm package.

node_cached() {
    printf '%s/node-%s/bin/node' "$(cache_dir)" "$NODE_VERSION"
}

# stack_node: prints the path of a node that is new enough; status 1 if compose/setup has not run.
stack_node() {
    local own
    own=$(command -v node || true)
    if [[ -n $own ]] && version_at_least "$(node_version "$own")" "$NODE_MINIMUM"; then
        printf '%s' "$own"
    elif [[ -x $(node_cached) ]]; then
        node_cached
    else
        return 1
    fi
}

node_version() {
    local version
    version=$("$1" --version 2>/dev/null) || return 0
    printf '%s' "${version#v}"
}

node_setup() {
    local work log start arch
    if stack_node >/dev/null; then
        return 0
    fi
    case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) fail "no Node binary is available for $(uname -m)" "install node $NODE_MINIMUM or later by hand" ;;
    esac
    start=$(now_ms)
    say "node $NODE_VERSION: fetching"
    work=$(cache_workspace)
    log=$(cache_log node)
    npm_unpack "node-linux-$arch@$NODE_VERSION" "$work/node" "$log"
    [[ $(node_version "$work/node/bin/node") == "$NODE_VERSION" ]] ||
        fail "the fetched node does not run on this machine" "try it: $work/node/bin/node --version"
    cache_publish "$work/node" "node-$NODE_VERSION"
    rm -rf "$work"
    say "node $NODE_VERSION: fetched in $(seconds_since "$start")"
}
