# shellcheck shell=bash
#
# TCP ports on 127.0.0.1.

# port_open PORT: succeeds if a process listens on the port.
port_open() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# port_free: prints a port on which nothing listens. The port is below the range from which the kernel
# takes the ports of outgoing connections. Otherwise a client's connection could occupy a server's port
# while a fault test has that server down.
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
    fail "found no free port on 127.0.0.1" "see which processes listen: ss -ltn"
}
