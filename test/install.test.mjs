// What `cmake --install` leaves: a program that needs neither the build nor the cache, and a library that an embedder's program
// finds through CMake and through pkg-config.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  cp,
  mkdtemp,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const build = resolve(process.env.BUILD ?? join(checkout, "build"));
const execute = promisify(execFile);

// Nothing of the environment of whoever runs the tests: no HOME, no variables of ours.
const environment = { PATH: process.env.PATH, LC_ALL: "C.UTF-8" };
const run = (program, words, options = {}) =>
  execute(program, words, {
    maxBuffer: 64 << 20,
    ...options,
    env: { ...environment, ...options.env },
  });

let world;
let prefix;
let program;

before(async () => {
  world = await mkdtemp(join(tmpdir(), "schemascript-install-"));
  prefix = join(world, "prefix");
  program = join(prefix, "bin/schemascript");
  await run("cmake", ["--install", build, "--prefix", prefix]);
  await cp(join(checkout, "examples/embed"), join(world, "embed"), { recursive: true });
});
after(() => rm(world, { recursive: true, force: true }));

// The files that the loader takes for `file`.
async function libraries(file) {
  const { stdout } = await run(file, [], { env: { LD_TRACE_LOADED_OBJECTS: "1" } });
  return [...stdout.matchAll(/=> (\/\S+)/g)].map((match) => match[1]);
}

async function setupValue(name) {
  const text = await readFile(join(build, "setup.cmake"), "utf8");
  return new RegExp(`setup_result\\(${name} "(.*)"\\)`).exec(text)?.[1] ?? "";
}

async function expectFromPrefixOrSystem(file) {
  const loaded = await libraries(file);
  assert.ok(
    loaded.some((name) => /libwasmedge/.test(name)),
    `${file} loads ${loaded}`,
  );
  for (const name of loaded) {
    const isOurs = name.startsWith(`${prefix}/`);
    assert.ok(isOurs || /^\/(usr\/)?lib/.test(name), `${file} loads ${name}`);
    if (/libwasmedge|libLLVM/.test(name)) assert.ok(isOurs, `${file} loads ${name}`);
  }
}

test("the installation has everything in its place", async () => {
  for (const name of [
    "bin/schemascript",
    "include/schemascript/schemascript.h",
    "include/schemascript/limits.h",
    "include/schemascript/version.h",
    "lib/libschemascript.so",
    "lib/schemascript/guest.so",
    "lib/schemascript/park.so",
    "lib/schemascript/base.snapshot",
    "lib/schemascript/esbuild",
    "lib/cmake/schemascript/schemascriptConfig.cmake",
    "lib/cmake/schemascript/schemascriptConfigVersion.cmake",
    "lib/pkgconfig/schemascript.pc",
    "share/doc/schemascript/LICENSE",
    "share/doc/schemascript/NOTICE",
    "share/doc/schemascript/embed.md",
    "share/doc/schemascript/licenses/esbuild",
  ]) {
    assert.ok((await stat(join(prefix, name))).size > 0, name);
  }
});

test("nothing of it refers to the checkout, the build or the cache", async () => {
  const folders = [checkout, build, await setupValue("SCHEMASCRIPT_CACHE_DIR")].map((folder) =>
    Buffer.from(`${folder}/`),
  );
  const entries = await readdir(prefix, { recursive: true, withFileTypes: true });
  let files = 0;
  for (const entry of entries.filter((one) => one.isFile())) {
    const content = await readFile(join(entry.parentPath ?? entry.path, entry.name));
    files += 1;
    for (const folder of folders)
      assert.equal(content.indexOf(folder), -1, `${entry.name} has ${folder}`);
  }
  assert.ok(files > 15, `${files} files`);
});

test("the library shows the names of its header only", async () => {
  const { stdout } = await run("nm", [
    "-DC",
    "--defined-only",
    join(prefix, "lib/libschemascript.so"),
  ]);
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => line.replace(/^\S+ \S /, ""));
  assert.ok(names.length > 20, stdout);
  for (const name of names)
    assert.match(name, /^((typeinfo|vtable)( name)? for )?schemascript::v0::/);
});

test("the program runs TypeScript without a home", async () => {
  await expectFromPrefixOrSystem(program);
  const file = join(world, "app.ts");
  await writeFile(
    file,
    `import { sql } from "drizzle-orm";
    import { database } from "schemascript";
    const two: number = (await database({}).get<[number]>(sql\`select 1 + 1\`))![0];
    console.log("two is", two);`,
  );
  const { stdout } = await run(program, ["run", file], { env: { HOME: "" } });
  assert.equal(stdout, "two is 2\n");
});

// `executable` is the example, built by whatever means; `folder` gets its database.
async function expectExampleToRun(executable, folder) {
  await expectFromPrefixOrSystem(executable);
  await mkdir(folder, { recursive: true });
  await cp(join(checkout, "examples/embed/app.js"), join(folder, "app.js"));
  const { stdout } = await run(executable, [folder]);
  assert.equal(
    stdout,
    'app: visited by Ada\n{"name":"Ada","count":1}\ncba\n{"name":"Bob","count":1}\n',
  );
  const again = await run(executable, [folder]);
  assert.match(again.stdout, /\{"name":"Ada","count":2\}/);
}

test("a program finds the library through CMake", async () => {
  const folder = join(world, "embed-cmake");
  await run("cmake", ["-S", join(world, "embed"), "-B", folder, `-DCMAKE_PREFIX_PATH=${prefix}`]);
  await run("cmake", ["--build", folder]);
  await expectExampleToRun(join(folder, "embed"), join(world, "data-cmake"));
  const refused = join(world, "refused");
  await mkdir(refused);
  await writeFile(
    join(refused, "CMakeLists.txt"),
    "cmake_minimum_required(VERSION 3.25)\nproject(refused LANGUAGES CXX)\nfind_package(schemascript 0.2 REQUIRED)\n",
  );
  await assert.rejects(
    run("cmake", ["-S", refused, "-B", join(refused, "build"), `-DCMAKE_PREFIX_PATH=${prefix}`]),
    (error) => /compatible with requested/.test(error.stderr),
  );
});

test("a program finds the library through pkg-config", async () => {
  await run("make", ["-C", join(world, "embed")], {
    env: { PKG_CONFIG_PATH: join(prefix, "lib/pkgconfig") },
  });
  const executable = join(world, "embed/embed");
  await expectExampleToRun(executable, join(world, "data-pkg-config"));

  // What is wrong is said.
  const folder = join(world, "data-pkg-config");
  const fails = (env, words, message) =>
    assert.rejects(run(executable, words, { env }), (error) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr, message);
      return true;
    });
  await fails(
    { SCHEMASCRIPT_GUEST_FOLDER: "/nowhere" },
    [folder],
    /^unavailable: guest\.so.* not in \/nowhere, which SCHEMASCRIPT_GUEST_FOLDER names\n$/,
  );
  await fails({}, [join(world, "embed/missing")], /^invalid-request: .*embed\/missing/);
  await rename(join(prefix, "lib/schemascript/park.so"), join(world, "park.so"));
  await fails(
    {},
    [folder],
    new RegExp(
      `^unavailable: guest\\.so.* were not found in ${prefix}/lib/schemascript, /.*SCHEMASCRIPT_GUEST_FOLDER`,
    ),
  );
  await rename(join(world, "park.so"), join(prefix, "lib/schemascript/park.so"));
});

test("a prefix that is too long is refused, and a program that had a longer one is put right", async () => {
  if ((await setupValue("WASMEDGE_DYNAMIC_LINKER")) === "") return;
  const copy = join(world, "program");
  await cp(join(build, "bin/schemascript"), copy);
  await assert.rejects(
    run(join(checkout, "cmake/set-loader"), [copy, `/${"x".repeat(400)}`]),
    (error) => /longer than the \d+ bytes/.test(error.stderr),
  );
  const loader = join(
    prefix,
    "lib/schemascript/runtime",
    (await setupValue("WASMEDGE_DYNAMIC_LINKER")).split("/").pop(),
  );
  await run(join(checkout, "cmake/set-loader"), [copy, `/${"y".repeat(200)}`]);
  await run(join(checkout, "cmake/set-loader"), [copy, loader]);
  const { stdout } = await run("readelf", ["-lW", copy]);
  assert.ok(stdout.includes(`interpreter: ${loader}]`), stdout);
});
