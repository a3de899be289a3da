# shellcheck shell=bash disable=SC2034  # the names are read by the files that source this one
#
# The one place where the versions of what the distribution does not carry are pinned.

# librdkafka before 2.13.2 skips or repeats messages around pause and seek, so an older one of the
# system's is not good enough.
RDKAFKA_MINIMUM=2.13.2

# The npm package carries librdkafka's whole upstream source; the second number is the librdkafka
# in it. The two have to be changed together.
RDKAFKA_NPM_PACKAGE=@confluentinc/kafka-javascript@1.10.1
RDKAFKA_VERSION=2.15.1

# Kafka's artefacts pull in slf4j but no binding, without which the broker logs nothing: the
# binding has the version of the log4j-core that this Kafka brings.
KAFKA_SCALA=2.13
KAFKA_VERSION=4.4.0
LOG4J_VERSION=2.25.5
MAVEN_DEPENDENCY_PLUGIN=3.8.1

# What the reference's vector store needs: halfvec and sparsevec came with 0.7.0.
PGVECTOR_MINIMUM=0.7.0

# Newer releases of the same distribution, tried in this order, for pgvector's source package.
# Long-lived ones first: a mirror drops the others sooner.
PGVECTOR_SUITES_DEBIAN="trixie forky sid"
PGVECTOR_SUITES_UBUNTU="resolute devel"

# Each version formats differently: a change of this one goes with a commit that formats all files.
CLANG_FORMAT_VERSION=19.1.7

# @mastra/pg asks for this much; what is fetched when the machine's own is older.
NODE_MINIMUM=22.13.0
NODE_VERSION=24.21.0

# The first Java that Kafka 4's broker runs on.
JAVA_MINIMUM=17
