# shellcheck shell=bash
#
# Kafka's jars, from the Maven repository that this machine's Maven uses.

# kafka_home: prints the folder of Kafka; the jars are in its folder libs.
kafka_home() {
    printf '%s/kafka-%s' "$(cache_dir)" "$KAFKA_VERSION"
}

kafka_setup() {
    local work log start
    [[ ! -e $(kafka_home) ]] || return 0
    start=$(now_ms)
    say "kafka $KAFKA_VERSION: fetching"
    work=$(cache_workspace)
    log=$(cache_log kafka)
    kafka_pom >"$work/pom.xml"
    # Use a temporary repository, so that nothing stays in the user's.
    run_logged "$log" env JAVA_HOME="$(kafka_java_home)" mvn --batch-mode --file "$work/pom.xml" \
        -Dmaven.repo.local="$work/repository" \
        "org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy-dependencies" \
        -DincludeScope=runtime -DoutputDirectory="$work/kafka/libs" ||
        fail "Maven cannot fetch Kafka" "check this machine's Maven settings (~/.m2/settings.xml)" "whole log: $log"
    [[ -e $work/kafka/libs/kafka_$KAFKA_SCALA-$KAFKA_VERSION.jar ]] ||
        fail "Maven did not fetch the jar of Kafka's broker" "whole log: $log"
    cache_publish "$work/kafka" "kafka-$KAFKA_VERSION"
    rm -rf "$work"
    say "kafka $KAFKA_VERSION: fetched in $(seconds_since "$start")"
}

# kafka_archive: prints the path of the class archive for this Java, whether it exists or not.
kafka_archive() {
    printf '%s/classes-%s.jsa' "$(kafka_home)" "$(java_version "$(java_home_bin)")"
}

# kafka_archive_setup: creates the class archive. A broker spends most of its start loading and verifying
# classes; with an archive of the loaded classes it starts in half the time. The archive is optional: the
# broker also starts without one, or with one that no longer fits.
kafka_archive_setup() {
    local archive work start
    archive=$(kafka_archive)
    [[ ! -e $archive ]] || return 0
    start=$(now_ms)
    say "kafka $KAFKA_VERSION: creating its class archive"
    work=$(cache_workspace)
    if (broker_record_classes "$work" "$work/classes.jsa") && [[ -s $work/classes.jsa ]]; then
        mv "$work/classes.jsa" "$archive"
        say "kafka $KAFKA_VERSION: class archive created in $(seconds_since "$start")"
    else
        say "kafka $KAFKA_VERSION: Java created no class archive; the broker will start more slowly"
    fi
    rm -rf "$work"
}

kafka_java_home() {
    local java
    java=$(readlink -f "$(java_home_bin)")
    printf '%s' "${java%/bin/java}"
}

kafka_pom() {
    cat <<END
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>stowage</groupId>
  <artifactId>kafka-stack</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_$KAFKA_SCALA</artifactId>
      <version>$KAFKA_VERSION</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>$LOG4J_VERSION</version>
    </dependency>
  </dependencies>
</project>
END
}
