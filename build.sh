#!/usr/bin/env bash
# Builds, tests and runs DynNet.Native; `./build.sh help` lists the verbs. The parts are in cmake/sh.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
artifacts="$root/artifacts"
# shellcheck source=cmake/sh/common.sh
source "$root/cmake/sh/common.sh"
# shellcheck source=cmake/sh/setup.sh
source "$root/cmake/sh/setup.sh"
# shellcheck source=cmake/sh/guard.sh
source "$root/cmake/sh/guard.sh"
# shellcheck source=cmake/sh/test.sh
source "$root/cmake/sh/test.sh"
# shellcheck source=cmake/sh/demo.sh
source "$root/cmake/sh/demo.sh"

verb_help() {
  cat <<'END'
usage: ./build.sh VERB [ARGUMENTS]

  build                 the native library and the C# library, in Release
  test                  all tests, native and managed
    --sanitize address|thread   the native tests under that sanitizer instead
  demo [FILE]           trains a model that pronounces English words, on FILE or on CMUdict
    --full              on all of it, until it stops improving
    --pronounce "TEXT"  pronounces TEXT with the trained model
  bench TASK [OPTIONS]  treelstm, tagger, tagger-chars, lm, pronounce, recurrent, tree-cell, scheduling, construction,
                        decode or ops; --all for all of them
  guard                 counts instructions and compares them with those on record; a part of test
    --record            writes the record anew
  bindings              writes the binding's generated files anew from the C header
  parity                writes the table of operations in src/docs/dynet-parity.md anew from the tests' tables
  pack                  the NuGet package, into artifacts/package
  clean                 removes all that was built
  help                  this text
END
}

verb_build() {
  no_arguments build "$@"
  setup "${build_needs[@]}"
  build_native release dynnet
  dotnet_build "$root/src/DynNet.Native"
}

verb_bench() {
  setup "${build_needs[@]}"
  build_native release dynnet >&2
  # Only this one compares; it runs alone where Eigen is missing.
  if [[ "${1:-}" == ops ]]; then build_native release references -DDYNNET_BUILD_BENCHMARKS=ON >&2; fi
  dotnet_build "$root/tests/benchmarks" >&2
  exec "$artifacts/bin/Benchmarks/release/Benchmarks" "$@"
}

verb_bindings() {
  no_arguments bindings "$@"
  setup_dotnet
  local properties=()
  if [[ -n "${CPPSHARP_DIR:-}" ]]; then properties+=("-p:CPPSHARP_DIR=$CPPSHARP_DIR"); fi
  cd "$root"
  dotnet run --project bindings -c Release "${properties[@]}"
}

verb_parity() {
  no_arguments parity "$@"
  setup "${test_needs[@]}"
  build_native release dynnet_tests -DDYNNET_BUILD_TESTS=ON
  DYNNET_WRITE_PARITY=1 "$artifacts/native/release/dynnet_tests" --gtest_filter=Parity.DocumentSaysWhatTheTablesSay
}

verb_pack() {
  no_arguments pack "$@"
  verb_build "$@"
  rm -rf "$artifacts/package"
  dotnet pack "$root/src/DynNet.Native" -c Release --no-build -nologo
  # NuGet's symbol packages take no ELF files: the native library's symbols lie beside them.
  cp "$artifacts/native/release/libdynnet.so.dbg" "$artifacts/package/"
  ls -l "$artifacts/package"
}

verb_clean() {
  no_arguments clean "$@"
  rm -rf "$artifacts"
}

verb="${1:-help}"
if (($# > 0)); then shift; fi
case "$verb" in
  build | test | demo | bench | guard | bindings | parity | pack | clean | help) "verb_$verb" "$@" ;;
  -h | --help) verb_help ;;
  *)
    verb_help >&2
    die 2 "there is no verb '$verb'"
    ;;
esac
