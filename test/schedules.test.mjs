// The app of docs/schedules.md, served: what was missed is run at the start, once, and a run that is repeated changes nothing.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const top = join(dirname(fileURLToPath(import.meta.url)), "..");
const program = resolve(process.env.SCHEMASCRIPT_PROGRAM ?? join(top, "build/bin/schemascript"));
const document = readFileSync(join(top, "docs/schedules.md"), "utf8");
const APP = /```ts\n([\s\S]*?)```/.exec(document)[1];
const CONFIGURATION = JSON.parse(/```json\n([\s\S]*?)```/.exec(document)[1]);
const EVERY_MINUTE = { cron: "* * * * *", missed: "run" };
const MINUTE = 60_000;
const WAIT_MAX = 30_000;

/** What the sqlite3 program prints. */
function sqlite(file, sql) {
  const result = spawnSync("sqlite3", ["-cmd", ".timeout 5000", file, sql], { encoding: "utf8" });
  assert.equal(result.status, 0, String(result.error ?? result.stderr));
  return result.stdout.trim();
}

/** As it is left behind by a server that ended an hour ago. */
function fillState(file, set = "") {
  sqlite(
    file,
    `create table if not exists __schemascript_schedules (cron text primary key, doneTime, dueTime, attempts, retryTime, owner, leaseUntil, lastError) without rowid;
     insert or replace into __schemascript_schedules (cron, doneTime, attempts) values ('* * * * *', ${Date.now() - 60 * MINUTE}, 0);
     ${set}`,
  );
}

async function until(condition, what) {
  for (const begin = Date.now(); !(await condition()); await sleep(50)) {
    assert.ok(Date.now() - begin < WAIT_MAX, `this did not come: ${what}`);
  }
}

/** Calls `use` with a folder that has the app and `configuration`. */
async function inFolder(configuration, use) {
  const folder = mkdtempSync(join(tmpdir(), "schedules-"));
  try {
    writeFileSync(join(folder, "app.ts"), APP);
    writeFileSync(join(folder, "schemascript.json"), JSON.stringify(configuration));
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Calls `use` while the folder is served; answers its exit code. */
async function serving(folder, use, signal = "SIGTERM") {
  const server = spawn(
    program,
    ["serve", "app.ts", "--config", "schemascript.json", "--port", "0", "--admin-port", "0"],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  const closed = once(server, "close");
  let said = "";
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding("utf8").on("data", (text) => (said += text));
  try {
    await until(() => {
      assert.equal(server.exitCode, null, said);
      return /metrics and health at/.test(said);
    }, `the server: ${said}`);
    await use({
      server,
      said: () => said,
      url: /serving app.ts at (\S+)/.exec(said)[1],
      adminUrl: /metrics and health at (\S+)/.exec(said)[1],
    });
  } finally {
    server.kill(signal);
  }
  return (await closed)[0];
}

const one = { ...CONFIGURATION, schedules: [EVERY_MINUTE] };
const isState = (file, sql, wanted) => () => sqlite(file, sql) === wanted;

test("the example's configuration is taken", () =>
  inFolder(CONFIGURATION, async (folder) => {
    const file = join(folder, "app.db");
    const code = await serving(folder, () =>
      until(
        () =>
          existsSync(file) &&
          sqlite(
            file,
            "select count(*) from sqlite_schema where name like '\\_\\_%' escape '\\'",
          ) === "1" &&
          sqlite(file, "select count(*) from __schemascript_schedules") === "2",
        "the rows of the schedules",
      ),
    );
    assert.equal(code, 0);
  }));

test("what was missed is run once at the start, and counted", () =>
  inFolder(one, async (folder) => {
    const file = join(folder, "app.db");
    fillState(file);
    const before = Date.now();
    const code = await serving(folder, async ({ url, adminUrl }) => {
      let rows = [];
      await until(async () => {
        rows = await (await fetch(url)).json();
        return rows.length > 0;
      }, "the row of the handler");
      assert.equal(rows[0].cron, "* * * * *");
      assert.equal(rows[0].scheduledTime % MINUTE, 0);
      assert.ok(rows[0].scheduledTime > before - MINUTE - 1_000, "it is the latest one");
      assert.ok(rows[0].scheduledTime <= Date.now());
      // A minute may begin meanwhile.
      assert.ok(rows.length <= 1 + Math.ceil((Date.now() - rows[0].scheduledTime) / MINUTE));
      await until(async () => {
        const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
        return /^schemascript_schedule_succeeded_total\{cron="\* \* \* \* \*"\} [1-9]/m.test(
          metrics,
        );
      }, "the metrics");
      await until(
        isState(
          file,
          `select doneTime >= ${rows[0].scheduledTime} and dueTime is null from __schemascript_schedules`,
          "1",
        ),
        "the record",
      );
    });
    assert.equal(code, 0);
  }));

test("a run that was not recorded is repeated with its time, and changes nothing", () =>
  inFolder(one, async (folder) => {
    const file = join(folder, "app.db");
    fillState(file);
    const time = "select max(scheduledTime) from reports";
    await serving(
      folder,
      () =>
        until(() => {
          const isThere = "select count(*) from sqlite_schema where name = 'reports'";
          return sqlite(file, isThere) === "1" && sqlite(file, time) !== "";
        }, "the first run"),
      "SIGKILL",
    );
    const first = sqlite(file, time);
    // The crash was before the record, and the claim has expired.
    fillState(
      file,
      `update __schemascript_schedules set dueTime = ${first}, attempts = 1, owner = 'gone', leaseUntil = 1`,
    );
    const code = await serving(folder, () =>
      until(
        isState(file, `select doneTime >= ${first} from __schemascript_schedules`, "1"),
        "the second run",
      ),
    );
    assert.equal(code, 0);
    const isOnce = `select count(*) from reports where scheduledTime = ${first}`;
    assert.equal(sqlite(file, isOnce), "1");
  }));

test("each tenant has its runs, and one that is damaged delays nobody", () =>
  inFolder(
    {
      app: "app.ts",
      tenants: "tenants",
      tenantFrom: "header:x-tenant",
      push: true,
      schedules: [EVERY_MINUTE],
    },
    async (folder) => {
      mkdirSync(join(folder, "tenants"));
      const fileOf = (name) => join(folder, "tenants", `${name}.db`);
      for (const name of ["a", "b", "c"]) fillState(fileOf(name));
      writeFileSync(fileOf("damaged"), "x".repeat(4_096));
      const code = await serving(folder, async ({ said }) => {
        for (const name of ["a", "b", "c"]) {
          await until(
            isState(
              fileOf(name),
              `select doneTime > ${Date.now() - 3 * MINUTE} from __schemascript_schedules`,
              "1",
            ),
            `the run of ${name}`,
          );
          assert.notEqual(sqlite(fileOf(name), "select count(*) from reports"), "0");
        }
        await until(() => said().includes("schedules cannot use their database"), "the report");
      });
      assert.equal(code, 0);
    },
  ));

test("a handler that fails is reported, and tried again later", () =>
  inFolder(one, async (folder) => {
    const file = join(folder, "app.db");
    writeFileSync(
      join(folder, "app.ts"),
      `export default { fetch: () => new Response("x"), scheduled() { throw new RangeError("no way"); } };`,
    );
    fillState(file);
    const code = await serving(folder, async ({ said, url }) => {
      await until(() => said().includes("attempt 1 of 5"), "the report");
      assert.match(said(), /RangeError: no way/);
      const state =
        "select attempts, retryTime - dueTime > 0, lastError from __schemascript_schedules";
      await until(isState(file, state, "1|1|RangeError: no way"), "the record");
      assert.equal(await (await fetch(url)).text(), "x");
    });
    assert.equal(code, 0);
  }));

test("SIGHUP takes the file's schedules, and the state of others stays", () =>
  inFolder(one, async (folder) => {
    const file = join(folder, "app.db");
    const crons = "select group_concat(cron, '|') from __schemascript_schedules";
    fillState(file);
    await serving(folder, async ({ server, said }) => {
      const schedules = [{ cron: "@yearly" }];
      writeFileSync(join(folder, "schemascript.json"), JSON.stringify({ ...one, schedules }));
      server.kill("SIGHUP");
      await until(() => said().includes("reloaded"), "the reload");
      await until(isState(file, crons, "* * * * *|@yearly"), "the row of the new schedule");
    });
  }));

test("a server that only reads runs nothing, and says so", () =>
  inFolder({ ...one, push: false, readOnly: true }, async (folder) => {
    const file = join(folder, "app.db");
    const { status } = spawnSync(program, ["push", "app.ts", "--db", "app.db"], { cwd: folder });
    assert.equal(status, 0);
    fillState(file);
    const before = sqlite(file, "select * from __schemascript_schedules");
    await serving(folder, ({ said }) =>
      assert.match(said(), /nothing is run on schedule, because of --read-only/),
    );
    assert.equal(sqlite(file, "select * from __schemascript_schedules"), before);
  }));
