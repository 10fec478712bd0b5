// What only the embedder sees: the hooks, what happens at load and at start, what the host is told
// about errors, and the built-in modules that build.mjs makes.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import vm from "node:vm";
import { bundleBuiltIns, bundleGlobals } from "../build.mjs";
import { createRealm, globals, qjs, runInQjs, testFolder } from "./support.mjs";

const NAMES = [
  "AbortController",
  "AbortSignal",
  "Blob",
  "ByteLengthQueuingStrategy",
  "CountQueuingStrategy",
  "CryptoKey",
  "CustomEvent",
  "DOMException",
  "Event",
  "EventTarget",
  "File",
  "FormData",
  "Headers",
  "ReadableStream",
  "Request",
  "Response",
  "SubtleCrypto",
  "TextDecoder",
  "TextDecoderStream",
  "TextEncoder",
  "TextEncoderStream",
  "TransformStream",
  "URL",
  "URLSearchParams",
  "WritableStream",
  "atob",
  "btoa",
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "navigator",
  "performance",
  "queueMicrotask",
  "reportError",
  "self",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "structuredClone",
];

test("every global is there, hidden from enumeration and replaceable", () => {
  const { context, inRealm } = createRealm();
  for (const name of NAMES) {
    const descriptor = Object.getOwnPropertyDescriptor(context, name);
    assert.deepEqual(
      {
        enumerable: descriptor?.enumerable,
        writable: descriptor?.writable,
        configurable: descriptor?.configurable,
      },
      { enumerable: false, writable: true, configurable: true },
      name,
    );
    if (typeof descriptor.value === "function") assert.equal(descriptor.value.name, name);
    if (/^[A-Z]/.test(name))
      assert.equal(inRealm(`${name}.prototype[Symbol.toStringTag] ?? "${name}"`), name);
  }
  assert.equal(inRealm("Object.keys(globalThis).length"), 0);
});

test("the hooks are out of reach after loading", () => {
  const { inRealm } = createRealm();
  assert.equal(inRealm("typeof __native"), "undefined");
  assert.equal(
    inRealm(
      "Reflect.ownKeys(globalThis).filter((key) => typeof key === 'string' && key.startsWith('__')).join()",
    ),
    "",
  );
});

test("loading reads no clock, draws no random number and starts no timer", () => {
  const refuse = (what) => () => {
    throw new Error(`${what} was used while loading`);
  };
  const context = vm.createContext(Object.create(null));
  vm.runInContext(
    "delete globalThis.console; Math.random = Date.now = () => { throw new Error('time or randomness was used while loading') };" +
      "globalThis.Date = new Proxy(Date, { construct(target, args) { if (args.length === 0) throw new Error('new Date() while loading');" +
      "return Reflect.construct(target, args); } })",
    context,
  );
  context.__native = {
    utf8Encode: () => vm.runInContext("new Uint8Array(0)", context),
    utf8Decode: () => "",
    onStart() {},
    setDescribeErrorText() {},
    ...Object.fromEntries(
      ["log", "clock", "randomFill", "setTimer", "clearTimer", "enqueueJob"].map((name) => [
        name,
        refuse(name),
      ]),
    ),
  };
  vm.runInContext(`(() => {${globals.source}\n})()`, context);
});

test("each start begins with its own time, counts and labels", async () => {
  let wall = 1_000_000;
  let monotonic = 0;
  const realm = createRealm({ clock: (kind) => (kind === 0 ? wall : monotonic) });
  assert.equal(realm.inRealm("performance.timeOrigin"), 1_000_000);
  realm.start();
  realm.inRealm("console.count(); console.time('t'); console.group('g')");
  assert.equal(realm.inRealm("performance.timeOrigin"), 1_000_000);
  wall = 2_000_000;
  monotonic = 5;
  realm.start();
  assert.equal(realm.inRealm("performance.timeOrigin"), 1_999_995);
  assert.equal(realm.inRealm("performance.now()"), 5);
  realm.inRealm("console.count(); console.timeEnd('t')");
  assert.equal(realm.output[1], "default: 1\ng\ndefault: 1\n");
  assert.equal(realm.output[2], "Warning: No such label 't' for console.timeEnd()\n");
});

test("warnings and errors go to the second stream, all else to the first", () => {
  const realm = createRealm();
  realm.inRealm(
    "for (const name of ['log', 'info', 'debug', 'warn', 'error']) console[name](name)",
  );
  realm.inRealm(
    "console.assert(false, 'why %d', 1); console.assert(0); console.assert(false, { a: 1 }); console.countReset('x')",
  );
  assert.equal(realm.output[1], "log\ninfo\ndebug\n");
  assert.equal(
    realm.output[2],
    "warn\nerror\nAssertion failed: why 1\nAssertion failed\nAssertion failed { a: 1 }\nWarning: Count for 'x' does not exist\n",
  );
});

test("console measures time", () => {
  let now = 0;
  const realm = createRealm({ clock: () => now });
  const timed = (ms) => {
    now = 0;
    realm.inRealm("console.time()");
    now = ms;
    realm.inRealm("console.timeLog('default', 'more', 1); console.timeEnd()");
  };
  for (const ms of [1.23456, 1500, 62_345, 3_723_000]) timed(ms);
  const lines = ["1.235ms", "1.500s", "1:02.345 (m:ss.mmm)", "1:02:03 (h:mm:ss)"];
  assert.equal(
    realm.output[1],
    lines.map((line) => `default: ${line} more 1\ndefault: ${line}\n`).join(""),
  );
  realm.inRealm("console.time('a'); console.time('a')");
  assert.equal(realm.output[2], "Warning: Label 'a' already exists for console.time()\n");
});

test("console.trace prints where it was called", () => {
  const realm = createRealm();
  realm.inRealm("function caller() { console.trace('at %s', 'home'); } caller()");
  assert.match(realm.output[2], /^Trace: at home\n {4}at caller /);
});

test("console shows what a promise holds where the glue can tell", () => {
  const answers = [[0], [1, 42], [2, "no"]];
  const realm = createRealm({ promiseState: () => answers.shift() });
  for (const shown of ["<pending>", "42", "<rejected> 'no'"]) {
    realm.output[1] = "";
    realm.inRealm("console.log(Promise.resolve())");
    // Where node:test watches, promises have more properties.
    assert.ok(
      realm.output[1].replace(/\s+/g, " ").startsWith(`Promise { ${shown}`),
      realm.output[1],
    );
  }
});

test("a web object prints its public state", () => {
  const realm = createRealm();
  realm.inRealm(
    "console.log(new Headers({ a: '1' }), new Blob(['x']), { deep: { deeper: { r: new Response() } } }, new AbortController())",
  );
  assert.equal(
    realm.output[1],
    "Headers { a: '1' } Blob { size: 1, type: '' } { deep: { deeper: { r: [Response] } } } AbortController { signal: AbortSignal { aborted: false } }\n",
  );
});

test("an exception in a microtask, a timer or a listener is seen", async () => {
  const realm = createRealm();
  realm.inRealm(
    "queueMicrotask(() => { throw 'microtask' }); setTimeout(() => { throw 'timer' }, 1)",
  );
  realm.inRealm(
    "{ const t = new EventTarget(); t.addEventListener('x', () => { throw new Error('listener') }); t.dispatchEvent(new Event('x')) }",
  );
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(realm.hooks.uncaught, ["microtask", "timer"]);
  assert.match(realm.output[2], /^Uncaught Error: listener\n/);
});

test("windows-1252 is not latin1", () => {
  const { inRealm } = createRealm();
  assert.equal(
    inRealm("new TextDecoder('latin1').decode(new Uint8Array([0x41, 0x80, 0x9f, 0xa0, 0xff]))"),
    "A€Ÿ\u00A0ÿ",
  );
});

test("an ArrayBuffer is transferred where the glue can detach it", () => {
  const { inRealm } = createRealm();
  assert.equal(
    inRealm(
      "{ const a = new Uint8Array([1, 2]).buffer; const b = a.transfer(3); [a.detached, a.byteLength, ...new Uint8Array(b)].join() }",
    ),
    "true,0,1,2,0",
  );
  assert.equal(
    inRealm(
      "{ const a = new ArrayBuffer(4); const b = structuredClone(a, { transfer: [a] }); [a.byteLength, b.byteLength].join() }",
    ),
    "0,4",
  );
});

// Each is evaluated in the realm; then the host asks for the description of its value.
const THROWN = {
  plain: ["new TypeError('bad')", { name: "TypeError", message: "bad" }],
  coded: [
    "Object.assign(new Error('users.email must be unique'), { name: 'SchemaScriptError', code: 'conflict', violation: 'unique', table: 'users', columns: ['email'] })",
    {
      name: "SchemaScriptError",
      code: "conflict",
      violation: "unique",
      table: "users",
      columns: ["email"],
    },
  ],
  caused: [
    "new Error('outer', { cause: new RangeError('inner', { cause: 'root' }) })",
    { cause: { name: "RangeError", cause: { name: "", message: "Uncaught root" } } },
  ],
  aggregate: [
    "new AggregateError([new Error('a'), 2], 'many')",
    { name: "AggregateError", errors: [{ message: "a" }, { message: "Uncaught 2" }] },
  ],
  number: ["42", { name: "", message: "Uncaught 42", stack: "" }],
  text: ["'text'", { message: "Uncaught text" }],
  symbol: ["Symbol('s')", { message: "Uncaught Symbol(s)" }],
  undefined: ["undefined", { message: "Uncaught undefined" }],
  object: ["({ a: 1 })", { message: "Uncaught { a: 1 }" }],
  dom: [
    "new DOMException('m', 'DataCloneError')",
    { name: "DataCloneError", message: "m", code: 25 },
  ],
  getters: [
    "Object.defineProperties(new Error(), { stack: { get() { throw 4 } }, message: { get() { throw 1 } }, name: { get() { throw 2 } }, cause: { get() { throw 3 } } })",
    { name: "Error", message: "", stack: "" },
  ],
  wrongTypes: [
    "Object.assign(new Error(), { name: 5, message: {}, stack: [], code: {}, table: 1, columns: [1], errors: 'no' })",
    { name: "Error", message: "", stack: "", columns: [] },
  ],
  proxy: [
    "new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 }, ownKeys() { throw 3 } })",
    { name: "" },
  ],
  revoked: [
    "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()",
    { name: "" },
  ],
  revokedColumns: [
    "(() => { const { proxy, revoke } = Proxy.revocable([], {}); revoke(); return Object.assign(new Error('m'), { columns: proxy, errors: proxy }) })()",
    { message: "m" },
  ],
  selfCause: [
    "(() => { const e = new Error('loop'); e.cause = e; e.errors = [e]; return e })()",
    { message: "loop", errors: [] },
  ],
  toJson: ["Object.assign(new Error('m'), { toJSON() { throw 1 } })", { message: "m" }],
};

// What user code may have done to the language before it throws.
const TAMPERING = `
  const boom = () => { throw new Error("tampered") };
  const keep = { constructor: 1, stack: 1, name: 1, message: 1, length: 1 };
  const types = [Array, String, Object, Error, Map, Set, RegExp, Function, Number, Symbol, Array.prototype.values().__proto__.constructor];
  const all = [];
  for (let i = 0; i < types.length; ++i) {
    const keys = Reflect.ownKeys(types[i].prototype);
    for (let j = 0; j < keys.length; ++j) {
      const descriptor = Reflect.getOwnPropertyDescriptor(types[i].prototype, keys[j]);
      if (keep[keys[j]] !== 1 && typeof descriptor.value === "function") all[all.length] = [types[i].prototype, keys[j]];
    }
  }
  const define = Reflect.defineProperty;
  for (let i = 0; i < all.length; ++i) define(all[i][0], all[i][1], { value: boom });
  define(Array.prototype, "0", { set: boom, get: boom, configurable: true });
  define(Object.prototype, "cause", { get: boom, configurable: true });
  define(Array.prototype, "toJSON", { value: boom });
  define(Object.prototype, "toJSON", { value: boom });
  Array.isArray = Reflect.apply = Reflect.getPrototypeOf = JSON.stringify = String = boom;
`;

function assertDescribes(description, expected, name) {
  for (const [key, value] of Object.entries(expected)) {
    if (typeof value === "object") assertDescribes(description[key] ?? {}, value, `${name}.${key}`);
    else assert.equal(description[key], value, `${name}.${key}`);
  }
  if (Array.isArray(expected)) assert.equal(description.length, expected.length, `${name}.length`);
}

for (const [name, [source, expected]] of Object.entries(THROWN)) {
  test(`the host is told about a thrown value: ${name}`, () => {
    const realm = createRealm();
    const value = realm.inRealm(source);
    const description = JSON.parse(JSON.stringify(realm.hooks.describeError(value)));
    assertDescribes(description, expected, name);
    assert.deepEqual(JSON.parse(realm.hooks.describeErrorText(value)), description);
  });
}

test("errors are described after user code has tampered with the language", () => {
  for (const name of ["plain", "coded", "aggregate", "number", "getters", "selfCause", "toJson"]) {
    const [source, expected] = THROWN[name];
    const realm = createRealm();
    const value = realm.inRealm(source);
    realm.inRealm(TAMPERING);
    assertDescribes(JSON.parse(realm.hooks.describeErrorText(value)), expected, name);
  }
});

test("the same in QuickJS", { skip: qjs === undefined && "QJS names no qjs program" }, async () => {
  const cases = JSON.stringify(Object.entries(THROWN).map(([name, [source]]) => [name, source]));
  const nativeSource = await readFile(join(testFolder, "qjs-native.js"), "utf8");
  const source =
    `const describe = __describeErrorText; const show = print; const run = eval; const values = [];` +
    `const cases = ${cases}; for (let i = 0; i < cases.length; ++i) values[i] = run(cases[i][1]); const count = cases.length;` +
    `for (let i = 0; i < count; ++i) show(describe(values[i]));` +
    `{ ${TAMPERING} } for (let i = 0; i < count; ++i) show(describe(values[i]));`;
  const lines = (await runInQjs(source, nativeSource)).trim().split("\n");
  const names = Object.keys(THROWN);
  assert.equal(lines.length, 2 * names.length);
  for (const [index, name] of names.entries()) {
    assertDescribes(JSON.parse(lines[index]), THROWN[name][1], name);
    const tampered = JSON.parse(lines[names.length + index]);
    if (["plain", "coded", "aggregate", "getters"].includes(name))
      assertDescribes(tampered, THROWN[name][1], name);
  }
  assert.match(JSON.parse(lines[0]).stack, /^ {4}at /);
});

test("a description is bounded, however deep, wide and long the error", () => {
  const realm = createRealm();
  const describe = (source) => JSON.stringify(realm.hooks.describeError(realm.inRealm(source)));
  assert.ok(
    describe(
      "{ let e = new Error('0'); for (let i = 0; i < 10000; ++i) e = new Error('' + i, { cause: e }); e }",
    ).length < 50_000,
  );
  const wide = JSON.parse(
    describe("new AggregateError(Array.from({ length: 10000 }, () => new Error('x')))"),
  );
  assert.equal(wide.errors.length, 16);
  const long = JSON.parse(describe("new Error('x'.repeat(1e6))"));
  assert.equal(long.message.length, 16_384 + "… (1000000 characters)".length);
  assert.ok(
    describe(
      "new Error('tree', { cause: (function tree(n) { return n === 0 ? new Error('leaf') : new AggregateError([tree(n - 1), tree(n - 1), tree(n - 1)]) })(7) })",
    ).length < 100_000,
  );
});

async function withPackage(use) {
  const folder = await mkdtemp(join(tmpdir(), "guest-package-"));
  try {
    await mkdir(join(folder, "src"));
    await writeFile(join(folder, "package.json"), '{ "name": "schemascript", "type": "module" }');
    await writeFile(join(folder, "src/shared.ts"), "export const declared: string[] = [];");
    await writeFile(
      join(folder, "src/index.ts"),
      'import { sqliteTable, text } from "drizzle-orm/sqlite-core"; import { declared } from "./shared.ts";' +
        "export const declare = (name: string) => { declared.push(name); return sqliteTable(name, { a: text() }); };",
    );
    await writeFile(
      join(folder, "src/internal.ts"),
      'export { declared } from "./shared.ts"; export { drizzle } from "drizzle-orm/sqlite-proxy";',
    );
    const drizzle = new URL(import.meta.resolve("drizzle-orm"));
    await symlink(drizzle.pathname.replace(/\/drizzle-orm\/.*$/, ""), join(folder, "node_modules"));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the built-in modules share one drizzle-orm, import by table name, in order", async (t) => {
  try {
    import.meta.resolve("drizzle-orm");
  } catch {
    return t.skip("drizzle-orm is not installed");
  }
  await withPackage(async (folder) => {
    const { modules } = await bundleBuiltIns(folder);
    const seen = new Set();
    for (const { name, source } of modules) {
      for (const [, specifier] of source.matchAll(
        /(?:^import|^\} from|^export .*? from) "([^"]+)"/gm,
      )) {
        assert.ok(
          seen.has(specifier),
          `${name} imports ${specifier}, which does not come before it`,
        );
      }
      assert.ok(!source.includes('"./chunk-'), `${name} still has a file's name`);
      seen.add(name);
    }
    for (const name of [
      "schemascript",
      "schemascript/internal",
      "drizzle-orm",
      "drizzle-orm/sqlite-core",
      "drizzle-orm/sqlite-proxy",
    ]) {
      assert.ok(seen.has(name), name);
    }
    assert.equal(
      modules.filter(({ source }) => /\b(?:var|class) SQL\b.*\{?/m.test(source)).length,
      1,
      "one class SQL",
    );
    assert.deepEqual((await bundleBuiltIns(folder)).modules, modules, "the same bytes again");
  });
});

test("the globals are the same bytes again", async () => {
  assert.deepEqual((await bundleGlobals()).modules[0], globals);
  assert.doesNotMatch(globals.source, /^(?:import|export) /m);
});

test("conditions of the guest are Drizzle's", async () => {
  const drizzle = await import("drizzle-orm/sql/expressions/conditions");
  const ours = await import("../src/drizzle-conditions.js");
  assert.deepEqual(Object.keys(ours).sort(), Object.keys(drizzle).sort());
  const { sql, Param } = await import("drizzle-orm");
  const { integer, sqliteTable } = await import("drizzle-orm/sqlite-core");
  const table = sqliteTable("t", { id: integer("id"), on: integer("on", { mode: "boolean" }) });
  const values = [
    ...[1, 1n, "a", true, null, undefined, Symbol.iterator, () => 1, new Date(0), {}, [1]],
    ...[sql`1`, sql.placeholder("x"), new Param(1, table.id), table.id, table],
    { getSQL: () => sql`2` },
  ];
  for (const name of ["eq", "ne", "gt", "gte", "lt", "lte"]) {
    for (const left of [table.id, table.on, sql`abs(1)`, 5]) {
      for (const right of values) {
        assert.deepEqual(ours[name](left, right), drizzle[name](left, right), name);
      }
    }
  }
  const [one, two] = [drizzle.eq(table.id, 1), sql`2`];
  for (const conditions of [
    [],
    [undefined],
    [one],
    [undefined, two],
    [one, two],
    [one, two, one],
  ]) {
    for (const name of ["and", "or"]) {
      assert.deepEqual(ours[name](...conditions), drizzle[name](...conditions), name);
    }
  }
});
