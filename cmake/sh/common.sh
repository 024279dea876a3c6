# shellcheck shell=bash
# What all verbs share. Expects $root and $artifacts.

# MSBuild's helpers would live on after the script and hold its output open.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# A program that .NET built looks for .NET here and in the system's folders, not where `dotnet` is found.
if command -v dotnet >/dev/null; then
  dotnet_folder="$(dirname "$(readlink -f "$(command -v dotnet)")")"
  # Where `dotnet` is but a launcher, the folder has none.
  if [[ -d "$dotnet_folder/host/fxr" ]]; then export DOTNET_ROOT="${DOTNET_ROOT:-$dotnet_folder}"; fi
fi

# What Ctrl-C interrupts may end with any status of its own; no next step is to follow.
trap 'exit 130' INT

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

# From here on warnings are errors, native and managed: for what checks the code, not for those who only use it.
warnings_are_errors() {
  export DYNNET_WARNINGS_AS_ERRORS=ON
}

# build_native PRESET TARGET [CMAKE OPTIONS]
build_native() {
  local preset="$1" target="$2" warnings="${DYNNET_WARNINGS_AS_ERRORS:+-DDYNNET_WARNINGS_AS_ERRORS=ON}"
  shift 2
  # Unset where it is not asked for, else CMake would remember it from an earlier build.
  warnings="${warnings:--UDYNNET_WARNINGS_AS_ERRORS}"
  (cd "$root/native" && quietly cmake --preset "$preset" "$warnings" "$@") &&
    cmake --build "$artifacts/native/$preset" --target "$target" --parallel "$(nproc)"
}

dotnet_build() {
  dotnet build "$1" -c Release -nologo -v minimal --tl:off
}
