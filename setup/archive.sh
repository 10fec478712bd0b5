# Debian 13's archive, read on any Debian without touching the machine's own apt: a private configuration in the cache,
# derived from the machine's sources with the suite replaced. apt checks the archive's signatures as it always does.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

readonly archive_suite=trixie
archive_ready=0

# Reads source files of the kind `$1` (deb822 or classic) and prints those that are Debian's own, for our suite.
# `$2` is strict or loose. Strict: signed by Debian's keyring, or rooted at /debian or /debian-security. Loose, for
# mirrors with a path of their own: the last part of the path has "debian" in its name. Both: a suite of Debian's and
# the component main, and no keyring of somebody else's.
derive_sources() {
  awk -v kind="$1" -v strict="$([[ $2 == strict ]] && echo 1 || echo 0)" -v suite="$archive_suite" '
    function our_suite(name,    base) {
      base = name; sub(/(-security|-updates|\/updates)$/, "", base)
      if (base !~ /^(buster|bullseye|bookworm|trixie|forky|duke|sid|(old)*stable|testing|unstable)$/) return ""
      if (name ~ /(-security|\/updates)$/) return suite "-security"
      if (name ~ /-updates$/) return suite "-updates"
      return suite
    }
    function is_debian(uri, signed_by,    path) {
      if (uri ~ /^(cdrom|copy|file):/) return 0
      if (signed_by ~ /debian-archive/) return 1
      if (signed_by ~ /\//) return 0
      path = uri; sub(/^[a-z+]+:\/*[^\/]*/, "", path); sub(/\/[0-9]+T[0-9]+Z\/?$/, "", path); sub(/\/+$/, "", path)
      if (path ~ /^(\/archive)?\/debian(-security)?$/) return 1
      if (uri ~ /^mirror\+file:/) return uri ~ /\/debian[^\/]*$/
      return !strict && path ~ /\/[^\/]*debian[^\/]*$/
    }
    function mapped(names, separator,    list, count, i, one, seen, out) {
      count = split(names, list, " ")
      for (i = 1; i <= count; i++) {
        one = our_suite(list[i])
        if (one != "" && !(one in seen)) { seen[one] = 1; out = out (out == "" ? "" : separator) one }
      }
      return out
    }
    function end_stanza(    uris, count, list, i, suites) {
      if (tolower(field["enabled"]) !~ /^(no|false|0|off)$/ && (" " field["types"] " ") ~ / deb /  &&
          (" " field["components"] " ") ~ / main /) {
        count = split(field["uris"], list, " ")
        for (i = 1; i <= count; i++) if (is_debian(list[i], field["signed-by"])) uris = uris " " list[i]
        suites = mapped(field["suites"], " ")
        if (uris != "" && suites != "")
          printf "Types: deb deb-src\nURIs:%s\nSuites: %s\nComponents: main\n%s\n", uris, suites, others
      }
      split("", field); others = ""; name = ""
    }
    { sub(/\r$/, "") }
    /^[ \t]*#/ { next }
    kind == "deb822" && /^[ \t]*$/ { end_stanza(); next }
    kind == "deb822" && /^[ \t]/ {
      if (name in field) field[name] = field[name] " " $0
      if (keep) others = others $0 "\n"
      next
    }
    kind == "deb822" {
      if (FNR == 1 && NR > 1) end_stanza()
      name = tolower(substr($0, 1, index($0, ":") - 1))
      value = substr($0, index($0, ":") + 1); gsub(/^[ \t]+|[ \t]+$/, "", value)
      field[name] = value
      keep = name !~ /^(types|uris|suites|components|enabled|architectures|languages|targets|pdiffs)$/
      if (keep) others = others $0 "\n"
    }
    kind == "classic" && $1 == "deb" {
      line = $0; sub(/#.*/, "", line); sub(/^[ \t]*deb[ \t]+/, "", line)
      options = ""
      if (line ~ /^\[/) { options = substr(line, 1, index(line, "]")) ; line = substr(line, index(line, "]") + 1) }
      count = split(line, word, " ")
      main = 0; for (i = 3; i <= count; i++) if (word[i] == "main") main = 1
      signed_by = ""
      if (match(options, /signed-by=[^] \t]*/)) signed_by = substr(options, RSTART, RLENGTH)
      gsub(/(arch|lang|target|pdiffs)[+-]?=[^] \t]*/, "", options)
      if (options ~ /^\[[ \t]*\]$/) options = ""
      one = our_suite(word[2])
      if (main && one != "" && is_debian(word[1], signed_by) && !(word[1] one in printed)) {
        printed[word[1] one] = 1
        if (options != "") options = options " "
        printf "deb %s%s %s main\ndeb-src %s%s %s main\n", options, word[1], one, options, word[1], one
      }
    }
    END { if (kind == "deb822") end_stanza() }
  ' "${@:3}"
}

# Writes our sources to the folder `$2`, from those below the machine's apt folder `$1` (/etc/apt). 1 if there are none.
write_sources() {
  local from=$1 to=$2 how file deb822=() classic=()
  mkdir -p "$to"
  rm -f "$to"/*
  for file in "$from"/sources.list.d/*.sources; do [[ -r $file ]] && deb822+=("$file"); done
  for file in "$from"/sources.list "$from"/sources.list.d/*.list; do [[ -r $file ]] && classic+=("$file"); done
  for how in strict loose; do
    ((${#deb822[@]} == 0)) || derive_sources deb822 "$how" "${deb822[@]}" >"$to/debian.sources"
    ((${#classic[@]} == 0)) || derive_sources classic "$how" "${classic[@]}" >"$to/debian.list"
    find "$to" -type f -empty -delete
    [[ -z $(ls -A "$to") ]] || return 0
  done
  return 1
}

# Prepares the private configuration for the architecture `$1` and brings its package index up to date.
open_archive() {
  local architecture=$1 folder=$cache_folder/apt
  ((!archive_ready)) || return 0
  export APT_CONFIG=$folder/apt.conf
  mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial"
  write_sources "${SCHEMASCRIPT_APT_FOLDER:-/etc/apt}" "$folder/sources.d" ||
    die "cannot find Debian's archive among this machine's apt sources (/etc/apt/sources.list and sources.list.d)" \
      "WasmEdge, SQLite and QuickJS come from there, in the versions for Debian 13. Add your Debian mirror to apt's sources," \
      "or put the files that the lock files in setup/ name into $cache_folder/downloads." \
      "For WasmEdge alone, WASMEDGE_ROOT may also name an installation."
  # The machine's network settings (proxies, timeouts) hold for us too; its hooks, pins and default release do not.
  (
    umask 077
    {
      env -u APT_CONFIG apt-config dump |
        grep -E '^Acquire::' |
        grep -vE '^Acquire::(IndexTargets|Languages|GzipIndexes|Changelogs|CompressionTypes|Allow[A-Za-z]*|cdrom)[: ]' || true
      cat <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$folder/sources.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$folder/state";
Dir::State::lists "$folder/state/lists";
Dir::State::status "/dev/null";
Dir::Cache "$folder/cache";
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages { "none"; };
Acquire::GzipIndexes "true";
Acquire::Retries "1";
END
    } >"$APT_CONFIG"
  )
  retry "Reading Debian's package index" apt-get -q update --error-on=any ||
    fail_with_log "cannot read the package index of Debian's archive" \
      "Is the network there, and does 'apt-get update' work on this machine? Then run this again; it goes on from here."
  archive_ready=1
}

# The index is of no use any more once everything is there, and it is the largest thing after LLVM.
close_archive() {
  ((worked)) || return 0
  rm -rf "$cache_folder/apt"
  unset APT_CONFIG
}
