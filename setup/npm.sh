# The npm packages of the workspace, as package-lock.json names them, in node_modules of the checkout. `npm ci` checks
# each one's hash. The registry is the one that npm is configured with.
# shellcheck shell=bash disable=SC2034,SC2154  # Variables are shared between the files that setup sources.

setup_npm_packages() {
  npm_stamp=$checkout/node_modules/.schemascript-setup
  step "npm packages" has_npm_packages bring_npm_packages
}

# The stamp holds the hash of all that decides what `npm ci` does.
has_npm_packages() {
  local inputs=("$checkout/package.json") file stamp=""
  for file in "$checkout"/package-lock.json "$checkout"/.npmrc "$checkout"/packages/*/package.json \
    "$checkout"/guest/*/package.json "$checkout"/examples/*/package.json; do
    [[ ! -f $file ]] || inputs+=("$file")
  done
  npm_inputs=$(cd "$checkout" && sha256sum "${inputs[@]#"$checkout"/}" <&- | sha256sum)
  npm_inputs=${npm_inputs%% *}
  [[ -f $npm_stamp ]] && read -r stamp <"$npm_stamp" && [[ $stamp == "$npm_inputs" ]]
}

bring_npm_packages() {
  [[ -f $checkout/package-lock.json ]] ||
    die "package-lock.json is missing, and only what it pins gets installed" \
      "Restore it from git. To write a new one: npm install --package-lock-only"
  [[ -w $checkout ]] || die "cannot write to $checkout, where node_modules belongs"
  rm -f "$npm_stamp"
  start_poller "$checkout/node_modules"
  retry "npm ci" npm_ci ||
    fail_with_log "'npm ci' failed" \
      "If the lock file and a package.json disagree, run 'npm install' and commit package-lock.json." \
      "If it was the network: 'npm ping' must work. Then run this again."
  stop_poller
  echo "$npm_inputs" >"$npm_stamp.building"
  mv "$npm_stamp.building" "$npm_stamp"
}

# A cache that was damaged is npm's to notice (it checks hashes) and to fetch again. npm has been seen to wait for ever
# when it could not speak to the registry, hence the time limit.
npm_ci() {
  (cd "$checkout" && timeout --foreground --kill-after=5 600 npm ci --include=dev --cache "$cache_folder/npm" --prefer-offline --no-audit --no-fund \
    --no-progress --fetch-retries 2 --fetch-retry-mintimeout 1000 --fetch-retry-maxtimeout 5000 </dev/null)
}
