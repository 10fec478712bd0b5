# Binary packages of Debian 13's archive, pinned by lock files: which, and bringing them to downloads/.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

# Sets the arrays pinned_name, pinned_version and pinned_sha256 from the lines of the lock file `$1` for our architecture.
read_pins() {
  local lock=$1 pinned_for name version sha
  pinned_name=() pinned_version=() pinned_sha256=()
  while read -r pinned_for name version sha; do
    [[ $pinned_for == "$architecture" ]] || continue
    pinned_name+=("$name") pinned_version+=("$version") pinned_sha256+=("$sha")
  done <"$setup_folder/$lock"
  ((${#pinned_name[@]} > 0)) ||
    die "setup/$lock has no packages for the architecture $architecture" \
      "Add the pins with setup/update-lock $architecture."
}

# How apt writes a package's file name: the epoch's colon is escaped.
deb_name() { deb=$1_${2//:/%3a}_$architecture.deb; }

# Makes sure that every pinned package is in downloads/, whole, and lists their files in debs. Goes to the archive only for
# what is not there. `$1` is what they make up, `$2` the package that needs them all, `$3` how those are called that must
# be as pinned. With `$4` alone, what else `$2` needs is not of interest.
bring_packages() {
  local i missing=() bytes=0
  debs=()
  for i in "${!pinned_name[@]}"; do
    deb_name "${pinned_name[i]}" "${pinned_version[i]}"
    debs+=("$deb")
    has_sha256 "$cache_folder/downloads/$deb" "${pinned_sha256[i]}" || missing+=("$i")
  done
  if ((${#missing[@]} > 0)); then
    open_archive "$architecture"
    fetch_packages "$@" -- "${missing[@]}"
  fi
  for deb in "${debs[@]}"; do bytes=$((bytes + $(stat -c %s "$cache_folder/downloads/$deb"))); done
  megabytes "$bytes"
  step_add "$size"
}

# Fetches the pinned packages whose indexes are given behind `--`; what is before it is bring_packages'. Debian replaces
# a library when it is corrected (a point release, a security update, or a machine that does not read the security archive);
# the archive's signature vouches for the other version. Those that are called like `$3` must be as pinned.
fetch_packages() {
  local title=$1 root=$2 exact=$3 alone=$4 i name version wanted=() other=() closure known
  shift 5
  declare -A candidate=() expected=() index=()
  known=$(apt-cache madison "${pinned_name[@]}" 2>>"$log_file" | awk -F' *[|] *' '{ gsub(/ /, "", $1); print $1 "=" $2 }')
  closure=$(apt-get -s install "$root" 2>>"$log_file" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p') ||
    fail_with_log "the archive cannot install $root"
  while read -r name version; do candidate[$name]=$version; done <<<"$closure"
  for i in "${!pinned_name[@]}"; do index[${pinned_name[i]}]=$i; done

  for i in "$@"; do
    name=${pinned_name[i]} version=${pinned_version[i]}
    if ! grep -qxF -- "$name=$version" <<<"$known"; then
      # shellcheck disable=SC2053  # A pattern.
      [[ $name != $exact ]] ||
        die "Debian's archive no longer has $name $version, which is pinned in setup/" \
          "It has: ${candidate[$name]:-no such package}. Renew the pins with setup/update-lock and run the tests."
      version=${candidate[$name]:-}
      [[ -n $version ]] || continue  # The others no longer need it.
      other+=("$name $version")
      deb_name "$name" "$version"
      debs[i]=$deb
    fi
    wanted+=("$name=$version")
  done
  if ((${#other[@]} > 0)); then
    # Other versions may need packages that the pinned ones did not.
    for name in "${!candidate[@]}"; do
      [[ -n $name && -z ${index[$name]:-} && $alone != alone ]] || continue
      version=${candidate[$name]}
      other+=("$name $version")
      wanted+=("$name=$version")
      deb_name "$name" "$version"
      debs+=("$deb")
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
    [[ ${debs[i]} == "$deb" ]] || continue
    [[ ${expected[$deb]:-} == "${pinned_sha256[i]}" ]] ||
      die "the checksum of $deb in Debian's archive differs from the pinned one" \
        "pinned:  ${pinned_sha256[i]}" "archive: ${expected[$deb]:-none}" \
        "A published package never changes. Do not go on: find out who changed it, the lock file or the mirror."
  done
  start_poller "$cache_folder/downloads/partial"
  retry "Fetching the packages of $title" fetch_debs ||
    fail_with_log "cannot fetch the packages of $title" \
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
