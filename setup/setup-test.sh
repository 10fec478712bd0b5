#!/usr/bin/env bash
# Tests of the setup's tricky pieces, without the network: how apt's sources are derived, and that the cache survives
# damaged files, kills at any moment and two setups at once. apt and npm are played by the small scripts below.
#
#   setup/setup-test.sh [TEST...]
# shellcheck disable=SC2034,SC2154,SC2317  # Variables and functions are shared with the files that are loaded.
set -euo pipefail
export LC_ALL=C
setup_folder=$(cd "${BASH_SOURCE[0]%/*}" && pwd)

# --- A small world to test in ---------------------------------------------------------------------------------

load() {
  # shellcheck source=/dev/null
  for part in lib debian archive packages wasmedge llvm-stub sqlite quickjs npm; do source "$setup_folder/$part.sh"; done
  architecture=amd64 multiarch=x86_64-linux-gnu
  retry_delays=(0 0)
  cache_folder=$PWD/cache
}

expect_equal() {
  [[ $1 == "$2" ]] || { printf 'expected:\n%s\ngot:\n%s\n' "$2" "$1" && return 1; }
}

expect_contains() {
  [[ $1 == *"$2"* ]] || { printf 'expected to find:\n%s\nin:\n%s\n' "$2" "$1" && return 1; }
}

# Runs a command that must fail, in a subshell, and sets `output` to what it says.
refuses() {
  if output=$(set +e; (set -e; "$@") 2>&1); then echo "this should have failed: $*" && return 1; fi
}

# An archive with three small packages, in the folder archive/, their pins, and an `apt-get` that delivers them. The file `mood`
# tells it what to do wrong: truncate, corrupt or offline, once; slow or offline-always, until it is removed.
make_archive() {
  local name version
  mkdir -p bin archive lock
  : >lock/wasmedge.lock
  for name in libwasmedge0=0.14.1-1 libwasmedge-dev=0.14.1-1 libfmt10=1:10.1-1; do
    version=${name#*=} name=${name%%=*}
    make_package "$name" "$version"
    echo "amd64 $name $version $(sha256sum <"archive/${name}_${version//:/%3a}_amd64.deb" | cut -d' ' -f1)" >>lock/wasmedge.lock
  done
  mkdir -p apt
  echo 'deb http://mirror.example/debian bookworm main' >apt/sources.list
  cat >bin/apt-get <<'END'
#!/bin/bash
archive=${0%/bin/*}/archive mood=$(cat "$archive/../mood" 2>/dev/null)
echo "$*" >>"$archive/../apt.log"
names=() print=0 what=""
for word; do
  case $word in
    --print-uris) print=1 ;;
    -*) ;;
    update | download | install) what=$word ;;
    *) names+=("$word") ;;
  esac
done
if [[ $what == update && $mood == offline* ]]; then
  [[ $mood == offline-always ]] || rm "$archive/../mood"
  echo "E: offline"
  exit 100
fi
[[ $what != download || $print == 1 || $mood == slow ]] || rm -f "$archive/../mood"
if [[ $what == install ]]; then
  for file in "$archive"/*.deb; do
    file=${file##*/} name=${file%%_*} version=${file#*_} version=${version%_*}
    echo "Inst $name (${version/\%3a/:} Debian:13/stable [amd64])"
  done
fi
[[ $what == download ]] || exit 0
for name in "${names[@]}"; do
  version=${name#*=} file=${name%%=*}_${version//:/%3a}_amd64.deb
  if ((print)); then
    echo "'http://mirror.example/$file' $file 1 SHA256:$(sha256sum <"$archive/$file" | cut -d' ' -f1)"
    continue
  fi
  [[ $mood != slow ]] || { head -c 100 "$archive/$file" >"$file"; sleep 0.2; }
  cp "$archive/$file" "$file"
  [[ $mood != truncate ]] || truncate -s 100 "$file"
  [[ $mood != corrupt ]] || printf X | dd of="$file" bs=1 seek=120 conv=notrunc status=none
done
END
  cat >bin/apt-cache <<'END'
#!/bin/bash
for file in "${0%/bin/*}"/archive/*.deb; do
  file=${file##*/} name=${file%%_*} version=${file#*_} version=${version%_*}
  echo " $name | ${version/\%3a/:} | http://mirror.example trixie/main amd64 Packages"
done
END
  chmod +x bin/apt-get bin/apt-cache
  PATH=$PWD/bin:$PATH
  export SCHEMASCRIPT_APT_FOLDER=$PWD/apt
}

make_package() {
  local folder=package-$1 lib=package-$1/usr/lib/x86_64-linux-gnu
  rm -rf "$folder"
  mkdir -p "$folder/DEBIAN" "$lib"
  printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: x\nDescription: x\n' "$1" "$2" >"$folder/DEBIAN/control"
  echo "$1 $2" >"$lib/$1.so"
  if [[ $1 == libwasmedge-dev ]]; then
    mkdir -p "$folder/usr/include/wasmedge" "$folder/usr/lib64"
    touch "$folder/usr/include/wasmedge/wasmedge.h" "$folder/usr/lib64/ld-linux-x86-64.so.2"
    echo '#define WASMEDGE_VERSION "0.14.1"' >"$folder/usr/include/wasmedge/version.h"
    ln -s libwasmedge0.so "$lib/libwasmedge.so"
  fi
  dpkg-deb -Zgzip --root-owner-group -b "$folder" "archive/${1}_${2//:/%3a}_amd64.deb" >/dev/null
}

# Adds a package of SQLite's to the archive, in which sqlite3_second calls sqlite3_first in another object, and its pin.
make_sqlite_package() {
  local folder=package-libsqlite3-dev version=$1
  local lib=$folder/usr/lib/x86_64-linux-gnu
  rm -rf "$folder" archive/libsqlite3-dev_*
  make_package libsqlite3-dev "$version"
  write_sqlite_header "$folder/usr" 3.46.1 3046001
  echo 'int sqlite3_first(void) { return 1; }' >first.c
  echo 'int sqlite3_first(void); int sqlite3_second(void) { return sqlite3_first(); }' >second.c
  gcc -c first.c second.c
  ar rcs "$lib/libsqlite3.a" first.o second.o
  dpkg-deb -Zgzip --root-owner-group -b "$folder" "archive/libsqlite3-dev_${version}_amd64.deb" >/dev/null
}

pin_sqlite_package() {
  echo "amd64 libsqlite3-dev $1 $(sha256sum <"archive/libsqlite3-dev_$1_amd64.deb" | cut -d' ' -f1)" >lock/sqlite.lock
}

write_sqlite_header() {
  mkdir -p "$1/include"
  printf '#define SQLITE_VERSION        "%s"\n#define SQLITE_VERSION_NUMBER %s\n' "$2" "$3" >"$1/include/sqlite3.h"
}

run_sqlite_setup() { bash "${BASH_SOURCE[0]}" --sqlite-setup; }

# On a machine whose own SQLite is in usr/.
sqlite_setup() {
  load
  setup_folder=$PWD/lock
  start_with_sqlite() { :; }
  setup_sqlite "$PWD/usr"
  close_archive
  echo "$sqlite_version $sqlite_include $sqlite_library"
}

# The part of setup/setup that this world has: WasmEdge's prefix. In a process of its own, so that it can fail or be killed.
run_prefix_setup() { bash "${BASH_SOURCE[0]}" --prefix-setup; }

prefix_setup() {
  load
  setup_folder=$PWD/lock
  start_with_wasmedge() { [[ ! -e slow-unpack ]] || sleep 0.3; }
  find_cache_folder() { :; }
  setup_wasmedge_prefix
  close_archive
  echo "$wasmedge_version $wasmedge_prefix"
}

expect_whole_prefix() {
  local prefix
  prefix=$(echo cache/wasmedge-*)
  [[ -d $prefix ]] || { echo "there is not exactly one prefix: $prefix" && return 1; }
  (cd "$prefix" && sha256sum --quiet -c .schemascript-manifest)
  grep -q libfmt10 "$prefix/usr/lib/x86_64-linux-gnu/libfmt10.so"
  [[ -L $prefix/usr/lib/lib ]]
  expect_equal "$(find cache -name '*.building*')" ""
  expect_equal "$(ls cache/downloads/partial)" ""
}

# --- Sources --------------------------------------------------------------------------------------------------

test_deb822_sources_become_ours() {
  load
  mkdir -p apt/sources.list.d
  cat >apt/sources.list.d/debian.sources <<'END'
# A comment before.
Types: deb
# One within.
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

types: deb deb-src
uris: https://mirror.example/debian-security/
suites: bookworm-security
components: main
Architectures: amd64
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJ
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://other.example/debian
Suites: bookworm
Components: main
END
  cat >apt/sources.list.d/third-party.sources <<'END'
Types: deb
URIs: https://vendor.example/linux/debian
Suites: bookworm
Components: stable

Types: deb
URIs: https://runner.example/runner/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/runner.gpg

Types: deb
URIs: https://node.example/node_20.x
Suites: nodistro
Components: main
END
  write_sources apt out
  expect_equal "$(ls out)" "debian.sources"
  expect_equal "$(cat out/debian.sources)" "Types: deb deb-src
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: https://mirror.example/debian-security/
Suites: trixie-security
Components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJ
 -----END PGP PUBLIC KEY BLOCK-----"
}

test_classic_sources_become_ours() {
  load
  mkdir -p apt/sources.list.d
  cat >apt/sources.list <<'END'
# deb cdrom:[Debian 12]/ bookworm main
deb cdrom:[Debian 12 DVD]/ bookworm main
deb http://mirror.example/debian bookworm main contrib # the mirror
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian/ bookworm-updates main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian-security bookworm-security main
deb http://mirror.example/debian bookworm-backports main
END
  cat >apt/sources.list.d/other.list <<'END'
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.asc] https://vendor.example/linux/debian bookworm stable
deb https://node.example/node_20.x bookworm main
deb [signed-by=/etc/apt/keyrings/x.gpg] https://x.example/debian bookworm main
deb http://database.example/apt bookworm-pgdg main
END
  write_sources apt out
  expect_equal "$(ls out)" "debian.list"
  expect_equal "$(tr -s ' ' <out/debian.list)" "deb http://mirror.example/debian trixie main
deb-src http://mirror.example/debian trixie main
deb http://mirror.example/debian/ trixie-updates main
deb-src http://mirror.example/debian/ trixie-updates main
deb [ signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian-security trixie-security main
deb-src [ signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian-security trixie-security main"
}

test_a_mirror_with_a_path_of_its_own_is_found() {
  load
  mkdir -p apt
  echo 'deb https://proxy.example/repository/debian-proxy/ stable main' >apt/sources.list
  write_sources apt out
  expect_contains "$(cat out/debian.list)" "deb https://proxy.example/repository/debian-proxy/ trixie main"
}

test_snapshots_and_mirror_lists_are_found() {
  load
  mkdir -p apt
  echo 'deb https://snapshot.example/archive/debian/20260101T000000Z bookworm main' >apt/sources.list
  echo 'deb mirror+file:/etc/apt/mirrors/debian.list bookworm main' >>apt/sources.list
  write_sources apt out
  expect_equal "$(grep -c '^deb ' out/debian.list)" 2
}

test_a_machine_without_debian_sources_is_told_so() {
  make_archive
  echo 'deb https://vendor.example/apt bookworm main' >apt/sources.list
  refuses run_prefix_setup
  expect_contains "$output" "cannot find Debian's archive among this machine's apt sources"
}

test_apt_accepts_what_is_derived() {
  load
  mkdir -p apt cache
  echo 'deb [arch=amd64] http://mirror.example/debian bookworm main' >apt/sources.list
  export SCHEMASCRIPT_APT_FOLDER=$PWD/apt
  retry() { :; }
  open_archive amd64
  uris=$(apt-get update --print-uris)
  expect_contains "$uris" "http://mirror.example/debian/dists/trixie/InRelease"
  expect_equal "$(apt-config dump | grep -c 'Post-Invoke::')" 0
}

# --- The cache ------------------------------------------------------------------------------------------------

test_a_prefix_is_built_once() {
  make_archive
  expect_contains "$(run_prefix_setup 2>&1)" "[1/6] WasmEdge 0.14.1 ... 0.0 MB ... done in"
  expect_whole_prefix
  rm apt.log
  output=$(run_prefix_setup 2>&1)
  expect_equal "$output" "0.14.1 $PWD/cache/$(basename cache/wasmedge-*)"
  [[ ! -e apt.log ]]
}

test_nothing_is_fetched_while_the_downloads_are_whole() {
  make_archive
  run_prefix_setup 2>/dev/null
  rm -r apt.log cache/wasmedge-*
  run_prefix_setup 2>/dev/null
  [[ ! -e apt.log ]]
  expect_whole_prefix
}

test_a_damaged_download_in_the_cache_is_fetched_again() {
  make_archive
  run_prefix_setup 2>/dev/null
  for damage in "truncate -s 100" "sed -i 1s/arch/arcH/" "rm"; do
    $damage cache/downloads/libfmt10_1%3a10.1-1_amd64.deb
    rm -r apt.log cache/wasmedge-*
    run_prefix_setup 2>/dev/null
    expect_equal "$(grep -c 'download libfmt10=1:10.1-1$' apt.log)" 2 # Its address, then itself, and nothing else.
    expect_whole_prefix
  done
}

test_a_transfer_that_goes_wrong_is_repeated() {
  make_archive
  for mood in truncate corrupt offline; do
    rm -rf cache
    echo "$mood" >mood
    output=$(run_prefix_setup 2>&1)
    expect_contains "$output" "did not work, trying again"
    expect_whole_prefix
  done
}

test_a_network_that_stays_away_is_explained() {
  make_archive
  echo offline-always >mood
  refuses run_prefix_setup
  expect_contains "$output" "cannot read the package index of Debian's archive"
  expect_contains "$output" "| E: offline"
  rm mood
  run_prefix_setup 2>/dev/null
  expect_whole_prefix
}

test_a_package_that_differs_from_its_pin_is_refused() {
  make_archive
  echo 'another' >package-libfmt10/usr/lib/x86_64-linux-gnu/libfmt10.so
  dpkg-deb -Zgzip -b package-libfmt10 archive/libfmt10_1%3a10.1-1_amd64.deb >/dev/null
  refuses run_prefix_setup
  expect_contains "$output" "checksum of libfmt10_1%3a10.1-1_amd64.deb in Debian's archive differs from the pinned one"
  [[ ! -e $(echo cache/wasmedge-*) ]]
}

test_another_version_of_a_library_is_accepted_and_said() {
  make_archive
  rm archive/libfmt10_*
  make_package libfmt10 1:10.1-1+deb13u1
  make_package libnew1 1.0
  output=$(run_prefix_setup 2>&1)
  expect_contains "$output" "not as pinned, but signed by Debian's archive: libfmt10 1:10.1-1+deb13u1, libnew1 1.0"
  expect_whole_prefix
  grep -q deb13u1 cache/wasmedge-*/usr/lib/x86_64-linux-gnu/libfmt10.so
  [[ -e $(echo cache/wasmedge-*/usr/lib/x86_64-linux-gnu/libnew1.so) ]]
}

test_another_wasmedge_than_the_pinned_one_is_refused() {
  make_archive
  rm archive/libwasmedge0_*
  make_package libwasmedge0 0.14.2-1
  refuses run_prefix_setup
  expect_contains "$output" "no longer has libwasmedge0 0.14.1-1"
  expect_contains "$output" "0.14.2-1"
}

test_a_kill_at_any_moment_leaves_a_cache_that_goes_on() {
  make_archive
  touch slow-unpack
  for delay in 0.05 0.15 0.3 0.5 0.7 0.9 1.1 1.3; do
    echo slow >mood
    setsid bash "${BASH_SOURCE[0]}" --prefix-setup >/dev/null 2>&1 &
    sleep "$delay"
    kill -9 -- -$! 2>/dev/null || true
    wait $! 2>/dev/null || true
    # Whatever has its name is whole.
    for item in cache/wasmedge-*/; do
      if [[ -d $item && $item != *.building/ ]]; then (cd "$item" && sha256sum --quiet -c .schemascript-manifest); fi
    done
    rm -f mood
    [[ $delay != *[37] ]] || rm -rf cache
  done
  run_prefix_setup 2>/dev/null
  expect_whole_prefix
}

test_two_at_once_do_the_work_once() {
  make_archive
  echo slow >mood
  run_prefix_setup 2>first.log &
  run_prefix_setup 2>second.log &
  wait -n
  wait -n
  expect_whole_prefix
  expect_equal "$(grep -c '^-q download' apt.log)" 1
  expect_contains "$(cat first.log second.log)" "waiting for another setup"
}

test_an_item_is_checked_on_request() {
  make_archive
  run_prefix_setup 2>/dev/null
  load
  check_item cache/wasmedge-*
  echo x >>cache/wasmedge-*/usr/lib/x86_64-linux-gnu/libwasmedge0.so
  refuses check_item cache/wasmedge-*
}

test_the_cache_folder_is_found() {
  load
  unset SCHEMASCRIPT_CACHE XDG_CACHE_HOME
  HOME=$PWD find_cache_folder
  expect_equal "$cache_folder" "$PWD/.cache/schemascript"
  XDG_CACHE_HOME=/x find_cache_folder
  expect_equal "$cache_folder" "/x/schemascript"
  SCHEMASCRIPT_CACHE=relative/ find_cache_folder
  expect_equal "$cache_folder" "$PWD/relative"
  (unset HOME && find_cache_folder && expect_equal "$cache_folder" "$(getent passwd "$EUID" | cut -d: -f6)/.cache/schemascript")
  SCHEMASCRIPT_CACHE='/a b' refuses find_cache_folder
  expect_contains "$output" "has a space or another unusual character"
}

# --- SQLite ---------------------------------------------------------------------------------------------------

test_a_machine_with_a_new_sqlite_uses_it() {
  make_archive
  mkdir -p usr/lib/x86_64-linux-gnu
  touch usr/lib/x86_64-linux-gnu/libsqlite3.so
  write_sqlite_header usr 3.46.0 3046000
  expect_equal "$(run_sqlite_setup 2>&1)" "3.46.0 $PWD/usr/include $PWD/usr/lib/x86_64-linux-gnu/libsqlite3.so"
  [[ ! -e apt.log && ! -e cache ]]
}

test_a_machine_with_an_old_sqlite_or_none_gets_one() {
  make_archive
  make_sqlite_package 3.46.1-7
  pin_sqlite_package 3.46.1-7
  for usr in none old header-only; do
    rm -rf usr cache apt.log
    case $usr in
      old)
        mkdir -p usr/lib/x86_64-linux-gnu
        touch usr/lib/x86_64-linux-gnu/libsqlite3.so
        write_sqlite_header usr 3.40.1 3040001
        ;;
      header-only) write_sqlite_header usr 3.46.1 3046001 ;;
    esac
    output=$(run_sqlite_setup 2>setup.log)
    item=$(echo "$PWD"/cache/sqlite-3.46.1-*)
    expect_equal "$output" "3.46.1 $item/include $item/lib/libsqlite3.a"
    expect_contains "$(cat setup.log)" "[1/6] SQLite 3.46.1 ... 0.0 MB ... done in"
    (cd "$item" && sha256sum --quiet -c .schemascript-manifest)
    rm apt.log
    expect_equal "$(run_sqlite_setup 2>&1)" "$output"
    [[ ! -e apt.log ]]
  done
}

test_calls_within_sqlite_are_not_the_linkers() {
  make_archive
  make_sqlite_package 3.46.1-7
  pin_sqlite_package 3.46.1-7
  read -r _ _ library < <(run_sqlite_setup 2>/dev/null)
  echo 'int sqlite3_second(void); int __wrap_sqlite3_first(void) { return 2; } int main(void) { return sqlite3_second(); }' >main.c
  gcc main.c "$library" -Wl,--wrap=sqlite3_first -o main
  expect_equal "$(./main || echo $?)" 1
}

test_a_transfer_of_sqlite_that_goes_wrong_is_repeated() {
  make_archive
  make_sqlite_package 3.46.1-7
  pin_sqlite_package 3.46.1-7
  for mood in truncate corrupt offline; do
    rm -rf cache
    echo "$mood" >mood
    expect_contains "$(run_sqlite_setup 2>&1)" "did not work, trying again"
    [[ -f $(echo cache/sqlite-3.46.1-*/lib/libsqlite3.a) ]]
    expect_equal "$(ls cache/downloads/partial)" ""
  done
}

test_a_sqlite_that_differs_from_its_pin_is_refused() {
  make_archive
  make_sqlite_package 3.46.1-7
  pin_sqlite_package 3.46.1-7
  echo another >package-libsqlite3-dev/usr/other
  dpkg-deb -Zgzip -b package-libsqlite3-dev archive/libsqlite3-dev_3.46.1-7_amd64.deb >/dev/null
  refuses run_sqlite_setup
  expect_contains "$output" "checksum of libsqlite3-dev_3.46.1-7_amd64.deb in Debian's archive differs from the pinned one"
  [[ ! -e $(echo cache/sqlite-*) ]]
}

test_a_corrected_sqlite_is_accepted_alone_and_said() {
  make_archive
  make_sqlite_package 3.46.1-7
  pin_sqlite_package 3.46.1-7
  make_sqlite_package 3.46.1-7+deb13u9
  output=$(run_sqlite_setup 2>&1)
  expect_contains "$output" "not as pinned, but signed by Debian's archive: libsqlite3-dev 3.46.1-7+deb13u9
"
  grep -q deb13u9 cache/sqlite-*/packages
  expect_equal "$(ls cache/downloads)" "libsqlite3-dev_3.46.1-7+deb13u9_amd64.deb
partial"
}

# --- The other steps ------------------------------------------------------------------------------------------

test_the_stub_has_functions_data_and_versions() {
  load
  mkdir -p lib include/wasmedge stub
  cat >llvm.c <<'END'
int LLVMFunction(void) { return 1; }
int LLVMUnused(void) { return 2; }
int _ZN4llvm4dataE[4] = {1};
_Thread_local int _ZN4llvm6threadE = 3;
END
  echo 'LLVM_77 { global: LLVM*; _ZN*; };' >llvm.map
  gcc -shared -fPIC llvm.c -o lib/libLLVM.so.77 -Wl,-soname,libLLVM.so.77 -Wl,--version-script=llvm.map
  cat >wasmedge.c <<'END'
int LLVMFunction(void);
extern int _ZN4llvm4dataE[4];
extern _Thread_local int _ZN4llvm6threadE;
const char* WasmEdge_VersionGet(void) { return _ZN4llvm4dataE[0] || _ZN4llvm6threadE ? "real" : "stub"; }
int compile(void) { return LLVMFunction(); }
END
  gcc -shared -fPIC wasmedge.c -o lib/libwasmedge.so lib/libLLVM.so.77 -Wl,-soname,libwasmedge.so -Wl,-rpath,\$ORIGIN -Wl,--enable-new-dtags
  echo 'extern "C" const char* WasmEdge_VersionGet();' >include/wasmedge/wasmedge.h
  use_wasmedge_at "$PWD"
  output=$(fill_llvm_stub "$PWD/stub")
  expect_contains "$output" "stub"
  expect_equal "$(nm -D --defined-only stub/libLLVM.so.77 | sed 's/^[^ ]* //' | sort | grep -v '^A ')" "B _ZN4llvm4dataE@@LLVM_77
B _ZN4llvm6threadE@@LLVM_77
T LLVMFunction@@LLVM_77"
}

test_a_wasmedge_without_llvm_gets_no_stub() {
  load
  mkdir -p stub lib
  echo 'int x;' >x.c
  gcc -shared -fPIC x.c -o lib/libwasmedge.so
  wasmedge_library=$PWD/lib/libwasmedge.so wasmedge_library_folder=$PWD/lib
  fill_llvm_stub "$PWD/stub"
  [[ -e stub/none ]]
}

test_wasmedge_root_must_hold_wasmedge() {
  load
  mkdir -p root/include/wasmedge root/lib64
  WASMEDGE_ROOT=$PWD/root refuses setup_wasmedge
  expect_contains "$output" "WASMEDGE_ROOT is $PWD/root, which does not hold WasmEdge"
  touch root/include/wasmedge/wasmedge.h root/lib64/libwasmedge.so
  echo '#define WASMEDGE_VERSION "0.17.1"' >root/include/wasmedge/version.h
  WASMEDGE_ROOT=$PWD/root setup_wasmedge
  expect_equal "$wasmedge_version $wasmedge_library_folder $wasmedge_prefix" "0.17.1 $PWD/root/lib64 "
}

test_missing_packages_are_named_with_their_reason() {
  load
  mkdir bin
  printf '#!/bin/sh\necho "installed g++"\necho "config-files cmake"\n' >bin/dpkg-query
  chmod +x bin/dpkg-query
  PATH=$PWD/bin:$PATH
  debian_release=12
  if has_debian_packages; then return 1; fi
  list=" ${missing_packages[*]} "
  expect_contains "$list" " cmake "
  expect_contains "$list" " libboost1.81-dev "
  [[ $list != *" g++ "* && $list != *libboost1.83* && $list != *libwasmedge* ]]
  debian_release=13
  if has_debian_packages; then return 1; fi
  list=" ${missing_packages[*]} "
  expect_contains "$list" " libboost1.83-dev "
  expect_contains "$list" " libwasmedge-dev "
  expect_equal "${#missing_packages[@]}" "${#missing_reasons[@]}"
}

test_every_package_has_a_reason() {
  awk '!/^#/ && NF < 4 { print; bad = 1 } END { exit bad }' "$setup_folder/debian.packages"
}

test_npm_runs_when_its_inputs_change() {
  load
  mkdir -p bin checkout/packages/one
  checkout=$PWD/checkout
  printf '#!/bin/sh\necho run >>../npm.log\nmkdir -p node_modules\n' >bin/npm
  chmod +x bin/npm
  PATH=$PWD/bin:$PATH
  echo '{}' >checkout/package.json
  refuses setup_npm_packages
  expect_contains "$output" "package-lock.json is missing"
  echo '{}' >checkout/package-lock.json
  setup_npm_packages 2>/dev/null
  setup_npm_packages 2>/dev/null
  expect_equal "$(wc -l <npm.log)" 1
  echo '{"name":"one"}' >checkout/packages/one/package.json
  setup_npm_packages 2>/dev/null
  rm -r checkout/node_modules
  setup_npm_packages 2>/dev/null
  expect_equal "$(wc -l <npm.log)" 3
}

# The example hosts of this file end in .example, which no real one does.
test_no_host_and_no_path_of_a_machine_is_named() {
  expect_equal "$(grep -nE 'https?://[a-z]' "$setup_folder"/* | grep -vE '[.]example|\[a-z\]')" ""
  expect_equal "$(grep -nE "(^|[ \"'=:])/(root|home|work)/" "$setup_folder"/* | grep -v '|home|')" ""
}

# --- Running them ---------------------------------------------------------------------------------------------

main() {
  local tests=("$@") name passed=0 failed=0 world
  ((${#tests[@]} > 0)) || mapfile -t tests < <(declare -F | sed -n 's/^declare -f \(test_\)/\1/p')
  for name in "${tests[@]}"; do
    world=$(mktemp -d)
    if (cd "$world" && bash "$setup_folder/setup-test.sh" --one "$name") >"$world/test.log" 2>&1; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAILED: $name"
      sed 's/^/  | /' "$world/test.log"
    fi
    rm -rf "$world"
  done
  echo "$passed passed, $failed failed"
  ((failed == 0))
}

case ${1:-} in
  --one) "$2" ;;
  --prefix-setup) prefix_setup ;;
  --sqlite-setup) sqlite_setup ;;
  *) main "$@" ;;
esac
