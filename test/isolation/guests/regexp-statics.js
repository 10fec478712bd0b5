// worker: nothing, since QuickJS has none of them
// The legacy properties that tell of the last match.
export const first = (secret) => /(.*)/.test(secret);
export const second = () =>
  ["$1", "$&", "$_", "input", "lastMatch", "lastParen", "leftContext", "rightContext"]
    .map((name) => RegExp[name])
    .filter(Boolean);
