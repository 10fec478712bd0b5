// What QuickJS in WebAssembly evaluates: the roles, for programs/quickjs-wasi.mjs, which gives it its functions.
import { overJson } from "./json-bridge.mjs";
import { play, firstRow } from "../roles.mjs";

const db = overJson(globalThis.hostQuery);
const runtime = {
  db,
  async: true,
  now: globalThis.hostNow,
  transaction: async (work) => {
    globalThis.hostExecute("begin");
    const result = await work(db);
    globalThis.hostExecute("commit");
    return result;
  },
};

globalThis.playRole = (...words) =>
  play(words, { open: () => runtime, print: globalThis.hostPrint });
globalThis.tellRow = async (id) =>
  globalThis.hostPrint(JSON.stringify(await firstRow(runtime, id)));
