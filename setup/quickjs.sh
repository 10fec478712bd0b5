# QuickJS: Bellard's source as Debian 13's source package carries it, unpacked unchanged. Debian's patches are left out: both
# concern only the Makefile (a multiarch install folder, libatomic on armel). quickjs.lock pins it. Sets quickjs_source.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

setup_quickjs() {
  local kind file sha
  while read -r kind file sha; do
    case $kind in
      source) quickjs_package_version=$file ;;
      dsc) quickjs_dsc=$file quickjs_dsc_sha256=$sha ;;
      tarball) quickjs_tarball=$file quickjs_tarball_sha256=$sha ;;
    esac
  done <"$setup_folder/quickjs.lock"
  quickjs_version=${quickjs_package_version%-*}
  quickjs_source=$cache_folder/quickjs-$quickjs_version
  step "QuickJS $quickjs_version" has_quickjs make_quickjs
}

# The folder's name is the version alone, so the tarball that it came from is noted in it.
has_quickjs() {
  local from=""
  is_whole "$quickjs_source" && read -r from <"$quickjs_source/.schemascript-tarball" &&
    [[ $from == "$quickjs_tarball_sha256" ]]
}

make_quickjs() {
  bring_quickjs_tarball
  build_item "$quickjs_source" unpack_quickjs
}

bring_quickjs_tarball() {
  local tarball=$cache_folder/downloads/$quickjs_tarball
  if ! has_sha256 "$tarball" "$quickjs_tarball_sha256"; then
    open_archive "$architecture"
    retry "Fetching the source of QuickJS" fetch_quickjs ||
      fail_with_log "cannot fetch the source of QuickJS" \
        "Run this again when the network is back, or put $quickjs_tarball into $cache_folder/downloads." \
        "Its sha256 must be $quickjs_tarball_sha256."
  fi
  megabytes "$(stat -c %s "$tarball")"
  step_add "$size"
}

# A new revision of Debian's package has the same tarball; its name in the archive then leads to it as well.
fetch_quickjs() (
  cd "$cache_folder/downloads/partial" || exit 1
  status=0
  if apt-get -q source --download-only "quickjs=$quickjs_package_version"; then
    has_sha256 "$quickjs_dsc" "$quickjs_dsc_sha256" || { echo "$quickjs_dsc has the wrong checksum" && status=1; }
  else
    apt-get -q source --download-only --tar-only quickjs || status=$?
  fi
  if ! has_sha256 "$quickjs_tarball" "$quickjs_tarball_sha256"; then
    echo "$quickjs_tarball is missing or has the wrong checksum"
    status=1
  fi
  ((status)) || mv "$quickjs_tarball" "../$quickjs_tarball"
  rm -f quickjs_*
  exit "$status"
)

unpack_quickjs() {
  tar -xJf "$cache_folder/downloads/$quickjs_tarball" -C "$1" --strip-components=1 --no-same-owner
  [[ -f $1/quickjs.c && -f $1/libregexp.c ]]
  echo "$quickjs_tarball_sha256" >"$1/.schemascript-tarball"
}
