# SQLite: the machine's, if it is new enough, else that of Debian 13's libsqlite3-dev, as a static library: guests reach defects of
# 3.40, Debian 12's. sqlite.lock pins the package. Sets sqlite_include, sqlite_library and sqlite_version.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

readonly sqlite_oldest=3046000  # As sqlite3.h numbers versions; the C++ code is written for this one and newer ones.

# True if `$1` has a SQLite that can be linked to; sets the variables above to it, and sqlite_number.
use_sqlite_at() {
  local root=$1 library line
  [[ -f $root/include/sqlite3.h ]] || return 1
  sqlite_include=$root/include sqlite_library="" sqlite_version="" sqlite_number=0
  for library in "$root/lib/$multiarch/libsqlite3.so" "$root/lib/libsqlite3.a"; do
    [[ ! -e $library ]] || sqlite_library=$library
  done
  [[ -n $sqlite_library ]] || return 1
  while read -r line; do
    if [[ $line =~ ^#define\ SQLITE_VERSION\ +\"(.*)\" ]]; then sqlite_version=${BASH_REMATCH[1]}; fi
    if [[ $line =~ ^#define\ SQLITE_VERSION_NUMBER\ +([0-9]+) ]]; then sqlite_number=${BASH_REMATCH[1]} && break; fi
  done <"$sqlite_include/sqlite3.h"
  [[ -n $sqlite_version ]]
}

# `$1` is where the machine has its own: /usr.
setup_sqlite() {
  local machine=$1
  if use_sqlite_at "$machine" && ((sqlite_number >= sqlite_oldest)); then
    step "SQLite $sqlite_version (this system's)" nothing_to_do
    return
  fi
  read_pins sqlite.lock
  short_hash 1 "$architecture" "${pinned_sha256[@]}"
  sqlite_item=$cache_folder/sqlite-${pinned_version[0]%%[+-]*}-$hash
  step "SQLite ${pinned_version[0]%%[+-]*}" has_sqlite make_sqlite
}

has_sqlite() { is_whole "$sqlite_item" && use_sqlite_at "$sqlite_item"; }

make_sqlite() {
  bring_packages SQLite libsqlite3-dev "" alone
  build_item "$sqlite_item" unpack_sqlite
  use_sqlite_at "$sqlite_item" || die "the package of SQLite does not hold what was expected, see $sqlite_item"
}

# The library becomes one object, as SQLite's own amalgamation is: its calls of itself are then no concern of the linker,
# neither of its --wrap, by which tests let our calls fail.
unpack_sqlite() {
  local folder=$1 unpacked=$1/unpacked
  dpkg-deb -x "$cache_folder/downloads/${debs[0]}" "$unpacked"
  mkdir "$folder/include" "$folder/lib"
  mv "$unpacked/usr/include/sqlite3.h" "$folder/include"
  ld -r --whole-archive "$unpacked/usr/lib/$multiarch/libsqlite3.a" -o "$folder/sqlite3.o"
  ar rcsD "$folder/lib/libsqlite3.a" "$folder/sqlite3.o"
  rm -r "$unpacked" "$folder/sqlite3.o"
  printf '%s\n' "${debs[@]}" >"$folder/packages"
  start_with_sqlite "$folder"
}

# That the header is that of the library, and the library runs with this machine's C library and has what the host needs of it,
# is better found out here than in a test.
start_with_sqlite() {
  local folder=$1
  cat >"$folder/start.cc" <<'END'
#include <sqlite3.h>
#include <cstdio>
#include <cstring>
int main() {
  if (std::strcmp(sqlite3_sourceid(), SQLITE_SOURCE_ID) != 0) return std::puts("the header is of another version"), 1;
  sqlite3* database = nullptr;
  char* message = nullptr;
  if (sqlite3_open(":memory:", &database) == SQLITE_OK) {
    sqlite3_exec(database, "create virtual table f using fts5 (a); create virtual table r using rtree (a, b, c); select pow(2, 3)",
                 nullptr, nullptr, &message);
  }
  std::printf("%s %s\n", sqlite3_libversion(), message ? message : "starts");
  return message != nullptr;
}
END
  g++ -O1 -I"$folder/include" "$folder/start.cc" "$folder/lib/libsqlite3.a" -o "$folder/start"
  "$folder/start"
  rm "$folder/start" "$folder/start.cc"
}
