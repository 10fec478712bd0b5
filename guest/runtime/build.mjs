// Bundles the JavaScript half of the guest: the globals of the base snapshot, and the built-in
// modules with one shared copy of drizzle-orm. CMake calls it:
//
//     node build.mjs --out DIR [--package packages/schemascript]
//
// DIR receives the module sources, manifest.d (what they were made of, for ninja) and manifest.json:
//
//     { "modules": [{ "name": "schemascript:globals", "file": "globals.js" },
//                   { "name": "schemascript:chunk-1", "file": "chunk-1.js" }, ...
//                   { "name": "drizzle-orm", "file": "drizzle-orm.js" }, ...] }
//
// Every import specifier inside the sources is literally a "name" of the manifest, so the guest's
// module loader is a lookup in that table and nothing else. The order is that of evaluation: the
// globals, then each module after all that it imports. The same inputs give the same bytes.
import * as esbuild from "esbuild";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));

const GLOBALS = "schemascript:globals";
const CHUNK_PREFIX = "schemascript:chunk-";

/** The built-in modules: what a program may import, where it comes from, and its file. */
const BUILT_IN = [
  { name: "drizzle-orm", entry: "drizzle-orm", file: "drizzle-orm" },
  {
    name: "drizzle-orm/sqlite-core",
    entry: "drizzle-orm/sqlite-core",
    file: "drizzle-orm-sqlite-core",
  },
  {
    name: "drizzle-orm/sqlite-proxy",
    entry: "drizzle-orm/sqlite-proxy",
    file: "drizzle-orm-sqlite-proxy",
  },
  { name: "schemascript/internal", entry: "./src/internal.ts", file: "schemascript-internal" },
  { name: "schemascript", entry: "./src/index.ts", file: "schemascript" },
];

const COMMON = {
  bundle: true,
  format: "esm",
  target: "es2023",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["import", "default"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  write: false,
  metafile: true,
};

// Replaces exactly one occurrence, so that a new version of the library cannot slip through
// unpatched.
function replaceOnce(source, pattern, replacement, what) {
  const count = source.match(new RegExp(pattern, "g"))?.length ?? 0;
  if (count !== 1)
    throw new Error(
      `there are ${count} places for ${what}, not 1; look at the patches in build.mjs`,
    );
  return source.replace(pattern, replacement);
}

/** Adapts libraries to this engine; why is said where the stand-ins are. */
const adaptLibraries = {
  name: "adapt-libraries",
  setup(build) {
    const errorStack = JSON.stringify(join(here, "src/error-stack.cjs"));
    build.onLoad(
      { filter: /node-inspect-extracted[\\/]dist[\\/]inspect\.js$/ },
      async ({ path }) => {
        let contents = await readFile(path, "utf8");
        contents = replaceOnce(
          contents,
          /try\{(\w+)=(\w+)\.stack\}catch/,
          `try{$1=require(${errorStack}).errorStack($2)}catch`,
          "error.stack in node-inspect-extracted",
        );
        // This engine is built without threads, so it has no Atomics; nor does the formatter use it.
        contents = replaceOnce(
          contents,
          /\["Atomics",("JSON","Math")/,
          "[$1",
          "Atomics in node-inspect-extracted",
        );
        const [, pending, rejected] =
          /constants:\{kPending:(\w+),kRejected:(\w+),/.exec(contents) ?? [];
        contents = replaceOnce(
          contents,
          /getPromiseDetails:\(\)=>\[\w+,void 0\]/,
          `getPromiseDetails(p){const [s,v]=require(${errorStack}).promiseState(p);return[[${pending},1,${rejected}][s],v]}`,
          "promises in node-inspect-extracted",
        );
        if (pending === undefined)
          throw new Error("node-inspect-extracted has no kPending; look at build.mjs");
        return { contents, loader: "js" };
      },
    );
    // The one random number that was drawn while loading. It sets several copies of core-js apart,
    // but there is one only.
    build.onLoad({ filter: /core-js[\\/]internals[\\/]uid\.js$/ }, async ({ path }) => {
      const contents = replaceOnce(
        await readFile(path, "utf8"),
        /Math\.random\(\)/,
        "0",
        "Math.random in core-js",
      );
      return { contents, loader: "js" };
    });
    // Where an ArrayBuffer cannot be detached it is passed on as it is, which is the library's own
    // last resort; core-js's structuredClone would refuse.
    build.onLoad(
      { filter: /web-streams-polyfill[\\/]dist[\\/]ponyfill\.mjs$/ },
      async ({ path }) => {
        const contents = replaceOnce(
          await readFile(path, "utf8"),
          /"function"==typeof structuredClone\?\w+=>structuredClone\(\w+,\{transfer:\[\w+\]\}\):(?=\w+=>\w+)/,
          "",
          "structuredClone in web-streams-polyfill",
        );
        return { contents, loader: "js" };
      },
    );
    // It goes through a text letter by letter, 10 us for a short one. The engine has a function for it.
    build.onLoad({ filter: /webidl-conversions[\\/]lib[\\/]index\.js$/ }, async ({ path }) => {
      const contents = replaceOnce(
        await readFile(path, "utf8"),
        /(exports\.USVString = \(value, options = \{\}\) => \{\n)  const S = [\s\S]*?\n\};/,
        "$1  return exports.DOMString(value, options).toWellFormed();\n};",
        "USVString in webidl-conversions",
      );
      return { contents, loader: "js" };
    });
    build.onLoad({ filter: /whatwg-url[\\/]lib[\\/]urlencoded\.js$/ }, async ({ path }) => {
      const plainQuery = JSON.stringify(join(here, "src/plain-query.cjs"));
      const contents = replaceOnce(
        await readFile(path, "utf8"),
        /return parseUrlencoded\(utf8Encode\(input\)\);/,
        `return require(${plainQuery}).tryParse(input) ?? parseUrlencoded(utf8Encode(input));`,
        "parseUrlencodedString in whatwg-url",
      );
      return { contents, loader: "js" };
    });
    build.onResolve({ filter: /^tr46$/ }, ({ importer }) =>
      importer.includes("whatwg-url") ? { path: join(here, "src/lazy-tr46.cjs") } : undefined,
    );
    build.onResolve({ filter: /^\.\/URL-impl\.js$/ }, ({ importer }) =>
      /whatwg-url[\\/]lib[\\/]URL\.js$/.test(importer)
        ? { path: join(here, "src/lazy-url.cjs") }
        : undefined,
    );
    // One string until it is needed, instead of 11,000 arrays for the garbage collector to visit.
    build.onLoad({ filter: /tr46[\\/]lib[\\/]mappingTable\.json$/ }, async ({ path }) => {
      const table = JSON.stringify(JSON.parse(await readFile(path, "utf8")));
      return { contents: `module.exports = JSON.parse(${JSON.stringify(table)})`, loader: "js" };
    });
  },
};

/**
 * The modules of drizzle-orm import two of our own in place of two of theirs, and its blob columns
 * find a Buffer, which they take from Node's globals.
 */
const adaptDrizzle = {
  name: "adapt-drizzle",
  setup(build) {
    build.onResolve({ filter: /\/(entity|conditions)\.js$/ }, ({ path, importer }) => {
      if (!/[\\/]drizzle-orm[\\/]/.test(importer)) return undefined;
      const [, name] = /(\w+)\.js$/.exec(path);
      return { path: join(here, `src/drizzle-${name}.js`) };
    });
    build.onLoad(
      { filter: /drizzle-orm[\\/]sqlite-core[\\/]columns[\\/]blob\.js$/ },
      async ({ path }) => {
        const buffer = JSON.stringify(join(here, "src/drizzle-buffer.js"));
        const contents = `import { Buffer } from ${buffer};\n${await readFile(path, "utf8")}`;
        return { contents, loader: "js" };
      },
    );
  },
};

/** The files that a bundle was made of. */
const inputsOf = (result, folder) =>
  Object.keys(result.metafile.inputs).map((path) => resolve(folder, path));

/** The globals, as one module. */
export async function bundleGlobals() {
  const result = await esbuild.build({
    ...COMMON,
    absWorkingDir: here,
    entryPoints: ["src/index.ts"],
    outfile: "globals.js",
    plugins: [adaptLibraries],
  });
  const source = result.outputFiles[0].text;
  return {
    modules: [{ name: GLOBALS, file: "globals.js", source }],
    inputs: inputsOf(result, here),
  };
}

/** The built-in modules and the chunks that they share, each after what it imports. */
export async function bundleBuiltIns(packageFolder) {
  const outdir = join(packageFolder, "out"); // Never written.
  const result = await esbuild.build({
    ...COMMON,
    absWorkingDir: packageFolder,
    entryPoints: BUILT_IN.map(({ entry, file }) => ({ in: entry, out: file })),
    outdir,
    splitting: true,
    chunkNames: "chunk-[hash]",
    plugins: [adaptDrizzle],
  });
  const sources = new Map(result.outputFiles.map(({ path, text }) => [path, text]));
  const outputs = new Map(
    Object.entries(result.metafile.outputs).map(([path, output]) => [
      resolve(packageFolder, path),
      output,
    ]),
  );
  const names = new Map(BUILT_IN.map(({ name, file }) => [join(outdir, `${file}.js`), name]));

  // Depth first, in the order of BUILT_IN: what a module imports comes before it.
  const order = [];
  const visit = (path) => {
    if (order.includes(path)) return;
    for (const imported of outputs.get(path).imports) {
      if (imported.external)
        throw new Error(`${path} imports ${imported.path}, which the guest does not have`);
      visit(resolve(packageFolder, imported.path));
    }
    order.push(path);
  };
  for (const { file } of BUILT_IN) visit(join(outdir, `${file}.js`));
  let chunks = 0;
  for (const path of order) {
    if (!names.has(path)) names.set(path, `${CHUNK_PREFIX}${++chunks}`);
  }

  const modules = order.map((path) => {
    const name = names.get(path);
    let source = sources.get(path);
    for (const imported of outputs.get(path).imports) {
      const target = resolve(packageFolder, imported.path);
      const written = `"./${target.slice(outdir.length + 1)}"`;
      source = source.replaceAll(written, JSON.stringify(names.get(target)));
    }
    const file = name.startsWith(CHUNK_PREFIX)
      ? `${name.slice("schemascript:".length)}.js`
      : path.slice(outdir.length + 1);
    return { name, file, source };
  });
  return { modules, inputs: inputsOf(result, packageFolder) };
}

async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      package: { type: "string", default: join(here, "../../packages/schemascript") },
    },
  });
  if (values.out === undefined) throw new Error("usage: node build.mjs --out DIR [--package DIR]");
  const out = resolve(values.out);
  const bundles = [await bundleGlobals(), await bundleBuiltIns(resolve(values.package))];
  const modules = bundles.flatMap((bundle) => bundle.modules);
  await mkdir(out, { recursive: true });
  const wanted = new Set(["manifest.json", ...modules.map(({ file }) => file)]);
  for (const file of await readdir(out)) {
    if (/^chunk-\d+\.js$/.test(file) && !wanted.has(file)) await rm(join(out, file)); // Of an earlier build.
  }
  for (const { file, source } of modules) await writeFile(join(out, file), source);
  const manifest = { modules: modules.map(({ name, file }) => ({ name, file })) };
  await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  // For ninja and make: build again when one of these has changed.
  const inputs = new Set(bundles.flatMap((bundle) => bundle.inputs));
  const escaped = [...inputs].map((path) => path.replaceAll(" ", "\\ "));
  await writeFile(join(out, "manifest.d"), `${join(out, "manifest.json")}: ${escaped.join(" ")}\n`);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(`guest/runtime/build.mjs: ${error.message}`);
    process.exitCode = 1;
  }
}
