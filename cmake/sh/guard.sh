# shellcheck shell=bash
# The regression guard: what the engine does is counted in instructions, which do not depend on the machine's load, and
# compared with what was recorded. Valgrind knows no AVX-512, so the kernels are those of v3; and one thread, since how
# several share the work is not the same twice.

guard_program="$artifacts/native/release/guard_bench"
guard_record="$root/tests/benchmarks/native/instructions.txt"
guard_sections=(construction scheduling treelstm tagger)
# Percent. Between two runs counts differ by far less: what is left is room for a compiler's or a C library's update.
guard_tolerance=5

verb_guard() {
  local record=""
  case "$#:${1:-}" in
    0:) ;;
    1:--record) record=1 ;;
    *) die 2 "'guard' takes nothing or --record, but got '$*'" ;;
  esac
  setup "${build_needs[@]}" valgrind
  build_native release guard_bench -DDYNNET_BUILD_BENCHMARKS=ON
  if [[ -n "$record" ]]; then
    record_guard
  else
    local reason
    reason="$(guard_obstacle)"
    if [[ -n "$reason" ]]; then die 3 "the guard cannot run: $reason"; fi
    local section status=0
    for section in "${guard_sections[@]}"; do check_guard "$section" || status=1; done
    return "$status"
  fi
}

run_guard() {
  DYNNET_ISA=v3 DYNNET_THREADS=1 timeout --foreground -k 10 300 "$@" </dev/null
}

# Says why counts would tell nothing here; nothing if they would.
guard_obstacle() {
  local about recorded
  if ! have valgrind; then
    echo "valgrind is not installed"
    return
  fi
  # A program that does not run is no obstacle but a failure, which counting will meet.
  about="$(run_guard "$guard_program" about)" || return 0
  recorded="$(sed -n 's/^compiler //p' "$guard_record")"
  if [[ "$about" != "v3 "* ]]; then
    echo "this processor has no v3 kernels"
  elif [[ "${about#* }" != "$recorded" ]]; then
    echo "the record is of $recorded, and this is ${about#* }"
  fi
}

# count_guard SECTION: sets $count to the instructions of a unit, and $unit.
count_guard() {
  local folder function=measured work total status=0
  if [[ "$1" == scheduling ]]; then function="dynnet::Scheduler::schedule("; fi
  folder="$(mktemp -d)"
  work="$(run_guard valgrind --tool=callgrind --callgrind-out-file="$folder/profile" --log-file="$folder/log" \
    "$guard_program" "$1")" || status=$?
  if ((status != 0)); then
    cat "$folder/log" >&2
    rm -rf "$folder"
    echo "build.sh: counting $1 ended with status $status" >&2
    return 1
  fi
  total="$(inclusive_cost "$function" "$folder/profile")"
  rm -rf "$folder"
  if ((total == 0)); then
    echo "build.sh: $1 never called '$function', whose instructions are counted" >&2
    return 1
  fi
  unit="${work#* }"
  count="$(awk -v total="$total" -v units="${work% *}" 'BEGIN { printf "%.1f", total / units }')"
}

# inclusive_cost FUNCTION PROFILE: of all calls of the functions whose names begin so. In callgrind's format a name
# stands where its number is first used, and the line after a call has the call's cost.
inclusive_cost() {
  awk -v function_name="$1" '
    /^c?fn=\(/ {
      number = substr($0, index($0, "("), index($0, ")") - index($0, "(") + 1)
      if (index($0, ") ") > 0) names[number] = substr($0, index($0, ") ") + 2)
      if (/^cfn=/) callee = names[number]
    }
    /^calls=/ {
      getline
      if (index(callee, function_name) == 1) sum += $2
    }
    END { printf "%.0f", sum }' "$2"
}

# check_guard SECTION: fails if it takes more instructions than were recorded.
check_guard() {
  local count unit recorded change
  count_guard "$1" || return 1
  recorded="$(awk -v section="$1" '$1 == section { print $2 }' "$guard_record")"
  if [[ -z "$recorded" ]]; then
    echo "guard: $1 has $count instructions a $unit, and no record: ./build.sh guard --record makes one" >&2
    return 1
  fi
  change="$(awk -v now="$count" -v then="$recorded" 'BEGIN { printf "%+.1f", 100 * (now / then - 1) }')"
  echo "guard: $1 has $count instructions a $unit, recorded were $recorded ($change %)"
  if awk -v change="$change" -v most="$guard_tolerance" 'BEGIN { exit !(change > most) }'; then
    echo "guard: $1 FAILED: at most $guard_tolerance % more are allowed; ./build.sh guard --record accepts them" >&2
    return 1
  elif awk -v change="$change" -v most="$guard_tolerance" 'BEGIN { exit !(change < -most) }'; then
    echo "guard: $1 has become better: ./build.sh guard --record keeps it so"
  fi
}

# By rename, so that a count that fails leaves the record as it was.
record_guard() {
  local about section count unit new="$artifacts/instructions.txt"
  about="$(run_guard "$guard_program" about)"
  if [[ "$about" != "v3 "* ]]; then die 3 "this processor has no v3 kernels to count"; fi
  {
    echo "# Instructions of each unit of work, by kernels of v3 on one thread: ./build.sh guard compares them,"
    echo "# ./build.sh guard --record writes them anew."
    echo "compiler ${about#* }"
    for section in "${guard_sections[@]}"; do
      count_guard "$section" || return 1
      echo "$section $count $unit"
    done
  } >"$new"
  mv "$new" "$guard_record"
  cat "$guard_record"
}
