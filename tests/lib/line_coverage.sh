#!/usr/bin/env bash
#
# line_coverage.sh TABLE SUITE-FILE...: builds the preset coverage, runs the unit tests and these
# suites with it, and writes to TABLE how many lines of each module have run. It ignores the suites'
# failures: the same suites run with the release build.

set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

build=build/coverage
table=$1
shift
cmake --preset coverage
cmake --build --preset coverage
find "$build" -name '*.gcda' -delete
ctest --test-dir "$build" --exclude-regex '_fuzz$|^model$' || true
for file in "$@"; do
    STOWAGE_BIN=$PWD/$build/stowage "${NODE:-node}" --test --test-force-exit --test-reporter=spec "$file" || true
done
python3 tests/lib/line_coverage.py "$build" >"$table"
printf 'ok - lines of each module counted\n'
