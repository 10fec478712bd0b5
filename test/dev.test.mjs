// `schemascript dev` from outside: files change, and what is served changes with them.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/dev.test.mjs
//
// CHROMIUM names the browser's program; with SCREENSHOTS=folder pictures are kept there. test/browser.test.mjs says what is missing
// where there is none.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { after, afterEach, before, describe, test } from "node:test";
import { Browser, findChromium } from "./browser/chromium.mjs";
import { Developer, Events, Hammer, Project, until } from "./serve/developer.mjs";
import { program, top } from "./serve/server.mjs";

const says = (text) => `export default { fetch: () => new Response(${JSON.stringify(text)}) };\n`;

const withTables = (tables, answer) => `
import { database, Table } from "schemascript";
${tables}
const db = database({ notes });
export default { fetch: async () => Response.json(${answer}) };
`;
const notes = (columns) =>
  `const notes = Table("notes", (prop) => ({ id: prop.integer().identifier(), ${columns} }));`;

const running = new Set();
/** A project and its server, which end with the test. */
async function begin(files, options = ["--port", "0"]) {
  const project = new Project(files);
  const end = async () => rmSync(project.folder, { recursive: true, force: true });
  running.add(end);
  const developer = await Developer.start(project, options);
  running.delete(end);
  running.add(async () => {
    if (!developer.ended) await developer.stop();
    await end();
  });
  return { project, developer };
}
afterEach(async () => {
  const all = [...running];
  running.clear();
  for (const end of all) await end();
});

const textOf = async (developer, path) => (await developer.fetch(path)).body;

describe("a change of a source", () => {
  test("is served at once, and no request is lost", async () => {
    const { project, developer } = await begin({ "app.ts": says("version 0") });
    const hammer = new Hammer(developer.url);
    for (let i = 1; i <= 5; ++i) {
      await developer.reloaded(() => project.write("app.ts", says(`version ${i}`)));
      assert.equal(await textOf(developer), `version ${i}`);
    }
    const answers = await hammer.stop();
    assert.ok(answers.length > 50, `${answers.length} answers`);
    const versions = answers.map((answer) => {
      assert.match(answer, /^200 version \d$/);
      return Number(answer.at(-1));
    });
    // Four clients: an answer of the version before may come in late, but no older one.
    assert.equal(Math.max(...versions), 5);
    let newest = 0;
    for (const version of versions) {
      assert.ok(version >= newest - 1, `${version} after ${newest}`);
      newest = Math.max(newest, version);
    }
  });

  test("in a module that is imported counts, too", async () => {
    const { project, developer } = await begin({
      "app.ts":
        `import { text } from "./lib/text";\nimport { more } from "../${"shared"}/more";\nexport default { fetch: () => new Response(text + more) };\n`.replace(
          "../shared",
          "./shared",
        ),
      "lib/text.ts": `export const text = "one";\n`,
      "shared/more.ts": `export const more = " and more";\n`,
    });
    assert.equal(await textOf(developer), "one and more");
    await developer.reloaded(() => project.write("lib/text.ts", `export const text = "two";\n`));
    assert.equal(await textOf(developer), "two and more");
    await developer.reloaded(() => project.write("shared/more.ts", `export const more = "!";\n`));
    assert.equal(await textOf(developer), "two!");
    // What is imported no more is not watched any more; what is new is.
    await developer.reloaded(
      () =>
        project.write(
          "app.ts",
          `import { other } from "./other";\nexport default { fetch: () => new Response(other) };\n`,
        ) || project.write("other.ts", `export const other = "other";\n`),
    );
    await until(async () => (await textOf(developer)) === "other", "never other");
    await developer.reloaded(() => project.write("other.ts", `export const other = "last";\n`));
    assert.equal(await textOf(developer), "last");
  });

  test("counts as editors save: by renaming, by removing first, in pieces", async () => {
    const { project, developer } = await begin({ "app.ts": says("0") });
    for (let i = 1; i <= 3; ++i) {
      await developer.reloaded(() => project.replace("app.ts", says(`renamed ${i}`)));
      assert.equal(await textOf(developer), `renamed ${i}`);
    }
    // As vim does with a backup.
    await developer.reloaded(() => {
      project.remove("app.ts");
      project.write("app.ts", says("removed first"));
    });
    assert.equal(await textOf(developer), "removed first");
    await developer.broken(() => project.remove("app.ts"));
    const { status, body } = await developer.fetch();
    assert.equal(status, 500);
    assert.match(body, /^The app cannot be built\n\nthere is no file app\.ts\n/);
    await developer.reloaded(() => project.write("app.ts", says("back")));
    assert.equal(await textOf(developer), "back");
  });

  test("that changes nothing disturbs nobody", async () => {
    const { project, developer } = await begin({ "app.ts": says("same") });
    const events = await Events.open(`${developer.url}/__schemascript/events`);
    const before = developer.errors;
    project.replace("app.ts", says("same"));
    utimesSync(project.path("app.ts"), new Date(), new Date());
    project.write("other.ts", "syntax error(");
    await new Promise((done) => setTimeout(done, 500));
    assert.equal(developer.errors, before);
    assert.doesNotMatch(events.text, /reload/);
    events.close();
  });

  test("is asked for with SIGHUP where no file tells of it", async () => {
    const { project, developer } = await begin({ "app.ts": says("0") });
    await developer.broken(() => project.write("app.ts", "("));
    await developer.after(
      () => developer.signal("SIGHUP"),
      /^schemascript: still the same error$/m,
    );
  });
});

describe("an app that cannot be built", () => {
  const broken = `const one = 1;\nexport default { fetch: () => new Response("<b>" };\nconst two = 2;\n`;

  test("is shown with its source in the terminal, as a page, as JSON and as text", async () => {
    const { project, developer } = await begin({ "app.ts": says("good") });
    await developer.broken(() => project.write("app.ts", broken));
    assert.match(developer.errors, /^app\.ts:2:50: Expected "\)" but found "}"$/m);
    assert.match(
      developer.errors,
      /^ {2}2 \| export default { fetch: \(\) => new Response\("<b>" };$/m,
    );

    const page = await developer.fetch("/any", { accept: "text/html,*/*;q=0.8" });
    assert.equal(page.status, 500);
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(
      page.headers.get("content-security-policy"),
      /^default-src 'none'; script-src 'nonce-/,
    );
    assert.equal(page.headers.get("cache-control"), "no-store");
    assert.match(page.body, /<h1>The app does not build<\/h1>/);
    assert.match(page.body, /app\.ts:2:50/);
    assert.match(
      page.body,
      /class="line meant"><span class="number">2<\/span>.*&lt;b&gt;.*<mark>}<\/mark>/,
    );
    assert.match(page.body, /class="number">1<\/span>const one = 1;/);

    const json = await developer.fetch("/any", { accept: "application/json", method: "POST" });
    assert.equal(json.status, 500);
    assert.equal(json.headers.get("content-type"), "application/json");
    const { error } = JSON.parse(json.body);
    assert.equal(error.title, "The app does not build");
    assert.equal(error.message, `Expected ")" but found "}"`);
    assert.deepEqual([error.file, error.line, error.column], ["app.ts", 2, 50]);
    assert.equal(error.source, `export default { fetch: () => new Response("<b>" };`);

    const text = await developer.fetch("/any");
    assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.match(text.body, /^> 2 \| export default/m);

    await developer.reloaded(() => project.write("app.ts", says("good again")));
    assert.equal(await textOf(developer), "good again");
    await until(
      () => /GET \/any 500/.test(developer.output),
      () => developer.output,
    );
  });

  test("may be so from the start, and the cure may be in a file that nobody named", async () => {
    const { project, developer } = await begin({
      "app.ts": `import { text } from "./lib/text";\nexport default { fetch: () => new Response(text) };\n`,
      "lib/text.ts": `export const txet = "typed too fast";\n`,
    });
    assert.match(developer.errors, /No matching export in "lib\/text\.ts" for import "text"/);
    assert.equal((await developer.fetch()).status, 500);
    await developer.reloaded(() => project.write("lib/text.ts", `export const text = "cured";\n`));
    assert.equal(await textOf(developer), "cured");
  });

  test("is built when the file that it lacks comes to be, in a folder that comes to be", async () => {
    const { project, developer } = await begin({
      "app.ts": `import { text } from "./new/deep/text";\nexport default { fetch: () => new Response(text) };\n`,
    });
    assert.match(await textOf(developer), /cannot find the import "\.\/new\/deep\/text"/);
    await developer.reloaded(() =>
      project.write("new/deep/text.ts", `export const text = "here";\n`),
    );
    assert.equal(await textOf(developer), "here");
  });

  test("does not build again and again because of what is written beside it", async () => {
    const { project, developer } = await begin({ "app.ts": "(" });
    const before = developer.errors;
    for (const name of ["log", "app.db", ".app.ts.swp", "notes.md", "data.json"]) {
      project.write(name, "x");
    }
    await new Promise((done) => setTimeout(done, 500));
    assert.equal(developer.errors, before);
    // The same error in other words of the source is said again.
    await developer.after(
      () => project.write("app.ts", "( "),
      /^schemascript: (still the same error|requests get this error|not reloaded)/m,
    );
  });

  test("says what module scope threw, and which limit it exceeded", async () => {
    const { project, developer } = await begin({ "app.ts": says("good") }, [
      ...["--port", "0", "--limit", "runTimeMax=300ms"],
    ]);
    await developer.broken(() =>
      project.write(
        "app.ts",
        `const settings = undefined;\nexport const x = settings.port;\nexport default {};\n`,
      ),
    );
    let body = await textOf(developer);
    assert.match(
      body,
      /^The app cannot be loaded\n\nTypeError: cannot read property 'port' of undefined\napp\.ts:2:/,
    );
    await developer.broken(() => project.write("app.ts", "for (;;);\nexport default {};\n"));
    body = await textOf(developer);
    assert.match(body, /the time limit of 300ms was exceeded \(--limit runTimeMax=\)/);
    assert.match(developer.errors, /the time limit of 300ms was exceeded \(--limit runTimeMax=\)/);
    await developer.reloaded(() => project.write("app.ts", says("good")));
  });
});

describe("a handler that fails", () => {
  const app = `

function inner(text: string): never {
  throw new Error(text, { cause: new RangeError("<i>the cause</i>") });
}
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/throw") inner("<script>alert('\\u202e')</script>");
    if (pathname === "/loop") for (;;);
    if (pathname === "/never") await new Promise(() => {});
    if (pathname === "/none") return undefined as never;
    return new Response("fine");
  },
};
`;

  test("is shown with the line that threw; the next request is served", async () => {
    const { developer } = await begin({ "app.ts": app }, [
      "--port",
      "0",
      "--limit",
      "runTimeMax=300ms",
    ]);
    const page = await developer.fetch("/throw?secret=1", { accept: "text/html" });
    assert.equal(page.status, 500);
    assert.match(page.body, /<h1>The app threw an error<\/h1><p class="subtitle">GET \/throw<\/p>/);
    assert.doesNotMatch(page.body, /<script>alert|secret=1|<i>/);
    assert.match(page.body, /Error: &lt;script&gt;alert\(&#39;\\u202e&#39;\)&lt;\/script&gt;/);
    assert.match(page.body, /class="line meant"><span class="number">4<\/span>/);
    assert.match(
      page.body,
      /<li>at inner \(app\.ts:4:\d+\)<\/li><li>at fetch \(app\.ts:9:\d+\)<\/li>/,
    );
    assert.match(page.body, /Caused by<\/h2><p class="headline">RangeError: &lt;i&gt;the cause/);
    assert.match(page.body, /data-repeatable="yes"/);
    // The page is of the build that is served: it has nothing to wait for yet.
    const [, build] = /data-build="([^"]+)"/.exec(page.body);
    const events = await Events.open(`${developer.url}/__schemascript/events?build=${build}`);
    await events.comes(new RegExp(`^id: ${build}$`, "m"));
    assert.doesNotMatch(events.text, /reload/);
    events.close();
    const sent = await developer.fetch("/throw", {
      accept: "text/html",
      method: "POST",
      body: "x",
    });
    assert.match(sent.body, /data-repeatable="no"/);
    await until(
      () => /\| {3}4 \| {3}throw new Error/.test(developer.output),
      () => developer.output,
    );
    assert.match(developer.output, /GET \/throw 500/);
    assert.equal(await textOf(developer, "/"), "fine");

    const loop = await developer.fetch("/loop", { accept: "application/json" });
    assert.equal(loop.status, 504);
    assert.match(
      JSON.parse(loop.body).error.message,
      /\(--limit runTimeMax=\) at fetch \(app\.ts:10:/,
    );
    const never = await developer.fetch("/never");
    assert.equal(never.status, 500);
    assert.match(never.body, /^The app never answers\n/);
    const none = await developer.fetch("/none");
    assert.match(none.body, /^The app threw an error\n\nTypeError/);
    const head = await developer.fetch("/throw", { method: "HEAD" });
    assert.deepEqual([head.status, head.body], [500, ""]);
  });
});

describe("the schema", () => {
  test("is brought to a database beside the app, and new tables to it", async () => {
    const { project, developer } = await begin({
      "app.ts": withTables(
        notes("text: prop.text()"),
        "await db.insert(notes).values({ text: 'x' }).returning()",
      ),
    });
    assert.match(developer.errors, /^schemascript: schema: created table notes$/m);
    assert.equal(await textOf(developer), `[{"id":1,"text":"x"}]`);
    assert.ok(existsSync(project.path(".schemascript/dev.db")));
    assert.equal(readFileSync(project.path(".schemascript/.gitignore"), "utf8"), "*\n");
    const line = await developer.reloaded(() =>
      project.write(
        "app.ts",
        withTables(
          `${notes("text: prop.text()")}\nconst tags = Table("tags", (prop) => ({ name: prop.text().unique() }));\nconst all = database({ tags });`,
          "[await db.select().from(notes), await all.select().from(tags)]",
        ),
      ),
    );
    assert.match(line, /\(schema: created table tags.*\)$/);
    assert.equal(await textOf(developer), `[[{"id":1,"text":"x"}],[]]`);
    const before = readFileSync(project.path("app.ts"), "utf8");
    const many = Array.from(
      { length: 9 },
      (_, i) => `const t${i} = Table("t${i}", (prop) => ({ name: prop.text() }));`,
    );
    const names = many.map((_, i) => `t${i}`).join(", ");
    const long = await developer.reloaded(() =>
      project.write(
        "app.ts",
        withTables(
          `${notes("text: prop.text()")}\n${many.join("\n")}\nexport const more = database({ ${names} });`,
          "await db.select().from(notes)",
        ),
      ),
    );
    assert.match(long, /created table t0, table t1, table t2, table t3, table t4 and 4 more\)$/);
    await developer.reloaded(() => project.write("app.ts", before));
    // The rows stay from one server to the next.
    await developer.stop();
    const again = await Developer.start(project);
    assert.equal(await textOf(again), `[[{"id":1,"text":"x"}],[]]`);
    assert.doesNotMatch(again.errors, /schema:/);
    await again.stop();
  });

  test("is refused where rows could be lost, with what differs and what to do", async () => {
    const good = withTables(notes("text: prop.text()"), "await db.select().from(notes)");
    const { project, developer } = await begin({ "app.ts": good });
    await developer.broken(() =>
      project.write(
        "app.ts",
        withTables(notes("text: prop.integer()"), "await db.select().from(notes)"),
      ),
    );
    const page = await developer.fetch("/", { accept: "text/html" });
    assert.equal(page.status, 500);
    assert.match(page.body, /<h1>The schema does not fit the database<\/h1>/);
    assert.match(page.body, /notes\.text: INTEGER.* here, TEXT.* in the database/);
    assert.match(
      page.body,
      /take the change back; or end this server, delete \.schemascript\/dev\.db/,
    );
    assert.match(developer.errors, /notes\.text: INTEGER/);
    assert.match(developer.errors, /delete \.schemascript\/dev\.db/);
    await developer.reloaded(() => project.write("app.ts", good));
    assert.equal(await textOf(developer), "[]");
  });

  test("is brought to the database of each tenant", async () => {
    const good = withTables(notes("text: prop.text()"), "await db.select().from(notes)");
    const project = new Project({ "app.ts": good, "tenants/acme.db": "", "tenants/zeta.db": "" });
    const developer = await Developer.start(project, [
      ...["--port", "0", "--tenants", "tenants", "--tenant-from", "path"],
    ]);
    running.add(async () => {
      await developer.stop();
      rmSync(project.folder, { recursive: true });
    });
    assert.match(
      developer.errors,
      /^schemascript: schema: created acme: table notes, zeta: table notes$/m,
    );
    assert.equal(await textOf(developer, "/acme/"), "[]");
    assert.ok(!existsSync(project.path(".schemascript")));
    await developer.broken(() =>
      project.write(
        "app.ts",
        withTables(notes("title: prop.text()"), "await db.select().from(notes)"),
      ),
    );
    const { body } = await developer.fetch("/zeta/");
    assert.match(body, /^tenant acme: the database differs from the schema/m);
    assert.match(body, /notes\.title: missing in the database/);
    await developer.reloaded(() => project.write("app.ts", good));
    const none = await developer.fetch("/nobody/");
    assert.equal(none.status, 404);
    assert.match(none.body, /there is no database of this tenant/);
  });
});

describe("the settings", () => {
  const env = `export default { fetch: (request, env) => Response.json(env) };\n`;

  test("are read again: the environment, and schemascript.json", async () => {
    const { project, developer } = await begin({
      "app.ts": env,
      "my.env": "NAME=one\n",
      "schemascript.json": `{ "envFile": "my.env" }`,
    });
    assert.equal(await textOf(developer), `{"NAME":"one"}`);
    await developer.reloaded(() => project.replace("my.env", "NAME=two\n"));
    assert.equal(await textOf(developer), `{"NAME":"two"}`);
    await developer.broken(() => project.write("my.env", "NAME='two\n"));
    assert.match(await textOf(developer), /^The app cannot be built\n\nmy\.env:1/);
    await developer.reloaded(() => project.write("my.env", "NAME=three\n"));

    await developer.broken(() => project.write("schemascript.json", "{"));
    assert.match(await textOf(developer), /^The settings cannot be used\n\n.*schemascript\.json/);
    const line = await developer.after(
      () =>
        project.write(
          "schemascript.json",
          `{ "envFile": "my.env", "threads": 1, "limits": { "queueMax": 7 } }`,
        ),
      /^schemascript: schemascript\.json: .*$/m,
    );
    assert.match(
      line,
      /: limits\.queueMax, threads take effect when this server is started again$/,
    );
    assert.equal(await textOf(developer), `{"NAME":"three"}`);
  });

  test("may be schedules, which count at once", async () => {
    const app = `export default { fetch: () => new Response(""), scheduled: () => console.log("came") };\n`;
    const file = (cron) => `{ "schedules": [{ "cron": "${cron}" }] }`;
    const { project, developer } = await begin({
      "app.ts": app,
      "schemascript.json": file("0 0 1 1 *"),
    });
    await developer.reloaded(() => project.write("schemascript.json", file("1 0 1 1 *")));
    await developer.reloaded(() => project.write("schemascript.json", "{}"));
    assert.doesNotMatch(developer.errors, /take/);
  });

  test("may come to be later", async () => {
    const { project, developer } = await begin({ "app.ts": env });
    await developer.broken(() => project.write("schemascript.json", `{ "prot": 1 }`));
    assert.match(await textOf(developer), /did you mean "port"\?/);
    await developer.reloaded(() => project.remove("schemascript.json"));
  });
});

describe("the server", () => {
  /** A port that is taken until `close()`. */
  async function takePort(port = 0) {
    const server = createServer();
    server.listen(port, "127.0.0.1");
    await Promise.race([once(server, "listening"), once(server, "error")]);
    return { port: server.address()?.port, close: () => server.close() };
  }

  test("takes the next port where its own is taken, unless that was named", async () => {
    const taken = await takePort(8787);
    const { developer, project } = await begin({ "app.ts": says("moved") }, []);
    const port = Number(new URL(developer.url).port);
    assert.ok(port > 8787 && port < 8807, `${port}`);
    assert.match(
      developer.errors,
      /^schemascript: serving app\.ts at \S+ \(port 8787 is taken\)$/m,
    );
    assert.equal(await textOf(developer), "moved");
    const named = spawnSync(program, ["dev", "app.ts", "--port", `${port}`], {
      cwd: project.folder,
      encoding: "utf8",
      timeout: 60_000,
    });
    assert.equal(named.status, 4, named.stderr);
    assert.match(named.stderr, new RegExp(`${port}`));
    taken.close();
  });

  test("says what is wrong with its command line, and serves nothing", () => {
    const run = (...words) =>
      spawnSync(program, ["dev", ...words], { encoding: "utf8", timeout: 60_000 });
    for (const [words, pattern] of [
      [["nothing.ts"], /^schemascript: there is no file nothing\.ts$/m],
      [[], /^schemascript: name the app to serve: schemascript dev FILE\.ts/m],
      [["app.ts", "--push"], /unknown option '--push'/],
      [["app.txt"], /not a TypeScript or JavaScript file/],
    ]) {
      const { status, stderr } = run(...words);
      assert.equal(status, 2, stderr);
      assert.match(stderr, pattern);
    }
  });

  test("ends at a signal, whoever listens and whatever runs", async () => {
    const { project, developer } = await begin({
      "app.ts": `export default { async fetch() { await new Promise((done) => setTimeout(done, 300)); return new Response("finished"); } };`,
    });
    const events = await Events.open(`${developer.url}/__schemascript/events`);
    await events.comes(/^id: /m);
    const begun = textOf(developer);
    await new Promise((done) => setTimeout(done, 100));
    const took = await developer.stop("SIGTERM");
    assert.equal(await begun, "finished");
    assert.ok(took < 2900, `${took} ms: the stream of events was waited for`);
    await until(() => events.isOver, "the stream goes on");

    // An app that loops while it is loaded.
    project.write("app.ts", says("good"));
    const other = await Developer.start(project);
    project.write("app.ts", "for (;;);\n");
    await new Promise((done) => setTimeout(done, 700));
    assert.ok((await other.stop()) < 10_000);
    assert.doesNotMatch(other.errors, /time limit/);
  });

  test("tells who listens, and who comes back", async () => {
    const { project, developer } = await begin({ "app.ts": says("0") });
    const url = `${developer.url}/__schemascript/events`;
    const events = await Events.open(url);
    assert.equal(events.type, "text/event-stream");
    const [, first] = await events.comes(/^id: (\S+)$/m);
    await developer.reloaded(() => project.write("app.ts", says("1")));
    const [, second] = await events.comes(/^event: reload\nid: (\S+)\ndata: \1\n\n/m);
    assert.notEqual(second, first);
    await developer.broken(() => project.write("app.ts", "("));
    const [, third] = await events.comes(
      new RegExp(`data: ${second}\\n\\nevent: reload\\nid: (\\S+)`),
    );
    for (const [path, headers] of [
      [`?build=${second}`, {}],
      ["", { "last-event-id": first }],
    ]) {
      const late = await Events.open(url + path, headers);
      await late.comes(new RegExp(`^event: reload\\nid: ${third}$`, "m"));
      late.close();
    }
    events.close();
    // Nothing else of the app's is taken.
    await developer.reloaded(() =>
      project.write(
        "app.ts",
        `export default { fetch: (request) => new Response(new URL(request.url).pathname) };`,
      ),
    );
    assert.equal(await textOf(developer, "/__schemascript/other"), "/__schemascript/other");
  });

  test("does not answer to the name of another site", async () => {
    const { developer } = await begin({ "app.ts": says("mine") });
    const { port } = new URL(developer.url);
    for (const [host, status] of [
      [`localhost:${port}`, 200],
      [`127.0.0.1:${port}`, 200],
      [`a.localhost:${port}`, 200],
      [`rebound.example:${port}`, 403],
    ]) {
      const answer = await new Promise((resolve, reject) => {
        get(developer.url, { headers: { host } }, async (response) => {
          resolve([response.statusCode, await text(response)]);
        }).on("error", reject);
      });
      assert.equal(answer[0], status, host);
      if (status === 403) assert.match(answer[1], /not to the name rebound\.example:\d+,/);
    }
  });

  test("leaves the app's own pages alone", async () => {
    const html = "<!doctype html><title>mine</title><body>exactly this</body>";
    const { developer } = await begin({
      "app.ts": `export default { fetch: () => new Response(${JSON.stringify(html)}, { headers: { "content-type": "text/html" } }) };`,
    });
    const { body, headers } = await developer.fetch("/", { accept: "text/html" });
    assert.equal(body, html);
    assert.equal(headers.get("content-security-policy"), null);
  });
});

describe("docs/dev.md", () => {
  const guide = readFileSync(join(top, "docs/dev.md"), "utf8");
  const app = /```ts\n([\s\S]*?)```/.exec(guide)[1];

  test("shows what the terminal shows", async () => {
    const { project, developer } = await begin({ "app.ts": app });
    await developer.broken(() => project.write("app.ts", app.replace("(notes));", "(notes);")));
    await developer.reloaded(() => project.write("app.ts", app));
    const lines = guide.split("\n").map((line) => line.replace(/^ {4}/, ""));
    const begins = lines.indexOf("$ schemascript dev app.ts") + 1;
    const shown = lines.slice(begins, lines.indexOf("", begins)).join("\n");
    const usual = (text) => text.replace(/in \d+ ms/, "in 38 ms").replace(/:\d+$/m, ":8787");
    assert.equal(usual(developer.errors.trimEnd()), shown);
  });
});

const chromium = findChromium();
describe(
  "the page of an error in a browser",
  { skip: chromium ? false : "there is no Chromium" },
  () => {
    let browser;
    let shots;
    before(() => {
      browser = Browser.start(chromium);
      shots = process.env.SCREENSHOTS && resolve(process.env.SCREENSHOTS);
      if (shots) mkdirSync(shots, { recursive: true });
    });
    after(() => browser?.stop());
    const picture = (page, name) => shots && page.screenshot(join(shots, `${name}.png`));

    const html = (body) =>
      `export default { fetch: () => new Response(${JSON.stringify(`<!doctype html><title>app</title><p>${body}</p>`)}, { headers: { "content-type": "text/html" } }) };\n`;

    test("is shown, changes with the error, and gives way to the app when that is good again", async () => {
      const { project, developer } = await begin({
        "app.ts": `const text = "<b>";\nconst x: = 1;\n`,
      });
      const page = await browser.open(`${developer.url}/`);
      assert.equal(await page.text("h1"), "The app does not build");
      assert.equal(await page.text(".headline"), 'Unexpected "="');
      assert.equal(await page.text("figcaption"), "app.ts:2:10");
      assert.match(await page.text(".meant"), /const x: = 1;/);
      assert.equal(await page.text("mark"), "=");
      assert.equal(
        await page.evaluate("getComputedStyle(document.body).backgroundColor"),
        "rgb(255, 255, 255)",
      );
      await picture(page, "build-light");
      await page.prefer("dark");
      assert.equal(
        await page.evaluate("getComputedStyle(document.body).backgroundColor"),
        "rgb(23, 24, 26)",
      );
      await picture(page, "build-dark");

      project.write("app.ts", `throw new Error("<img src=x onerror='document.title=1'>");\n`);
      await page.until(`document.querySelector("h1")?.innerText === "The app cannot be loaded"`);
      assert.equal(await page.text(".headline"), "Error: <img src=x onerror='document.title=1'>");
      assert.equal(await page.evaluate("document.title"), "The app cannot be loaded");
      assert.equal(await page.evaluate("document.images.length"), 0);

      project.write("app.ts", html("good again"));
      await page.until(`document.querySelector("p")?.innerText === "good again"`);
      const problems = page.problems.filter((problem) => !/status of 500/.test(problem));
      assert.deepEqual(problems, []);
    });

    test("comes and goes on its own where the app's page has the lines of docs/dev.md", async () => {
      const guide = readFileSync(join(top, "docs/dev.md"), "utf8");
      const lines = /```html\n([\s\S]*?)```/.exec(guide)[1];
      const { project, developer } = await begin({ "app.ts": html(`one</p>${lines}<p>`) });
      const page = await browser.open(`${developer.url}/`);
      assert.equal(await page.text("p"), "one");
      // When the page has come to listen, nobody can see from here.
      const shows = (text) =>
        page.evaluate(`document.querySelector("p")?.innerText`).then(
          (shown) => shown === text,
          () => false,
        );
      for (let i = 0, isSeen = false; !isSeen; ++i) {
        assert.ok(i < 20, "the page does not listen");
        await developer.reloaded(() => project.write("app.ts", html(`two ${i}</p>${lines}<p>`)));
        for (let waited = 0; waited < 50 && !isSeen; ++waited) {
          isSeen = await shows(`two ${i}`);
          await new Promise((done) => setTimeout(done, 20));
        }
      }
      await until(
        () => page.evaluate("document.readyState === 'complete'").catch(() => false),
        "never loaded",
      );
      await new Promise((done) => setTimeout(done, 300));
      project.write("app.ts", "(");
      await page.until(`document.querySelector("h1")?.innerText === "The app does not build"`);
      project.write("app.ts", html(`three</p>${lines}<p>`));
      await page.until(`document.querySelector("p")?.innerText === "three"`);
    });

    test("waits for a server that has ended, and does not send a form again", async () => {
      const app = `export default { fetch: (request) => { if (request.method === "POST") throw new Error("sent"); return new Response("<!doctype html><form method=post><button>go</button></form>", { headers: { "content-type": "text/html" } }); } };\n`;
      const { project, developer } = await begin({ "app.ts": app });
      const page = await browser.open(`${developer.url}/`);
      await page.click("button");
      await page.until(`document.querySelector(".headline")?.innerText === "Error: sent"`);
      await picture(page, "form");
      assert.match(
        await page.text(".status"),
        /^When the app has been built anew, this page says so/,
      );
      await developer.reloaded(() => project.write("app.ts", app.replace("sent", "sent again")));
      await page.until(
        `/^The app has been built anew/.test(document.querySelector(".status").innerText)`,
      );

      await developer.broken(() => project.write("app.ts", "("));
      const other = await browser.open(`${developer.url}/`);
      await other.until(`document.querySelector("h1") !== null`);
      await developer.stop();
      await other.until(
        `/^The server is not there/.test(document.querySelector(".status").innerText)`,
      );
      project.write("app.ts", html("good in the next one"));
      const port = new URL(developer.url).port;
      const next = await Developer.start(project, ["--port", port]);
      await other.until(`document.querySelector("p")?.innerText === "good in the next one"`);
      await next.stop();
    });
  },
);
