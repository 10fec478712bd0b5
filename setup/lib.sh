# Shared by every part of setup/: messages and progress, the cache folder and its lock, checksums, retries, and the
# one way in which anything is put into the cache (built beside its place, renamed into it at the end).
# Sourced, never run. Everything printed goes to standard error.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

# --- Messages -------------------------------------------------------------------------------------------------

step_number=0
step_total=6
step_title=""
step_started=0
line_open=0         # 1 while the cursor stands behind an unfinished "[2/6] WasmEdge 0.14.1 ..."
worked=0            # 1 as soon as any step had something to do; until then nothing is printed.
present_lines=()    # "[1/6] ...: present", held back until it is known that they are worth reading.
poller=""

is_terminal() { [[ -t 2 && ${TERM:-dumb} != dumb && -z ${CI:-} ]]; }

microseconds() { now=${EPOCHREALTIME/[.,]/}; }

end_line() {
  stop_poller
  if ((line_open)); then
    printf '\n' >&2
    line_open=0
  fi
}

note() {
  end_line
  printf '      %s\n' "$*" >&2
}

# Ends the setup: the first argument says what failed, each further one is a line about what to do.
die() {
  end_line
  printf 'setup: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '       %s\n' "$@" >&2
  exit 1
}

# One step: its title, a command that says whether there is nothing to do (quick, quiet, and free to set variables), and
# the command that does the work otherwise. From the first work on we hold the cache's lock; whoever held it before us may
# just have done the same work, so the question is asked again.
step() {
  step_number=$((step_number + 1))
  step_title=$1
  if "$2"; then
    local line="[$step_number/$step_total] $step_title: present"
    if ((worked)); then printf '%s\n' "$line" >&2; else present_lines+=("$line"); fi
    return
  fi
  if ((!worked)); then
    lock_cache
    worked=1
    ((${#present_lines[@]} == 0)) || printf '%s\n' "${present_lines[@]}" >&2
    if "$2"; then
      printf '[%d/%d] %s: present\n' "$step_number" "$step_total" "$step_title" >&2
      return
    fi
  fi
  microseconds
  step_started=$now
  log_file=$cache_folder/log/step-$step_number.log
  : >"$log_file"
  show_title
  "$3"
  step_done
}

show_title() {
  printf '[%d/%d] %s ...' "$step_number" "$step_total" "$step_title" >&2
  line_open=1
}

step_add() {
  if ((line_open)); then printf ' %s ...' "$1" >&2; else note "$1"; fi
}

step_done() {
  local tenths
  microseconds
  tenths=$(((now - step_started) / 100000))
  ((line_open)) || show_title
  printf ' done in %d.%d s\n' $((tenths / 10)) $((tenths % 10)) >&2
  line_open=0
}

# In a terminal, shows how much has arrived in a folder while something else fills it.
start_poller() {
  local folder=$1 setup=$$
  is_terminal && ((line_open)) || return 0
  (
    exec 9>&-
    while sleep 0.3 && kill -0 "$setup" 2>/dev/null; do
      kilobytes=$(du -sk "$folder" 2>/dev/null | cut -f1) || continue
      printf '\r\033[K[%d/%d] %s ... %d MB so far' "$step_number" "$step_total" "$step_title" \
        $((${kilobytes:-0} / 1000)) >&2
    done
  ) &
  poller=$!
}

stop_poller() {
  [[ -n $poller ]] || return 0
  kill "$poller" 2>/dev/null || true
  wait "$poller" 2>/dev/null || true
  poller=""
  printf '\r\033[K[%d/%d] %s ...' "$step_number" "$step_total" "$step_title" >&2
}

# --- The cache ------------------------------------------------------------------------------------------------

# Sets cache_folder. It ends up in linker flags and in apt's configuration, hence the modest alphabet.
find_cache_folder() {
  local home=${HOME:-}
  cache_folder=${SCHEMASCRIPT_CACHE:-}
  if [[ -z $cache_folder ]]; then
    cache_folder=${XDG_CACHE_HOME:-}
    if [[ -z $cache_folder ]]; then
      [[ -n $home ]] || home=~  # Without HOME, bash asks the password file.
      [[ $home == /* && $home != / && -d $home ]] ||
        die "HOME is not set and you have no home folder, so there is no place for the cache" \
          "Set SCHEMASCRIPT_CACHE to a folder of your choice and run this again."
      cache_folder=$home/.cache
    fi
    cache_folder+=/schemascript
  fi
  [[ $cache_folder == /* ]] || cache_folder=$PWD/$cache_folder
  cache_folder=${cache_folder%/}
  [[ $cache_folder =~ ^[A-Za-z0-9/._@+~-]+$ ]] ||
    die "the cache folder '$cache_folder' has a space or another unusual character in its name" \
      "Linkers and apt do not agree on how to write that. Set SCHEMASCRIPT_CACHE to a plainer path."
}

lock_cache() {
  mkdir -p "$cache_folder/log" "$cache_folder/downloads/partial" 2>/dev/null || true
  [[ -d $cache_folder/downloads/partial && -w $cache_folder ]] ||
    die "cannot write to the cache folder $cache_folder" \
      "Set SCHEMASCRIPT_CACHE to a folder that you may write to."
  exec 9>>"$cache_folder/lock"
  if ! flock --nonblock 9; then
    note "waiting for another setup that is using $cache_folder"
    flock 9
  fi
  # What an interrupted run left half-built. Nobody else is building now: we hold the lock.
  rm -rf "$cache_folder"/*.building "$cache_folder"/*.building.sums
}

sha256_of() {
  local line
  line=$(sha256sum -- "$1") || return 1
  sha256=${line%% *}
}

has_sha256() {
  [[ -f $1 ]] && sha256_of "$1" && [[ $sha256 == "$2" ]]
}

# A short name for a set of inputs: every argument counts.
short_hash() {
  local line
  line=$(printf '%s\n' "$@" | sha256sum)
  hash=${line:0:12}
}

# An item of the cache is a folder with a manifest, which is written last, before the folder gets its name. So a
# folder that has its name is whole; `setup --check` compares the files with the manifest as well.
readonly manifest=.schemascript-manifest

is_whole() { [[ -f $1/$manifest ]]; }

# Runs `$2...` with a fresh folder as its last argument and makes what it left there the cache item `$1`.
build_item() {
  local target=$1 building=$1.building
  shift
  rm -rf "$building"
  mkdir -p "$building"
  run_logged "$@" "$building"
  (
    cd "$building"
    find . -type f -print0 | sort -z | xargs -0 -r sha256sum >"$building.sums"
    mv "$building.sums" "$manifest"
  )
  rm -rf "$target"
  mv -T "$building" "$target"
}

check_item() {
  (cd "$1" && sha256sum --quiet --strict -c "$manifest") >/dev/null 2>&1
}

# --- Running things -------------------------------------------------------------------------------------------

log_file=/dev/null

# Runs a command that may fail, and sets `tried` to its status. Not `if command`: bash ignores `set -e` all through that.
try() {
  set +e
  (
    set -e
    "$@"
  )
  tried=$?
  set -e
}

# Runs a command with its output in this step's log, and shows the log's end when the command fails.
run_logged() {
  try "$@" >>"$log_file" 2>&1
  ((tried == 0)) || fail_with_log "'$1' failed (status $tried)"
}

fail_with_log() {
  end_line
  tail -n 25 "$log_file" | sed 's/^/      | /' >&2
  die "$step_title: $1" "The whole output is in $log_file." "${@:2}"
}

retry_delays=(2 5 15)

# Repeats a command that needs the network. `$1` names what is being done.
retry() {
  local what=$1 delay
  shift
  for delay in "${retry_delays[@]}" ""; do
    if "$@" >>"$log_file" 2>&1; then return 0; fi
    [[ -n $delay ]] || break
    note "$what did not work, trying again in $delay s"
    sleep "$delay"
  done
  return 1
}

megabytes() {
  local tenths=$((($1 + 50000) / 100000))
  if ((tenths >= 100)); then size="$((($1 + 500000) / 1000000)) MB"; else size="$((tenths / 10)).$((tenths % 10)) MB"; fi
}
