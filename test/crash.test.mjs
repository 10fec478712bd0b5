// kill -9 at random moments: the database stays whole, and holds every transaction whose end the script has reported.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript [CRASH_SEED=N] [CRASH_ROUNDS=N] node --test test/crash.test.mjs
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { randomFrom } from "./random.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../build/bin/schemascript"),
);
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const rounds = Number(process.env.CRASH_ROUNDS ?? 15);

// Each transaction inserts a thousand rows and reads a thousand; the last line printed names the last one that was committed for certain.
const SCRIPT = `
import { eq, max, sql } from "drizzle-orm";
import { database, Table } from "schemascript";

const rows = Table("rows", (prop) => ({
  id: prop.integer().identifier(),
  batch: prop.integer(),
  text: prop.text(),
}));
const db = database({ rows });
const last = await db.select({ batch: max(rows.batch) }).from(rows).get();
const insert = (tx: any) => tx.insert(rows).values({ batch: sql.placeholder("batch"), text: "x".repeat(100) }).prepare();
const point = db.select().from(rows).where(eq(rows.id, sql.placeholder("id"))).prepare();
for (let batch = (last?.batch ?? 0) + 1; ; ++batch) {
  await db.transaction(async (tx) => {
    const one = insert(tx);
    for (let count = 0; count < 1000; ++count) await one.run({ batch });
  });
  console.error(batch);
  for (let id = 1; id <= 1000; ++id) if ((await point.get({ id }))?.id !== id) throw new Error("row " + id + " is lost");
}
`;

const CHECK = `
import { sql } from "drizzle-orm";
import { database } from "schemascript";
const db = database();
const [[integrity]] = (await db.values(sql\`select integrity_check from pragma_integrity_check\`)) as [[string]];
const batches = await db.values(sql\`select batch, count(*) from "rows" group by batch order by batch\`);
console.log(JSON.stringify({ integrity, batches }));
`;

test(`what was committed survives kill -9 (CRASH_SEED=${seed}, ${rounds} rounds)`, async () => {
  const random = randomFrom(seed);
  const folder = mkdtempSync(join(tmpdir(), "crash-"));
  try {
    const database = join(folder, "app.db");
    writeFileSync(join(folder, "app.ts"), SCRIPT);
    writeFileSync(join(folder, "check.ts"), CHECK);
    let committed = 0;
    for (let round = 0; round < rounds; ++round) {
      const child = spawn(program, ["run", "app.ts", "--db", database, "--push"], { cwd: folder });
      let reported = "";
      child.stderr.on("data", (chunk) => (reported += chunk));
      await sleep(20 + random() * 400);
      child.kill("SIGKILL");
      await once(child, "close");
      const lines = reported.split("\n").slice(0, -1);
      for (const line of lines) assert.match(line, /^\d+$/, reported);
      committed = Math.max(committed, Number(lines.at(-1) ?? 0));

      const check = spawnSync(program, ["run", "check.ts", "--db", database], {
        cwd: folder,
        encoding: "utf8",
      });
      // Killed before the tables were made: there is nothing to check yet.
      if (round === 0 && /no such table/.test(check.stderr)) continue;
      assert.equal(check.status, 0, check.stderr);
      const { integrity, batches } = JSON.parse(check.stdout);
      assert.equal(integrity, "ok");
      assert.ok(
        batches.length >= committed,
        `batch ${committed} was reported, ${batches.length} are there`,
      );
      batches.forEach(([batch, count], index) =>
        assert.deepEqual([batch, count], [index + 1, 1000]),
      );
    }
    assert.ok(committed > 0, "no round got as far as a commit");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
