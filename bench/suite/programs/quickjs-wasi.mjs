// node quickjs-wasi.mjs ROLE [ARGUMENT]: QuickJS in WebAssembly, which V8 compiles, with better-sqlite3 behind a bridge of JSON.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import Database from "better-sqlite3";
import { QuickJS } from "quickjs-wasi";
import { database, lines, PRAGMAS } from "./common.mjs";
import { jsonHost } from "./json-bridge.mjs";
import { play } from "../roles.mjs";

const require = createRequire(import.meta.url);
const guest = readFileSync(new URL("quickjs-guest.js", import.meta.url), "utf8");
const wasm = new WebAssembly.Module(readFileSync(require.resolve("quickjs-wasi/quickjs.wasm")));
const sqlite = new Database(database());
for (const pragma of PRAGMAS) sqlite.pragma(pragma);
const query = jsonHost(sqlite);

async function newGuest(print) {
  const vm = await QuickJS.create({ wasm });
  const functions = {
    hostQuery: (text) => vm.newString(query(text.toString())),
    hostExecute: (text) => (sqlite.exec(text.toString()), vm.undefined),
    hostNow: () => vm.newNumber(performance.now()),
    hostPrint: (text) => (print(text.toString()), vm.undefined),
  };
  for (const [name, value] of Object.entries(functions)) {
    const handle = vm.newFunction(name, value);
    vm.setProp(vm.global, name, handle);
    handle.dispose();
  }
  vm.evalCode(guest, "guest.js").dispose();
  return vm;
}

async function evaluate(vm, code) {
  const promise = vm.evalCode(code, "call.js");
  vm.executePendingJobs();
  const result = await vm.resolvePromise(promise);
  if (result.error) throw new Error(`the guest: ${result.error.toString()}`);
  promise.dispose();
}

async function rowIn(guestAndRow, id) {
  await evaluate(guestAndRow.vm, `tellRow(${id})`);
  return guestAndRow.row;
}

async function newSandbox(id = 4242) {
  const made = {};
  made.vm = await newGuest((text) => (made.row = JSON.parse(text)));
  await rowIn(made, id);
  return { ...made, end: () => made.vm.dispose() };
}

const print = (text) => process.stdout.write(`${text}\n`);
const words = process.argv.slice(2);
if (["start", "bench"].includes(words[0])) {
  await evaluate(await newGuest(print), `playRole(...${JSON.stringify(words)})`);
} else {
  await play(words, {
    print,
    lines,
    newSandbox,
    collect: () => globalThis.gc?.(),
    open: () => newSandbox().then((one) => ({ ...one, raw: { get: () => () => undefined } })),
    serve: (port) => {
      const made = {};
      newGuest((text) => (made.text = text)).then((vm) => {
        createServer(async (request, response) => {
          await evaluate(vm, `tellRow(${Number(request.url.slice("/user/".length))})`);
          response.writeHead(200, { "content-type": "application/json" });
          response.end(made.text);
        }).listen(port, "127.0.0.1");
      });
    },
  });
}
