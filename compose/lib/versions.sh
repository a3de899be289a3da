# shellcheck shell=bash disable=SC2034  # the names are read by the files that source this one
#
# The pinned versions of everything that does not come from the distribution.

# librdkafka before 2.13.2 skips or repeats messages around pause and seek. If the system's version is
# older, compose/setup builds one.
RDKAFKA_MINIMUM=2.13.2

# The npm package contains librdkafka's complete upstream source of version RDKAFKA_VERSION. Change both
# together.
RDKAFKA_NPM_PACKAGE=@confluentinc/kafka-javascript@1.10.1
RDKAFKA_VERSION=2.15.1

# Kafka's artefacts depend on slf4j but on no binding, and without one the broker logs nothing. The binding
# must have the version of this Kafka's log4j-core.
KAFKA_SCALA=2.13
KAFKA_VERSION=4.4.0
LOG4J_VERSION=2.25.5
MAVEN_DEPENDENCY_PLUGIN=3.8.1

# The reference's vector store needs halfvec and sparsevec, which 0.7.0 introduced.
PGVECTOR_MINIMUM=0.7.0

# Newer releases of the same distribution that may have pgvector's source package, in the order to try.
# Long-lived releases come first, as mirrors drop the others sooner.
PGVECTOR_SUITES_DEBIAN="trixie forky sid"
PGVECTOR_SUITES_UBUNTU="resolute devel"

# Each version formats differently: change this one together with a commit that formats all files.
CLANG_FORMAT_VERSION=19.1.7

# @mastra/pg requires NODE_MINIMUM. If the machine's Node is older, compose/setup fetches NODE_VERSION.
NODE_MINIMUM=22.13.0
NODE_VERSION=24.21.0

# The oldest Java that runs Kafka 4's broker.
JAVA_MINIMUM=17
