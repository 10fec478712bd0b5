# WasmEdge: an installation that WASMEDGE_ROOT names, else one that the system has, else Debian 13's packages unpacked
# into a private prefix in the cache, with the C library they were built for. wasmedge.lock pins the packages.
# Sets wasmedge_include, wasmedge_library, wasmedge_library_folder, wasmedge_version, wasmedge_prefix,
# wasmedge_dynamic_linker, and wasmedge_sha256 of the library.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

wasmedge_prefix=""
wasmedge_dynamic_linker=""
wasmedge_sha256=""

# True if `$1` is an installation of WasmEdge; sets the variables above to it.
use_wasmedge_at() {
  local root=$1 folder
  [[ -f $root/include/wasmedge/wasmedge.h ]] || return 1
  for folder in "$root/lib/$multiarch" "$root/lib64" "$root/lib"; do
    if [[ -e $folder/libwasmedge.so ]]; then
      wasmedge_include=$root/include
      wasmedge_library_folder=$folder
      wasmedge_library=$folder/libwasmedge.so
      return 0
    fi
  done
  return 1
}

read_wasmedge_version() {
  local line
  wasmedge_version=""
  while read -r line; do
    if [[ $line =~ ^#define\ WASMEDGE_VERSION\ \"(.*)\" ]]; then wasmedge_version=${BASH_REMATCH[1]}; fi
  done <"$wasmedge_include/wasmedge/version.h"
  [[ -n $wasmedge_version ]] || die "cannot read the version in $wasmedge_include/wasmedge/version.h"
}

nothing_to_do() { true; }

setup_wasmedge() {
  local root
  if [[ -n ${WASMEDGE_ROOT:-} ]]; then
    use_wasmedge_at "${WASMEDGE_ROOT%/}" ||
      die "WASMEDGE_ROOT is $WASMEDGE_ROOT, which does not hold WasmEdge" \
        "Expected: include/wasmedge/wasmedge.h, and libwasmedge.so in lib/$multiarch, lib64 or lib." \
        "Unset WASMEDGE_ROOT to let the setup bring WasmEdge."
    read_wasmedge_version
    step "WasmEdge $wasmedge_version (WASMEDGE_ROOT)" nothing_to_do
    return
  fi
  for root in /usr /usr/local; do
    if use_wasmedge_at "$root"; then
      read_wasmedge_version
      step "WasmEdge $wasmedge_version (this system's)" nothing_to_do
      return
    fi
  done
  setup_wasmedge_prefix
}

# --- The private prefix ---------------------------------------------------------------------------------------

use_wasmedge_prefix() {
  wasmedge_prefix=$1
  use_wasmedge_at "$1/usr" || return 1
  for wasmedge_dynamic_linker in "$1"/usr/lib64/ld-linux-*.so.* "$1"/usr/lib/ld-linux-*.so.*; do
    [[ ! -e $wasmedge_dynamic_linker ]] || return 0
  done
  return 1
}

setup_wasmedge_prefix() {
  local i upstream=""
  read_pins wasmedge.lock
  for i in "${!pinned_name[@]}"; do
    [[ ${pinned_name[i]} != libwasmedge0 ]] || upstream=${pinned_version[i]%%[+-]*}
  done
  short_hash 1 "$architecture" "${pinned_sha256[@]}"
  prefix_item=$cache_folder/wasmedge-$upstream-$hash
  step "WasmEdge $upstream" has_wasmedge_prefix make_wasmedge_prefix
  read -r wasmedge_sha256 <"$prefix_item/libwasmedge.sha256"
  read_wasmedge_version
}

has_wasmedge_prefix() { is_whole "$prefix_item" && use_wasmedge_prefix "$prefix_item"; }

make_wasmedge_prefix() {
  bring_packages WasmEdge libwasmedge-dev "libwasmedge*" "with all that it needs"
  build_item "$prefix_item" unpack_wasmedge
  use_wasmedge_prefix "$prefix_item" || die "the packages of WasmEdge do not hold what was expected, see $prefix_item"
}

unpack_wasmedge() {
  local prefix=$1 deb library
  for deb in "${debs[@]}"; do
    [[ ! -f $cache_folder/downloads/$deb ]] || dpkg-deb -x "$cache_folder/downloads/$deb" "$prefix"
  done
  # libLLVM looks for its own libraries in $ORIGIN/../lib; this makes that the prefix as well.
  ln -s "$multiarch" "$prefix/usr/lib/lib"
  use_wasmedge_prefix "$prefix"
  library=$(readlink -f "$wasmedge_library")
  sha256_of "$library"
  echo "$sha256" >"$prefix/libwasmedge.sha256"
  printf '%s\n' "${debs[@]}" >"$prefix/packages"
  start_with_wasmedge "" "$prefix"
}

# Compiles a program that asks WasmEdge for its version, and starts it: with LLVM, or with the stub folder `$1`, in which case
# the library `$3` must come from there. `$2` is a folder to work in. That the
# machine's compiler, its kernel and the prefix's C library get along is better found out here than in a test.
start_with_wasmedge() {
  local stub=$1 work=$2/start-test options=() loaded
  mkdir -p "$work"
  cat >"$work/start.cc" <<'END'
#include <wasmedge/wasmedge.h>
#include <cstdio>
#include <stdexcept>
int main() {
  try {  // Unwinding goes through the prefix's libgcc.
    throw std::runtime_error(WasmEdge_VersionGet());
  } catch (const std::exception& version) {
    std::puts(version.what());
  }
}
END
  [[ -z $stub ]] || options+=("-Wl,-rpath,$stub")
  [[ -z $wasmedge_dynamic_linker ]] || options+=("-Wl,--dynamic-linker=$wasmedge_dynamic_linker")
  g++ -O1 -I"$wasmedge_include" "$work/start.cc" -o "$work/start" -L"$wasmedge_library_folder" -lwasmedge \
    -Wl,--disable-new-dtags "${options[@]}" -Wl,-rpath,"$wasmedge_library_folder" -Wl,--allow-shlib-undefined
  "$work/start"
  if [[ -n $stub ]]; then
    # Not piped into grep -q, which ends before the loader has written all: that would be taken for a failure.
    loaded=$(LD_TRACE_LOADED_OBJECTS=1 "$work/start")
    echo "$loaded"
    [[ $loaded == *"$3 => $stub/$3 "* ]] || { echo "$3 is not the stub" && return 1; }
  fi
  rm -rf "$work"
}
