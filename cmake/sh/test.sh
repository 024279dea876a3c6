# shellcheck shell=bash
# Runs all tests and adds them up. Counts come from the runners' XML reports; a runner that fails without having
# counted a failure (it crashed, or could not start) counts as one.

passed=0 failed=0 skipped=0

verb_test() {
  local preset=release
  case "$#:${1:-}:${2:-}" in
    0:*) ;;
    2:--sanitize:address) preset=asan ;;
    2:--sanitize:thread) preset=tsan ;;
    *) die 2 "'test' takes nothing or --sanitize address|thread, but got '$*'" ;;
  esac
  results="$artifacts/test-results"
  rm -rf "$results"
  mkdir -p "$results"

  warnings_are_errors
  setup "${test_needs[@]}"
  test_native "$preset"
  if [[ "$preset" == release ]]; then test_managed; fi

  if ((skipped > 0)); then echo "$skipped skipped; each says why above"; fi
  echo "$passed passed, $failed failed"
  ((failed == 0 && passed > 0))
}

# In the foreground, so that Ctrl-C reaches it.
in_time() {
  timeout --foreground -k 10 1500 "$@" </dev/null
}

test_native() {
  local status=0 before=$failed report="$results/native.xml" log="$results/native.log"
  build_native "$1" all -DDYNNET_BUILD_TESTS=ON -DDYNNET_BUILD_BENCHMARKS=ON || status=$?
  if ((status == 0)); then
    in_time "$artifacts/native/$1/dynnet_tests" "--gtest_output=xml:$report" 2>&1 |
      tee "$log" | { grep -vE '^\[ (RUN     |      OK) \]' || true; } || status=$?
    if [[ -f "$report" ]]; then
      count_gtest "$report"
    else
      passed=$((passed + $(grep -c '^\[       OK \]' "$log" || true)))
      echo "build.sh: the native tests ended in $(grep '^\[ RUN' "$log" | tail -n 1)" >&2
    fi
    count_crash "$status" "$before" "the native tests"
    # What a sanitizer adds would be counted too.
    if [[ "$1" == release ]]; then test_guard; fi
  else
    count_crash "$status" "$before" "the native build"
  fi
}

# Each section counts as a test.
test_guard() {
  local reason section
  reason="$(guard_obstacle)"
  if [[ -n "$reason" ]]; then
    echo "build.sh: SKIPPED, the guard of instruction counts: $reason" >&2
    skipped=$((skipped + ${#guard_sections[@]}))
    return
  fi
  for section in "${guard_sections[@]}"; do
    if check_guard "$section"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
}

# One project after the other: some tests measure time and memory.
test_managed() {
  local project name status
  if ! dotnet_build "$root/DynNet.Native.sln"; then
    count_crash 1 "$failed" "the managed build"
    return
  fi
  for project in "$root"/tests/DynNet.Native.*/*.csproj; do
    local before=$failed
    name="$(basename "$project" .csproj)" status=0
    in_time dotnet test "$project" -c Release --no-build -nologo --logger "trx;LogFileName=$name.trx" \
      --results-directory "$results" || status=$?
    if [[ -f "$results/$name.trx" ]]; then count_trx "$results/$name.trx"; fi
    count_crash "$status" "$before" "$name"
  done
}

# sum_attribute NAME FILE PATTERN: adds the attribute up over the lines that have the pattern.
sum_attribute() {
  { grep -o "$3[^>]*" "$2" || true; } | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'
}

count_gtest() {
  local total bad off
  total="$(sum_attribute tests "$1" '<testsuite ')"
  bad="$(sum_attribute failures "$1" '<testsuite ')"
  off=$(($(sum_attribute skipped "$1" '<testsuite ') + $(sum_attribute disabled "$1" '<testsuite ')))
  passed=$((passed + total - bad - off)) failed=$((failed + bad)) skipped=$((skipped + off))
}

count_trx() {
  local total good bad
  total="$(sum_attribute total "$1" '<Counters ')"
  good="$(sum_attribute passed "$1" '<Counters ')"
  bad="$(sum_attribute failed "$1" '<Counters ')"
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + total - good - bad))
}

# count_crash STATUS FAILED_BEFORE WHAT
count_crash() {
  if (($1 != 0 && failed == $2)); then
    echo "build.sh: $3 ended with status $1 without reporting a failed test: counted as one" >&2
    failed=$((failed + 1))
  fi
}
