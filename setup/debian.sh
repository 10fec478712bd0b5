# The machine's Debian packages: which are missing (one dpkg-query), and their installation, as root or through sudo.
# debian.packages lists them.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

setup_debian_packages() {
  check_system
  step "Debian packages" has_debian_packages install_debian_packages
  check_node
}

# Debian's release as a number; testing and unstable have none and count as the newest.
check_system() {
  local key value id="" like=""
  debian_release=99
  if [[ -r /etc/os-release ]]; then
    while IFS='=' read -r key value; do
      value=${value//\"/}
      case $key in
        ID) id=$value ;;
        ID_LIKE) like=$value ;;
        VERSION_ID) debian_release=${value%%.*} ;;
      esac
    done </etc/os-release
  fi
  [[ $id == debian ]] ||
    die "this is not Debian (${id:-unknown}${like:+, like $like}), and the setup knows only Debian 12 and newer" \
      "Build in a Debian 12 or 13 container, for example from the image debian:12."
  ((debian_release >= 12)) || die "this is Debian $debian_release; the setup needs Debian 12 or newer"
}

# Sets missing_packages and missing_reasons.
has_debian_packages() {
  local package when why installed=$'\n' wanted=() reasons=() i
  while read -r package when why; do
    [[ -n $package && $package != \#* ]] || continue
    case $when in
      always) ;;
      debian12) ((debian_release == 12)) || continue ;;
      debian13+) ((debian_release >= 13)) || continue ;;
      no-node) ! command -v node >/dev/null || continue ;;
      no-npm) ! command -v npm >/dev/null || continue ;;
      no-wasmedge)
        ((debian_release >= 13)) || continue
        [[ -z ${WASMEDGE_ROOT:-} ]] || continue
        ! use_wasmedge_at /usr/local || continue
        ;;
      *) die "setup/debian.packages: '$when' of $package is not a known condition" ;;
    esac
    wanted+=("$package") reasons+=("$why")
  done <"$setup_folder/debian.packages"
  # shellcheck disable=SC2016  # The format is dpkg-query's.
  installed+=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)$'\n'
  missing_packages=() missing_reasons=()
  for i in "${!wanted[@]}"; do
    [[ $installed != *$'\n'"installed ${wanted[i]}"$'\n'* ]] || continue
    missing_packages+=("${wanted[i]}") missing_reasons+=("${reasons[i]}")
  done
  ((${#missing_packages[@]} == 0))
}

install_debian_packages() {
  local as_root=() i lines=()
  if ((EUID != 0)); then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    elif command -v sudo >/dev/null && [[ -t 0 && -t 2 ]]; then
      note "sudo will ask for your password, to install: ${missing_packages[*]}"
      sudo -v || true
      as_root=(sudo)
    fi
    if ((${#as_root[@]} == 0)) || ! "${as_root[@]}" -n true 2>/dev/null; then
      for i in "${!missing_packages[@]}"; do
        lines+=("$(printf '  %-26s %s' "${missing_packages[i]}" "${missing_reasons[i]}")")
      done
      die "Debian packages are missing, and installing them takes root or sudo, which I do not have:" \
        "${lines[@]}" "Have them installed with:" "  apt-get install --no-install-recommends ${missing_packages[*]}" \
        "and run this again."
    fi
  fi
  # Through sudo the environment is not passed on, hence env.
  apt_as_root=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600)
  step_add "${#missing_packages[@]} to install"
  if ! (
    [[ $(apt-cache policy "${missing_packages[@]}" | grep -cE '^  Candidate: [^(]') == "${#missing_packages[@]}" ]] &&
      run_apt_install
  ) >>"$log_file" 2>&1; then
    # The machine's package index is absent or too old.
    retry "Updating the machine's package index" "${apt_as_root[@]}" update ||
      fail_with_log "'apt-get update' fails on this machine" "Is the network there? Repair that, and run this again."
    retry "Installing Debian packages" run_apt_install ||
      fail_with_log "'apt-get install' failed for: ${missing_packages[*]}"
  fi
  has_debian_packages || fail_with_log "apt installed without complaint, but these are still missing: ${missing_packages[*]}"
  hash -r
}

run_apt_install() { "${apt_as_root[@]}" install --no-install-recommends "${missing_packages[@]}" </dev/null; }

# Asking node for its version takes longer than all the rest of a setup with nothing to do, so a node that was good is
# remembered by its file's size and time.
check_node() {
  local node seen="" is version
  node=$(command -v node) || die "node is not in PATH, although the package nodejs is installed"
  is=$(stat -L -c '%n %s %Y' "$node")
  [[ ! -f $cache_folder/node ]] || read -r seen <"$cache_folder/node" || true
  [[ $seen != "$is" ]] || return 0
  version=$("$node" --version) || die "$node does not start"
  version=${version#v}
  ((${version%%.*} >= 18)) ||
    die "node is too old: $node is version $version, and the TypeScript tools need 18 or newer" \
      "Debian 12 and newer have one: apt-get install nodejs npm (and see that it comes first in PATH)."
  mkdir -p "$cache_folder" 2>/dev/null || true
  [[ -w $cache_folder ]] ||
    die "cannot write to the cache folder $cache_folder" "Set SCHEMASCRIPT_CACHE to a folder that you may write to."
  echo "$is" >"$cache_folder/node"
}
