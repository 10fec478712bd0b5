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

# Sets the arrays pinned_name, pinned_version and pinned_sha256 from the lines of wasmedge.lock for `$1`.
read_wasmedge_lock() {
  local architecture name version sha
  pinned_name=() pinned_version=() pinned_sha256=()
  while read -r architecture name version sha; do
    [[ $architecture == "$1" ]] || continue
    pinned_name+=("$name") pinned_version+=("$version") pinned_sha256+=("$sha")
  done <"$setup_folder/wasmedge.lock"
  ((${#pinned_name[@]} > 0)) ||
    die "setup/wasmedge.lock has no packages for the architecture $1" \
      "Set WASMEDGE_ROOT to an installation of WasmEdge 0.14.1, or add the pins with setup/update-lock $1."
}

# How apt writes a package's file name: the epoch's colon is escaped.
deb_name() { deb=$1_${2//:/%3a}_$architecture.deb; }

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
  read_wasmedge_lock "$architecture"
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
  bring_wasmedge_packages
  build_item "$prefix_item" unpack_wasmedge
  use_wasmedge_prefix "$prefix_item" || die "the packages of WasmEdge do not hold what was expected, see $prefix_item"
}

# Makes sure that every package is in downloads/, whole, and lists their files in wasmedge_debs. Goes to the archive
# only for what is not there.
bring_wasmedge_packages() {
  local i missing=() bytes=0
  wasmedge_debs=()
  for i in "${!pinned_name[@]}"; do
    deb_name "${pinned_name[i]}" "${pinned_version[i]}"
    wasmedge_debs+=("$deb")
    has_sha256 "$cache_folder/downloads/$deb" "${pinned_sha256[i]}" || missing+=("$i")
  done
  if ((${#missing[@]} > 0)); then
    open_archive "$architecture"
    fetch_wasmedge_packages "${missing[@]}"
  fi
  for deb in "${wasmedge_debs[@]}"; do bytes=$((bytes + $(stat -c %s "$cache_folder/downloads/$deb"))); done
  megabytes "$bytes"
  step_add "$size"
}

# Fetches the packages whose indexes in the lock are given. Debian replaces a supporting library when it is corrected
# (a point release, a security update, or a machine that does not read the security archive); the archive's signature
# vouches for the other version. WasmEdge itself must be as pinned.
fetch_wasmedge_packages() {
  local i name version wanted=() other=() closure known
  declare -A candidate=() expected=() index=()
  known=$(apt-cache madison "${pinned_name[@]}" 2>>"$log_file" | awk -F' *[|] *' '{ gsub(/ /, "", $1); print $1 "=" $2 }')
  closure=$(apt-get -s install libwasmedge-dev 2>>"$log_file" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p') ||
    fail_with_log "the archive cannot install libwasmedge-dev"
  while read -r name version; do candidate[$name]=$version; done <<<"$closure"
  for i in "${!pinned_name[@]}"; do index[${pinned_name[i]}]=$i; done

  for i in "$@"; do
    name=${pinned_name[i]} version=${pinned_version[i]}
    if ! grep -qxF -- "$name=$version" <<<"$known"; then
      [[ $name != libwasmedge* ]] ||
        die "Debian's archive no longer has $name $version, which setup/wasmedge.lock pins" \
          "It has: ${candidate[$name]:-no such package}. Renew the pins with setup/update-lock and run the tests."
      version=${candidate[$name]:-}
      [[ -n $version ]] || continue  # The others no longer need it.
      other+=("$name $version")
      deb_name "$name" "$version"
      wasmedge_debs[i]=$deb
    fi
    wanted+=("$name=$version")
  done
  if ((${#other[@]} > 0)); then
    # Other versions may need packages that the pinned ones did not.
    for name in "${!candidate[@]}"; do
      [[ -n $name && -z ${index[$name]:-} ]] || continue
      version=${candidate[$name]}
      other+=("$name $version")
      wanted+=("$name=$version")
      deb_name "$name" "$version"
      wasmedge_debs+=("$deb")
    done
    note "not as pinned, but signed by Debian's archive: $(printf '%s, ' "${other[@]}" | sed 's/, $//')"
  fi

  # What the signed index says of each file; for a pinned one it must be what the lock says.
  local uri file bytes sum
  while read -r uri file bytes sum; do
    [[ $uri == \'* ]] || continue
    expected[$file]=${sum#SHA256:}
  done < <(apt-get --print-uris download "${wanted[@]}" 2>>"$log_file")
  for i in "$@"; do
    deb_name "${pinned_name[i]}" "${pinned_version[i]}"
    [[ ${wasmedge_debs[i]} == "$deb" ]] || continue
    [[ ${expected[$deb]:-} == "${pinned_sha256[i]}" ]] ||
      die "the checksum of $deb in Debian's archive differs from the pinned one" \
        "pinned:  ${pinned_sha256[i]}" "archive: ${expected[$deb]:-none}" \
        "A published package never changes. Do not go on: find out who changed it, the lock file or the mirror."
  done
  start_poller "$cache_folder/downloads/partial"
  retry "Fetching the packages of WasmEdge" fetch_debs ||
    fail_with_log "cannot fetch the packages of WasmEdge" \
      "What has arrived is kept: run this again when the network is back."
  stop_poller
}

# Fetches `wanted` and moves each file to downloads/ once its checksum is right. apt resumes a file that was cut off; one that
# is wrong is removed, so that the next attempt starts anew.
fetch_debs() (
  cd "$cache_folder/downloads/partial" || exit 1
  status=0
  apt-get -q download "${wanted[@]}" || status=$?
  for file in "${!expected[@]}"; do
    if has_sha256 "$file" "${expected[$file]}"; then
      mv "$file" "../$file"
    elif ! has_sha256 "../$file" "${expected[$file]}"; then
      echo "$file did not arrive whole"
      status=1
      rm -f "$file"
    fi
  done
  exit "$status"
)

unpack_wasmedge() {
  local prefix=$1 deb library
  for deb in "${wasmedge_debs[@]}"; do
    [[ ! -f $cache_folder/downloads/$deb ]] || dpkg-deb -x "$cache_folder/downloads/$deb" "$prefix"
  done
  # libLLVM looks for its own libraries in $ORIGIN/../lib; this makes that the prefix as well.
  ln -s "$multiarch" "$prefix/usr/lib/lib"
  use_wasmedge_prefix "$prefix"
  library=$(readlink -f "$wasmedge_library")
  sha256_of "$library"
  echo "$sha256" >"$prefix/libwasmedge.sha256"
  printf '%s\n' "${wasmedge_debs[@]}" >"$prefix/packages"
  start_with_wasmedge "" "$prefix"
}

# Compiles a program that asks WasmEdge for its version, and starts it: with LLVM, or with the stub folder `$1`, in which case
# the library `$3` must come from there. `$2` is a folder to work in. That the
# machine's compiler, its kernel and the prefix's C library get along is better found out here than in a test.
start_with_wasmedge() {
  local stub=$1 work=$2/start-test options=()
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
    LD_TRACE_LOADED_OBJECTS=1 "$work/start"
    LD_TRACE_LOADED_OBJECTS=1 "$work/start" | grep -qF "$3 => $stub/$3 " || { echo "$3 is not the stub" && return 1; }
  fi
  rm -rf "$work"
}
