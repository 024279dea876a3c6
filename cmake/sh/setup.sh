# shellcheck shell=bash
# Finds out what is missing and installs it, or says how to. Nothing here asks, and nothing waits for ever.

# Debian's packages, each with a test for what we want of it: a package may be missing where its contents are not.
build_needs=(cmake ninja-build g++)
test_needs=("${build_needs[@]}" libgtest-dev qemu-user)
demo_needs=("${build_needs[@]}" fonts-dejavu-core)

have() {
  local found
  # Only the output counts: `find` fails where one of its folders is missing, whatever it found in another.
  found="$(find_package "$1" 2>/dev/null || true)"
  [[ -n "$found" ]]
}

find_package() {
  case "$1" in
    cmake | g++ | ccache | clang-format | shellcheck | valgrind) command -v "$1" ;;
    ninja-build) command -v ninja ;;
    binutils) command -v objdump ;;
    libgtest-dev) find /usr/include/gtest/gtest.h /usr/local/include/gtest/gtest.h -print -quit ;;
    qemu-user) command -v qemu-x86_64 ;;
    # The plot's text needs any TrueType font; without one it is left out, without an error.
    fonts-*) find /usr/share/fonts /usr/local/share/fonts -name '*.ttf' -print -quit ;;
    *) dpkg-query -W -f '${db:Status-Status}' "$1" | grep -x installed ;;
  esac
}

apt() {
  timeout --foreground -k 10 600 apt-get -q -y -o DPkg::Lock::Timeout=60 -o Acquire::http::Timeout=20 \
    -o Acquire::https::Timeout=20 -o Acquire::Retries=2 -o APT::Sandbox::User=root "$@" </dev/null
}

# setup PACKAGE...: .NET, and of Debian's packages those that are missing.
setup() {
  setup_dotnet
  local package missing=()
  for package in "$@"; do
    if ! have "$package"; then missing+=("$package"); fi
  done
  if ((${#missing[@]} == 0)); then return; fi
  if ! command -v apt-get >/dev/null; then
    die 3 "missing, by the names of Debian's packages: ${missing[*]}"
  elif ((EUID != 0)); then
    echo "sudo apt-get install ${missing[*]}" >&2
    exit 3
  fi
  echo "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Old lists may still do, so a failing update is not the end.
  quietly apt update || true
  quietly apt install --no-install-recommends "${missing[@]}" || die 1 "apt-get could not install ${missing[*]}"
}

setup_dotnet() {
  # In the root folder, `dotnet` heeds global.json: it answers only if it has a fitting SDK.
  if ! (cd "$root" && dotnet --version) >/dev/null 2>&1; then
    local version
    version="$(sed -n 's/.*"version": *"\(.*\)".*/\1/p' "$root/global.json")"
    die 3 "the .NET SDK $version or a later ${version%.*} SDK is needed, see https://dotnet.microsoft.com/download"
  fi
}

# Sets $dictionary to CMUdict, from Debian's package, without root and without installing it.
setup_dictionary() {
  local installed=/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict
  dictionary="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/dynnet/cmudict-en-us.dict"
  if [[ -f "$dictionary" ]]; then return; fi
  if [[ -f "$installed" ]]; then
    dictionary="$installed"
    return
  fi
  command -v apt-get >/dev/null || die 3 "no apt-get to fetch CMUdict with: name a dictionary file"
  echo "Fetching the dictionary"
  local folder
  folder="$(mktemp -d)"
  if ! (cd "$folder" && quietly fetch_dictionary); then
    rm -rf "$folder"
    die 1 "could not fetch CMUdict (Debian's package pocketsphinx-en-us): name a dictionary file"
  fi
  mkdir -p "${dictionary%/*}"
  # By rename, so that an interrupted copy is never taken for a dictionary.
  mv "$folder/contents$installed" "$dictionary.$$"
  mv "$dictionary.$$" "$dictionary"
  rm -rf "$folder"
}

# In an empty folder: downloads and unpacks the package.
fetch_dictionary() {
  # Where the system's package lists are missing, private ones will do.
  mkdir -p state/lists/partial cache/archives/partial
  apt download pocketsphinx-en-us || {
    local private=(-o "Dir::State=$PWD/state" -o "Dir::State::status=/var/lib/dpkg/status" -o "Dir::Cache=$PWD/cache")
    apt "${private[@]}" update && apt "${private[@]}" download pocketsphinx-en-us
  }
  dpkg-deb -x pocketsphinx-en-us_*.deb contents
}
