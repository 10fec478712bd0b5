// Brings what the contenders need, and says what is not to be had. All of it is in the cache folder, and quick when it is there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const suite = dirname(fileURLToPath(import.meta.url));

const cacheFolder = () =>
  process.env.SCHEMASCRIPT_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "schemascript");

/** Answers why a command failed, in one line; undefined if it did not. */
function failureOf(command, ...words) {
  const { status, error, stderr, signal } = spawnSync(command, words, {
    encoding: "utf8",
    timeout: 600_000,
    // What is compiled for Node is, where they are installed, with this machine's own headers.
    env: existsSync("/usr/include/node/node.h")
      ? { ...process.env, npm_config_nodedir: "/usr" }
      : process.env,
  });
  if (status === 0) return undefined;
  if (error?.code === "ENOENT") return `there is no ${command}`;
  const lines = stderr?.trim().split("\n") ?? [];
  const told = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
  return `${command} failed: ${told || signal || `exit code ${status}`}`;
}

/** Makes `path` with `make`, which answers why it could not, unless it is there. What is half done never has the name. */
function once(path, make) {
  if (existsSync(path)) return undefined;
  const partial = `${path}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const failure = make(partial);
  if (failure) return failure;
  renameSync(partial, path);
  return undefined;
}

const keyOf = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 12);
};

/** The folder in the cache, and what is in it: each part is made when it is first asked for. */
export class Place {
  /** `say`: receives what takes long. */
  constructor({ say = () => {} } = {}) {
    this.say = say;
    const lock = readFileSync(join(suite, "package-lock.json"));
    /** Where the programs are, beside their packages. */
    this.folder = join(cacheFolder(), `bench-${keyOf(lock, process.version)}`);
    /** The database. */
    this.seed = join(this.folder, `seed-${keyOf(readFileSync(join(suite, "seed.sql")))}.db`);
    this.found = new Map();
    mkdirSync(this.folder, { recursive: true });
    for (const name of COPIED)
      cpSync(join(suite, name), join(this.folder, name), { recursive: true });
  }

  /**
   * Why a part cannot be had; undefined if it is there.
   *
   * @param {"packages" | "seed" | "sqlite" | "bundles"} part
   */
  missing(part) {
    if (!this.found.has(part)) this.found.set(part, MAKERS[part](this));
    return this.found.get(part);
  }
}

const COPIED = [
  "javascript.mjs",
  "measure.mjs",
  "package.json", // Deno looks there for what may be imported.
  "programs",
  "roles.mjs",
  "schema.mjs",
  "workloads.mjs",
];

/** Each answers why it failed, if it did. */
const MAKERS = {
  packages: ({ folder, say }) =>
    once(join(folder, "node_modules"), (partial) => {
      say("fetching the contenders from npm, once");
      const work = `${partial}.work`;
      rmSync(work, { recursive: true, force: true });
      mkdirSync(work);
      for (const name of ["package.json", "package-lock.json"])
        copyFileSync(join(suite, name), join(work, name));
      const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
      const failure = failureOf("npm", "install", ...quiet, "--prefix", work);
      if (!failure) renameSync(join(work, "node_modules"), partial);
      rmSync(work, { recursive: true, force: true });
      return failure;
    }),

  seed: ({ seed, say }) =>
    once(seed, (partial) => {
      say("making the database, once");
      return failureOf("sqlite3", partial, `.read ${join(suite, "seed.sql")}`);
    }),

  sqlite({ folder }) {
    const source = join(suite, "programs/sqlite.c");
    return failureOf("cc", "-O2", "-o", join(folder, "sqlite"), source, "-lsqlite3");
  },

  bundles: (place) => place.missing("packages") ?? bundle(place.folder),
};

/** What runs without node_modules. */
function bundle(folder) {
  const esbuild = join(folder, "node_modules/.bin/esbuild");
  const neutral = [
    "--bundle",
    "--format=esm",
    "--platform=neutral",
    "--main-fields=module,main",
    "--log-level=error",
  ];
  const workerd = [
    ...neutral,
    "--conditions=worker,import",
    "--external:cloudflare:*",
    "--external:node:*",
  ];
  const from = (name) => join(folder, "programs", name);
  mkdirSync(join(folder, "workerd"), { recursive: true });
  copyFileSync(from("workerd/config.capnp"), join(folder, "workerd/config.capnp"));
  return (
    failureOf(
      esbuild,
      from("javascript-alone.mjs"),
      ...neutral,
      `--outfile=${join(folder, "javascript-alone.bundle.mjs")}`,
    ) ??
    failureOf(
      esbuild,
      from("quickjs-guest.mjs"),
      ...neutral,
      "--format=iife",
      `--outfile=${from("quickjs-guest.js")}`,
    ) ??
    failureOf(
      esbuild,
      from("workerd/worker.mjs"),
      ...workerd,
      `--outfile=${join(folder, "workerd/worker.mjs")}`,
    ) ??
    failureOf(
      esbuild,
      from("workerd/tenant.mjs"),
      ...workerd,
      `--outfile=${join(folder, "workerd/tenant.mjs")}`,
    )
  );
}
