# shellcheck shell=bash
#
# TCP ports on 127.0.0.1.

# port_open PORT: true if something listens there.
port_open() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# port_free: a port where nothing listens. Taken from below the range out of which the kernel gives
# ports to outgoing connections: while a server is down in a fault test, no client's connection may
# come to sit on its port.
port_free() {
    local port lowest
    read -r lowest _ </proc/sys/net/ipv4/ip_local_port_range 2>/dev/null || lowest=32768
    ((lowest > 12000)) || lowest=32768
    for _ in {1..50}; do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % (lowest - 10000)))
        if ! port_open "$port"; then
            printf '%s' "$port"
            return 0
        fi
    done
    fail "found no free port on 127.0.0.1" "see what listens: ss -ltn"
}
