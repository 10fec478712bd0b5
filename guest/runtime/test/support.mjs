// Runs a bundled guest program in three places: Node itself (the oracle), a bare V8 realm with the
// guest's globals over a mock of the C++ glue, and, when QJS names one, a stock qjs over
// qjs-native.js.
import * as esbuild from "esbuild";
import { execFile } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import vm from "node:vm";
import { bundleGlobals } from "../build.mjs";

export const testFolder = dirname(fileURLToPath(import.meta.url));
export const qjs = process.env.QJS;
const run = promisify(execFile);

export const globals = (await bundleGlobals()).modules[0];

/** One guest test file as a plain ES module. */
export async function bundleTest(file) {
  const result = await esbuild.build({
    entryPoints: [join(testFolder, file)],
    bundle: true,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    charset: "utf8",
    write: false,
  });
  return result.outputFiles[0].text;
}

/** A realm that has the language, `__native` and nothing else, in which the globals were evaluated. */
export function createRealm(overrides = {}) {
  const context = vm.createContext(Object.create(null));
  const output = { 1: "", 2: "" };
  const starts = [];
  const hooks = { describeError: undefined, uncaught: [] };
  const inRealm = (source) => vm.runInContext(source, context);
  inRealm("delete globalThis.console; delete globalThis.WebAssembly;");
  const makeBytes = inRealm("(length) => new Uint8Array(length)");
  const RealmTypeError = inRealm("TypeError");
  const encoder = new TextEncoder();
  const timers = new Map();
  let nextTimer = 1;
  const guarded = (callback) => () => {
    try {
      callback();
    } catch (error) {
      hooks.uncaught.push(error);
    }
  };
  const native = {
    log: (stream, text) => void (output[stream] += text),
    clock: (kind) =>
      starts.started ? (kind === 0 ? Date.now() : performance.now() - starts.at) : 0,
    randomFill: (bytes) => void randomFillSync(bytes),
    utf8Encode(text) {
      const encoded = encoder.encode(text);
      const bytes = makeBytes(encoded.length);
      bytes.set(encoded);
      return bytes;
    },
    utf8Decode(bytes, fatal) {
      try {
        return new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(bytes);
      } catch (error) {
        throw new RealmTypeError(error.message);
      }
    },
    cleanHeaderName(name) {
      return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) ? name.toLowerCase() : undefined;
    },
    cleanHeaderValue(value) {
      const text = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
      return /[\0\n\r]|[^\x00-\xff]/.test(text) ? undefined : text;
    },
    setTimer(callback, delay, repeat) {
      const id = nextTimer++;
      timers.set(id, (repeat ? setInterval : setTimeout)(guarded(callback), delay));
      return id;
    },
    clearTimer: (id) => void (clearTimeout(timers.get(id)), timers.delete(id)),
    enqueueJob: (callback) => queueMicrotask(guarded(callback)),
    onStart: (callback) => void starts.push(callback),
    detachArrayBuffer: (buffer) => void structuredClone(buffer, { transfer: [buffer] }),
    setDescribeErrorText: (describe) => {
      hooks.describeErrorText = describe;
      hooks.describeError = (error) => JSON.parse(describe(error));
    },
    ...overrides,
  };
  context.__native = native;
  // A function around it: a script's own names would be globals, a module's are not.
  vm.runInContext(`(() => {${globals.source}\n})()`, context, { filename: globals.file });
  const start = () => {
    starts.started = true;
    starts.at = performance.now();
    for (const callback of starts) callback();
  };
  return { context, output, hooks, timers, inRealm, start };
}

/** What the program prints to standard output, in the bare realm. */
export async function runInRealm(source) {
  const realm = createRealm();
  realm.start();
  vm.runInContext(`"use strict"; (() => {${source}\n})()`, realm.context);
  for (const deadline = Date.now() + 30_000; !/^# \d+ cases/m.test(realm.output[1]); ) {
    if (Date.now() > deadline)
      throw new Error(`the program did not end; it printed:\n${realm.output[1]}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return realm.output[1];
}

async function withFiles(files, use) {
  const folder = await mkdtemp(join(tmpdir(), "guest-runtime-"));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export function runInNode(source) {
  return withFiles(
    { "test.mjs": source },
    async (folder) => (await run(process.execPath, [join(folder, "test.mjs")])).stdout,
  );
}

/**
 * The same in the real engine. Its own program ends at a rejection that has no handler yet; the guest's glue waits until the jobs
 * have run, as the standard says.
 */
export function runInQjs(source, nativeSource) {
  const files = {
    "native.js": nativeSource,
    "globals.js": globals.source,
    "start.js": "__start();",
    "test.js": source,
    "main.js": ["native", "globals", "start", "test"]
      .map((name) => `import "./${name}.js";`)
      .join("\n"),
  };
  return withFiles(
    files,
    async (folder) =>
      (
        await run(qjs, ["--no-unhandled-rejection", "-m", join(folder, "main.js")], {
          maxBuffer: 1 << 26,
        })
      ).stdout,
  );
}
