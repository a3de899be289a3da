# shellcheck shell=bash
#
# How tests/run runs one suite and counts what came of it. A suite leaves a log and a result, a
# line "PASSED FAILED SECONDS"; one that ends without telling its numbers has failed.

# suite_run NAME COUNTER COMMAND...: COUNTER is the function that reads the numbers from the log.
suite_run() {
    local name=$1 counter=$2 log status=0 start passed failed
    shift 2
    log=$LOGS/${name//\//.}.log
    start=$(now_ms)
    # Its own process group, so that what a hanging suite has started ends with it.
    timeout --kill-after=20 "$SUITE_TIMEOUT" "$@" >"$log" 2>&1 </dev/null || status=$?
    read -r passed failed < <("$counter" "$log") || true
    passed=${passed:-0} failed=${failed:-0}
    if ((status != 0 && failed == 0)) || ((passed + failed == 0)); then
        printf '\nsuite %s: ended with status %d%s\n' "$name" "$status" \
            "$( ((status != 124)) || printf ', after %s s without an end' "$SUITE_TIMEOUT")" >>"$log"
        failed=$((failed + 1))
    fi
    printf '%s %s %s\n' "$passed" "$failed" "$(seconds_since "$start")" >"$LOGS/${name//\//.}.result"
    suite_report "$name" "$passed" "$failed" "$(seconds_since "$start")" "$log"
}

# One write, so that two suites at once do not mix their lines.
suite_report() {
    local name=$1 passed=$2 failed=$3 took=$4 log=$5 text
    if ((failed == 0)); then
        printf 'ok    %-44s %5d passed            %8s\n' "$name" "$passed" "$took"
        return 0
    fi
    text=$(
        printf 'FAIL  %-44s %5d passed, %d failed %8s\n' "$name" "$passed" "$failed" "$took"
        suite_failures "$log" | head -n "$SHOWN_LINES" | sed 's/^/    | /'
        printf '    whole log: %s\n' "$log"
    )
    printf '%s\n' "$text"
}

FAILURE_LINES='^\[(FAIL|CRASH)|^\[----\].*(Assertion|Unexpected)|ERROR: AddressSanitizer|runtime error:'
FAILURE_LINES+='|WARNING: ThreadSanitizer|error: |^FAILED: |CMake Error|\*\*\*Failed'

# suite_failures LOG: the part that tells what failed.
suite_failures() {
    if grep -q '^✖ failing tests:' "$1"; then
        sed -n '/^✖ failing tests:/,$p' "$1"
    elif grep -q '^not ok' "$1"; then
        sed -n '/^not ok/,/^ok/p' "$1" | grep -v '^ok' || true
    elif grep -qE "$FAILURE_LINES" "$1"; then
        grep -E -A 25 "$FAILURE_LINES" "$1"
    else
        tail -n 40 "$1"
    fi
}

# Node's own runner: "ℹ pass 12". What was cancelled has failed.
count_node() {
    awk '$1 == "ℹ" && $2 == "pass" { passed = $3; told = 1 }
         $1 == "ℹ" && ($2 == "fail" || $2 == "cancelled") { failed += $3 }
         END { if (told) print passed, failed + 0 }' "$1"
}

# "ok - name" and "not ok - name".
count_tap() {
    awk '/^ok/ { passed++ } /^not ok/ { failed++ } END { print passed + 0, failed + 0 }' "$1"
}

# pytest's "=== 1 failed, 12 passed, 2 errors in 3.10s ===".
count_pytest() {
    sed -nE 's/^=+ (.* in [0-9.]+s.*) =+$/\1/p' "$1" | tail -n 1 | tr ',' '\n' |
        awk '$2 == "passed" { passed = $1 } $2 ~ /^(failed|errors?)$/ { failed += $1 } { told = 1 } END { if (told) print passed + 0, failed + 0 }'
}

# Criterion's "[====] Synthesis: Tested: 3 | Passing: 2 | Failing: 1 | Crashing: 0".
count_criterion() {
    sed -nE 's/.*Synthesis: Tested:[^0-9]*([0-9]+).*Passing:[^0-9]*([0-9]+).*Failing:[^0-9]*([0-9]+).*Crashing:[^0-9]*([0-9]+).*/\2 \3 \4/p' "$1" |
        awk '{ passed += $1; failed += $2 + $3; told = 1 } END { if (told) print passed, failed }'
}

# ctest's "100% tests passed, 0 tests failed out of 32".
count_ctest() {
    sed -nE 's/.* tests passed, ([0-9]+) tests failed out of ([0-9]+)$/\1 \2/p' "$1" | awk '{ print $2 - $1, $1 }'
}

# A program of another kind: it says so by its status alone.
count_status() {
    printf '1 0\n'
}
