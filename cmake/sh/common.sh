# shellcheck shell=bash
# What all verbs share. Expects $root and $artifacts.

# MSBuild's helpers would live on after the script and hold its output open.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

die() {
  local status="$1"
  shift
  echo "build.sh: $*" >&2
  exit "$status"
}

no_arguments() {
  local verb="$1"
  shift
  if (($# > 0)); then die 2 "'$verb' takes no arguments, but got '$*'"; fi
}

# Shows the output of a command only if it fails.
quietly() {
  local log status=0
  log="$(mktemp)"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status != 0)); then cat "$log" >&2; fi
  rm -f "$log"
  return "$status"
}

# build_native PRESET TARGET [CMAKE OPTIONS]
build_native() {
  local preset="$1" target="$2"
  shift 2
  (cd "$root/native" && quietly cmake --preset "$preset" "$@") &&
    cmake --build "$artifacts/native/$preset" --target "$target" --parallel "$(nproc)"
}

dotnet_build() {
  dotnet build "$1" -c Release -nologo -v minimal --tl:off
}
