# shellcheck shell=bash
#
# The stack's private Kafka broker: one node that is broker and controller.
#
# Uses the settings of stack.sh: STACK_DIR, KAFKA_PORT, KAFKA_SASL_PORT, KAFKA_CONTROLLER_PORT, KAFKA_PARTITIONS.

# broker_create: writes the configuration and formats an empty log folder.
broker_create() {
    local template=$COMPOSE_DIR/server.properties.in log=$STACK_DIR/kafka-format.log
    sed -e "s|@DIR@|$STACK_DIR|g" -e "s|@PORT@|$KAFKA_PORT|g" -e "s|@PARTITIONS@|$KAFKA_PARTITIONS|g" \
        -e "s|@SASL_PORT@|$KAFKA_SASL_PORT|g" -e "s|@CONTROLLER_PORT@|$KAFKA_CONTROLLER_PORT|g" "$template" >"$STACK_DIR/server.properties"
    sed -e "s|@DIR@|$STACK_DIR|g" "$COMPOSE_DIR/log4j2.properties.in" >"$STACK_DIR/log4j2.properties"
    # These options make a short-lived Java process fast.
    if ! broker_java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC kafka.tools.StorageTool \
        format --cluster-id "$(broker_cluster_id)" --config "$STACK_DIR/server.properties" >"$log" 2>&1; then
        tail_log "$log"
        fail "Kafka cannot format its log folder $STACK_DIR/kafka" "whole log: $log"
    fi
}

# broker_cluster_id: prints 16 random bytes in Kafka's form. The first letter is fixed, because Kafka's tool
# would read an id that begins with a dash as an option.
broker_cluster_id() {
    printf 'S%s' "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)"
}

# broker_java ARGUMENT...: runs Java with Kafka's classes.
broker_java() {
    local -a java
    mapfile -t java < <(broker_java_words)
    "${java[@]}" "$@"
}

# broker_java_words: prints the words of the Java command, one per line. Java silently ignores a class archive
# that does not fit (because the jars or Java changed).
broker_java_words() {
    java_home_bin
    printf '\n'
    if [[ -e $(kafka_archive) ]]; then
        printf '%s\n' "-XX:SharedArchiveFile=$(kafka_archive)" -Xshare:auto -Xlog:disable -Xlog:all=error:stderr
    fi
    printf '%s\n' -cp "$(kafka_home)/libs/*"
}

# broker_start [JAVA-OPTION...]: starts the broker and waits until it serves clients.
broker_start() {
    local log=$STACK_DIR/kafka.log
    local -a java
    mapfile -t java < <(broker_java_words)
    touch "$log"
    # Search only what this start adds to the log: each start writes the line that broker_ready waits for.
    BROKER_LOG_OFFSET=$(stat --format=%s "$log")
    # Without maxCachedBufferSize each thread keeps a buffer as large as its largest message, and messages
    # of 60 MB exhaust the memory.
    process_start "$STACK_DIR/kafka.pid" "$log" "${java[@]}" "$@" \
        -Xms256m -Xmx512m -XX:MaxDirectMemorySize=1g -Djdk.nio.maxCachedBufferSize=1048576 \
        -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
        -Dlog4j2.configurationFile="$STACK_DIR/log4j2.properties" \
        kafka.Kafka "$STACK_DIR/server.properties"
    process_wait_ready Kafka "$STACK_DIR/kafka.pid" 120 "$log" broker_ready
}

# broker_ready: succeeds once the broker serves clients. The port opens before the controller admits the
# broker; the log line follows both, and reading the log is faster than starting a Java client.
broker_ready() {
    tail -c "+$((BROKER_LOG_OFFSET + 1))" "$STACK_DIR/kafka.log" | grep -q 'Kafka Server started' &&
        port_open "$KAFKA_PORT"
}

# broker_record_classes DIR ARCHIVE: runs a broker in DIR once; Java writes ARCHIVE when it ends.
broker_record_classes() {
    local STACK_DIR=$1 KAFKA_PARTITIONS=1 KAFKA_PORT KAFKA_SASL_PORT KAFKA_CONTROLLER_PORT
    KAFKA_PORT=$(port_free)
    KAFKA_SASL_PORT=$(port_free)
    KAFKA_CONTROLLER_PORT=$(port_free)
    broker_create
    broker_start "-XX:ArchiveClassesAtExit=$2"
    broker_stop
}

broker_stop() {
    process_stop "$STACK_DIR/kafka.pid" TERM 30
}
