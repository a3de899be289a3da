# shellcheck shell=bash
#
# The stack's private Kafka broker: one node that is broker and controller.
#
# Uses the settings of stack.sh: STACK_DIR, KAFKA_PORT, KAFKA_CONTROLLER_PORT, KAFKA_PARTITIONS.

# broker_create: configuration and an empty, formatted log folder.
broker_create() {
    local template=$COMPOSE_DIR/server.properties.in log=$STACK_DIR/kafka-format.log
    sed -e "s|@DIR@|$STACK_DIR|g" -e "s|@PORT@|$KAFKA_PORT|g" -e "s|@PARTITIONS@|$KAFKA_PARTITIONS|g" \
        -e "s|@CONTROLLER_PORT@|$KAFKA_CONTROLLER_PORT|g" "$template" >"$STACK_DIR/server.properties"
    sed -e "s|@DIR@|$STACK_DIR|g" "$COMPOSE_DIR/log4j2.properties.in" >"$STACK_DIR/log4j2.properties"
    # Started with what makes a short-lived Java quick.
    if ! broker_java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC kafka.tools.StorageTool \
        format --cluster-id "$(broker_cluster_id)" --config "$STACK_DIR/server.properties" >"$log" 2>&1; then
        tail_log "$log"
        fail "Kafka cannot format its log folder $STACK_DIR/kafka" "whole log: $log"
    fi
}

# broker_cluster_id: 16 random bytes as Kafka writes them. The first letter is fixed, since an id
# with a dash in front would be taken for an option.
broker_cluster_id() {
    printf 'S%s' "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)"
}

# broker_java ARGUMENT...: Java with Kafka's classes.
broker_java() {
    local -a java
    mapfile -t java < <(broker_java_words)
    "${java[@]}" "$@"
}

# broker_java_words: the words that start it, one a line. An archive of classes that does not fit
# (the jars or Java have changed) is ignored by Java, without a word in the log.
broker_java_words() {
    java_home_bin
    printf '\n'
    if [[ -e $(kafka_archive) ]]; then
        printf '%s\n' "-XX:SharedArchiveFile=$(kafka_archive)" -Xshare:auto -Xlog:disable -Xlog:all=error:stderr
    fi
    printf '%s\n' -cp "$(kafka_home)/libs/*"
}

# broker_start [JAVA-OPTION...]: starts it and waits until it serves clients.
broker_start() {
    local log=$STACK_DIR/kafka.log
    local -a java
    mapfile -t java < <(broker_java_words)
    touch "$log"
    # Said once a start: only what this start adds to the log counts.
    BROKER_LOG_OFFSET=$(stat --format=%s "$log")
    process_start "$STACK_DIR/kafka.pid" "$log" "${java[@]}" "$@" \
        -Xms256m -Xmx512m -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
        -Dlog4j2.configurationFile="$STACK_DIR/log4j2.properties" \
        kafka.Kafka "$STACK_DIR/server.properties"
    process_wait_ready Kafka "$STACK_DIR/kafka.pid" 120 "$log" broker_ready
}

# broker_ready: the port opens earlier than the broker is admitted by its controller; the log line
# comes after both, and looking for it is quicker than starting a Java client.
broker_ready() {
    tail -c "+$((BROKER_LOG_OFFSET + 1))" "$STACK_DIR/kafka.log" | grep -q 'Kafka Server started' &&
        port_open "$KAFKA_PORT"
}

# broker_record_classes DIR ARCHIVE: runs a broker in DIR once, to have Java write ARCHIVE at its end.
broker_record_classes() {
    local STACK_DIR=$1 KAFKA_PARTITIONS=1 KAFKA_PORT KAFKA_CONTROLLER_PORT
    KAFKA_PORT=$(port_free)
    KAFKA_CONTROLLER_PORT=$(port_free)
    broker_create
    broker_start "-XX:ArchiveClassesAtExit=$2"
    broker_stop
}

broker_stop() {
    process_stop "$STACK_DIR/kafka.pid" TERM 30
}
