// Attack: looks for what an engine's command line offers: files, processes, workers.
// Ends: call answered []
export const attack = () =>
  [
    "std",
    "os",
    "bjson",
    "scriptArgs",
    "loadFile",
    "require",
    "process",
    "Deno",
    "Bun",
    "Worker",
    "SharedWorker",
    "WebAssembly",
    "importScripts",
    "load",
    "read",
    "readFile",
    "print",
    "gc",
    "XMLHttpRequest",
    "WebSocket",
    "__native",
  ].filter((name) => name in globalThis);
