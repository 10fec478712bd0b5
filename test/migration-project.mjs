// A project with migrations, as a user has it: a folder with an app, its migrations and a database.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
export const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../build/bin/schemascript"),
);
export const folder = mkdtempSync(join(tmpdir(), "migrate-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A folder of a project, with an app's schema and a database's name. */
export class Project {
  constructor() {
    this.folder = join(folder, `project-${++count}`);
    mkdirSync(this.folder);
    this.database = join(this.folder, "app.db");
    this.ids = 0;
  }

  run(...words) {
    return spawnSync(program, words, { cwd: this.folder, encoding: "utf8", timeout: 120_000 });
  }
  /** The output of a command that succeeds. */
  done(...words) {
    const { status, stdout, stderr } = this.run(...words);
    assert.equal(status, 0, `${words.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  }
  /** What a command says that fails with this exit code. */
  refused(code, ...words) {
    const { status, stdout, stderr } = this.run(...words);
    assert.equal(status, code, `${words.join(" ")}\n${stdout}${stderr}`);
    return stderr;
  }

  declare(text) {
    writeFileSync(join(this.folder, "app.ts"), text);
  }
  /** A name of its own each time, for the time in front of it may be the same. */
  generate(...words) {
    const name = `step${++this.ids}`;
    const text = this.done("generate", "app.ts", "--name", name, ...words);
    return {
      id: readdirSync(join(this.folder, "migrations")).find((id) => id.endsWith(`_${name}`)),
      text,
    };
  }
  migrate(...words) {
    return this.done("migrate", "--db", "app.db", ...words);
  }
  rollback(...words) {
    return this.done("rollback", "--db", "app.db", ...words);
  }

  sql(text) {
    const { status, stdout, stderr } = spawnSync("sqlite3", ["-bail", this.database], {
      input: text,
      encoding: "utf8",
    });
    assert.equal(status, 0, `${stderr}\n${text}`);
    return stdout.trim();
  }
  /** All rows of all tables, whatever the order of columns. */
  rows() {
    const names = this.sql(
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'" +
        " and name not like '\\_\\_schemascript%' escape '\\' order by 1",
    );
    return Object.fromEntries(
      names.split("\n").map((name) => {
        const { stdout } = spawnSync(
          "sqlite3",
          ["-json", this.database, `select * from "${name}"`],
          {
            encoding: "utf8",
            maxBuffer: 1 << 28,
          },
        );
        const rows = JSON.parse(stdout || "[]").map((row) =>
          JSON.stringify(Object.entries(row).sort()),
        );
        return [name, rows.sort()];
      }),
    );
  }
  check() {
    assert.equal(this.sql("pragma integrity_check"), "ok");
    assert.equal(this.sql("pragma foreign_key_check"), "");
    this.done("status", "--db", "app.db");
    const left = readdirSync(this.folder).filter((name) => name.includes("rehearsal"));
    assert.deepEqual(left, []);
  }
}

export const USERS = `import { Table } from "schemascript";
export const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  email: prop.text().unique(),
  age: prop.integer().optional(),
}));
`;
