// The samples of the project's first document, word for word: bundled as a program would be, and
// evaluated.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const SEED = new URL("../../test/seed/", import.meta.url);

async function tablesOf(sample: string): Promise<string> {
  const contents = readFileSync(new URL(`${sample}.ts`, SEED), "utf8");
  const { outputFiles } = await build({
    stdin: {
      contents: `${contents}\nexport { pendingSchema } from "schemascript/internal";`,
      loader: "ts",
      resolveDir: fileURLToPath(SEED),
    },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  const module = (await import(`data:text/javascript;base64,${code}`)) as {
    pendingSchema(): string;
  };
  return module.pendingSchema();
}

test("schemas", async () => {
  assert.equal(
    await tablesOf("schemas"),
    `CREATE TABLE "users" (
  "id" INTEGER PRIMARY KEY,
  "username" TEXT NOT NULL,
  "email" TEXT,
  "createdAt" INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE UNIQUE INDEX "users_username_unique" ON "users" ("username");`,
  );
});

test("relations", async () => {
  assert.equal(
    await tablesOf("relations"),
    `CREATE TABLE "users" (
  "id" INTEGER PRIMARY KEY
) STRICT;
CREATE TABLE "posts" (
  "id" INTEGER PRIMARY KEY,
  "authorId" INTEGER NOT NULL REFERENCES "users" ("id")
) STRICT;`,
  );
});

test("enums", async () => {
  assert.equal(
    await tablesOf("enums"),
    `CREATE TABLE "profiles" (
  "role" TEXT NOT NULL DEFAULT 'guest' CONSTRAINT "profiles_role_check" CHECK ("role" IN ('admin', 'user', 'guest'))
) STRICT;`,
  );
});

test("custom types", async () => {
  assert.equal(
    await tablesOf("custom-types"),
    `CREATE TABLE "custom" (
  "data" ANY NOT NULL
) STRICT;`,
  );
});

test("getting started: a schema and a table of one builder are one table", async () => {
  assert.equal(
    await tablesOf("getting-started"),
    `CREATE TABLE "users" (
  "id" INTEGER PRIMARY KEY,
  "name" TEXT NOT NULL,
  "avatar" BLOB
) STRICT;`,
  );
});
