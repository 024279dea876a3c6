# shellcheck shell=bash
# The demo: src/samples/pronounce.cs, built in Release and started directly, since `dotnet run` builds Debug and starts
# slowly. It runs in artifacts/demo, where it leaves its model and its plot.

verb_demo() {
  local folder="$artifacts/demo" program="$artifacts/samples/pronounce/bin/release/pronounce"
  local arguments=() file="" pronounce=""
  while (($# > 0)); do
    case "$1" in
      --full) arguments+=("$1") ;;
      --pronounce)
        if (($# < 2)); then die 2 "--pronounce needs a text"; fi
        pronounce=1
        arguments+=("$1" "$2")
        shift
        ;;
      -*) die 2 "'demo' has no option '$1'" ;;
      *)
        if [[ -n "$file" ]]; then die 2 "'demo' takes one file, but got '$file' and '$1'"; fi
        if [[ ! -f "$1" ]]; then die 2 "there is no file '$1'"; fi
        file="$(realpath "$1")"
        ;;
    esac
    shift
  done

  if [[ -z "$pronounce" ]] || ! demo_is_built; then build_demo; fi
  if [[ -z "$pronounce" && -z "$file" ]]; then
    setup_dictionary
    file="$dictionary"
  fi
  if [[ -n "$file" ]]; then arguments+=("$file"); fi
  mkdir -p "$folder"
  cd "$folder"
  exec "$program" "${arguments[@]}"
}

# True if nothing that the program is made of has changed since it was built. Fast, since --pronounce must be.
demo_is_built() {
  [[ -x "$program" && -f "$folder/.built" ]] || return 1
  local changed
  changed="$(find "$root/src" "$root/native" "$root/cmake" "$root"/Directory.* "$root/global.json" \
    -newer "$folder/.built" -type f -print -quit)"
  [[ -z "$changed" ]]
}

build_demo() {
  setup "${demo_needs[@]}"
  mkdir -p "$folder"
  # Made before the build: what changes while it runs is newer.
  touch "$folder/.building"
  build_native release dynnet
  dotnet_build "$root/src/samples/pronounce.cs"
  mv "$folder/.building" "$folder/.built"
}
