# shellcheck shell=bash
#
# Loads all files of compose/lib: `. compose/lib/load.sh`.

COMPOSE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly COMPOSE_DIR

for stowage_library in versions console lock parallel cache packages java mirror postgres pgvector librdkafka \
    kafka node process port broker stack \
    clang_format python_environment; do
    # shellcheck source=/dev/null
    . "$COMPOSE_DIR/lib/$stowage_library.sh"
done
unset stowage_library
