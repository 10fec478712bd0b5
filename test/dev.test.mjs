// `schemascript dev` from outside: what an edit, a mistake and a browser get.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/dev.test.mjs
//
// CHROMIUM names the browser's program; without Chromium its test is left out, and with CI set that is a failure.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser, findChromium } from "./browser/chromium.mjs";
import { program } from "./serve/server.mjs";

const WAIT_MAX = 30_000;
const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

const answering = (expression) => `export default { fetch: () => new Response(${expression}) };\n`;

async function until(condition, what) {
  for (const begin = Date.now(); ; await sleep(20)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() - begin > WAIT_MAX) assert.fail(`this did not come: ${what()}`);
  }
}

/** A folder with an app, served while `use` runs. */
class Development {
  folder = mkdtempSync(join(tmpdir(), "dev-"));
  said = "";
  logged = "";

  write(name, text) {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  start(options = ["--port", "0"]) {
    this.said = "";
    this.child = spawn(program, ["dev", "app.ts", ...options], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.closed = once(this.child, "close");
    this.child.stdout.setEncoding("utf8").on("data", (text) => (this.logged += text));
    this.child.stderr.setEncoding("utf8").on("data", (text) => (this.said += text));
    return until(
      () => {
        assert.equal(this.child.exitCode, null, this.said);
        this.url = /serving app\.ts at (http:\S+), with /.exec(this.said)?.[1];
        return this.url;
      },
      () => `the start, after ${this.said}`,
    );
  }

  async ask(path = "/", headers = {}) {
    const response = await fetch(this.url + path, { headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Until an answer is as it should be. */
  answers(isWanted, headers) {
    let last;
    return until(
      async () => {
        last = await this.ask("/", headers);
        return isWanted(last) && last;
      },
      () => `the answer, after ${JSON.stringify(last)} and ${this.said}`,
    );
  }
  says(pattern) {
    return until(
      () => pattern.exec(this.said),
      () => `${pattern} in ${this.said}`,
    );
  }

  async stop(signal = "SIGTERM") {
    this.child.kill(signal);
    const [code] = await this.closed;
    return code;
  }
}

function developing(name, use) {
  test(name, async () => {
    const dev = new Development();
    try {
      await use(dev);
    } finally {
      if (dev.child?.exitCode === null) dev.child.kill("SIGKILL");
      await dev.closed;
      rmSync(dev.folder, { recursive: true, force: true });
    }
  });
}

developing("an edit is answered with, and no request is dropped meanwhile", async (dev) => {
  dev.write("app.ts", `import { word } from "./lib/word";\n${answering("word")}`);
  dev.write("lib/word.ts", `export const word: string = "one";\n`);
  await dev.start();
  let isOver = false;
  const seen = new Set();
  const clients = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const { status, text } = await dev.ask();
      assert.equal(status, 200, text);
      seen.add(text);
    }
  });
  await dev.answers(({ text }) => text === "one");
  dev.write("lib/word.ts", `export const word: string = "two";\n`);
  await dev.answers(({ text }) => text === "two");
  // As editors save: another file takes the name.
  dev.write("lib/word.ts~", `export const word: string = "three";\n`);
  renameSync(join(dev.folder, "lib/word.ts~"), join(dev.folder, "lib/word.ts"));
  await dev.answers(({ text }) => text === "three");
  dev.write("app.ts", answering(`"four"`));
  await dev.answers(({ text }) => text === "four");
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual([...seen].sort(), ["four", "one", "three", "two"]);
  assert.match(dev.said, /^schemascript: reloaded in \d+ ms$/m);
  assert.equal(await dev.stop(), 0);
});

developing("what cannot be built is shown, until it can", async (dev) => {
  dev.write("app.ts", "const word: string = <oops;\n");
  await dev.start();
  for (const isFirst of [true, false]) {
    const plain = await dev.answers(({ status }) => status === 500);
    assert.match(plain.text, /^app\.ts:\d+:\d+: .*\n +\d+ \| .*oops/);
    assert.equal(plain.headers.get("content-type"), "text/plain; charset=utf-8");
    const page = await dev.ask("/any/path", BROWSER);
    assert.equal(page.status, 500);
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(page.headers.get("content-security-policy"), /^default-src 'none'; /);
    assert.match(page.text, /<span class="source">.*&lt;oops.*<\/span>/);
    assert.doesNotMatch(page.text, /<oops/);
    const { error } = JSON.parse((await dev.ask("/", { accept: "application/json" })).text);
    assert.match(error.message, /^app\.ts:\d+:\d+: /);
    assert.match(dev.said, /^schemascript: waiting for a change$/m);
    dev.write("app.ts", answering(`"good"`));
    await dev.answers(({ text }) => text === "good");
    if (isFirst) dev.write("app.ts", `${answering(`"good"`)}<oops;\n`);
  }
});

developing("an import that is missing may come, in a folder that is not there yet", async (dev) => {
  dev.write("app.ts", `import { word } from "./lib/word";\n${answering("word")}`);
  await dev.start();
  assert.match((await dev.ask()).text, /lib\/word/);
  dev.write("lib/word.ts", `export const word = "here";\n`);
  // A change of the app itself helps where the folder was not watched yet when its file came.
  await dev.answers(({ text }) => text === "here");
});

developing("what a request throws is shown with the line of the source", async (dev) => {
  dev.write(
    "app.ts",
    `interface Unused {\n  a: string;\n}\nexport default {\n  fetch() {\n    throw new TypeError("oh <script>no</script>");\n  },\n};\n`,
  );
  await dev.start();
  const plain = await dev.ask();
  assert.equal(plain.status, 500);
  assert.match(plain.text, /^Uncaught TypeError: oh <script>no/);
  assert.match(plain.text, /6 \| +throw new TypeError/);
  assert.match(plain.text, /app\.ts:6:/);
  const page = await dev.ask("/", BROWSER);
  assert.match(page.text, /<h1>Uncaught TypeError: oh &lt;script&gt;no/);
  assert.doesNotMatch(page.text, /<script>no/);
  await until(
    () => /Uncaught TypeError/.test(dev.logged),
    () => `the error in the log, after ${dev.logged}`,
  );
});

developing("a limit is named as it is set here", async (dev) => {
  dev.write("app.ts", "export default { fetch() { for (;;); } };\n");
  await dev.start(["--port", "0", "--limit", "runTimeMax=100ms"]);
  assert.match((await dev.ask()).text, /time limit of 100ms was exceeded \(--limit runTimeMax=\)/);
});

const TABLES = (columns) => `import { database, Table } from "schemascript";
const users = Table("users", (prop) => ({ id: prop.integer().identifier(), ${columns} }));
const db = database({ users });
export default {
  async fetch(request: Request) {
    if (request.method === "POST") await db.insert(users).values(await request.json());
    return Response.json(await db.select().from(users));
  },
};
`;

developing(
  "tables and columns come by themselves, and what would lose rows does not",
  async (dev) => {
    dev.write("app.ts", TABLES("name: prop.text()"));
    await dev.start();
    assert.match(dev.said, /created table users/);
    assert.equal(readFileSync(join(dev.folder, ".schemascript/.gitignore"), "utf8"), "*\n");
    const posted = await fetch(dev.url, { method: "POST", body: `{"name":"Ada"}` });
    assert.deepEqual(await posted.json(), [{ id: 1, name: "Ada" }]);

    dev.write("app.ts", TABLES("name: prop.text(), age: prop.integer().optional()"));
    await dev.says(/reloaded in \d+ ms \(created column users\.age\)/);
    assert.deepEqual(JSON.parse((await dev.ask()).text), [{ id: 1, name: "Ada", age: null }]);

    dev.write("app.ts", TABLES("name: prop.text(), born: prop.integer()"));
    const refused = await dev.answers(({ status }) => status === 500);
    assert.match(refused.text, /users\.age: in the database only/);
    assert.match(refused.text, /users\.born: missing in the database/);
    assert.match(refused.text, /remove .schemascript\/dev\.db/);

    dev.write("app.ts", TABLES("name: prop.text(), age: prop.integer().optional()"));
    const back = await dev.answers(({ status }) => status === 200);
    assert.deepEqual(JSON.parse(back.text), [{ id: 1, name: "Ada", age: null }]);
    assert.equal(await dev.stop("SIGINT"), 0);
  },
);

developing("settings for others are left to serve", async (dev) => {
  dev.write("app.ts", TABLES("name: prop.text()"));
  dev.write("schemascript.json", JSON.stringify({ db: "real.db", adminPort: 1 }));
  await dev.start();
  assert.equal((await dev.ask()).text, "[]");
  assert.equal(existsSync(join(dev.folder, "real.db")), false);
});

developing("the environment is read anew", async (dev) => {
  dev.write("app.ts", "export default { fetch: (_: Request, env) => new Response(env.WORD) };\n");
  dev.write("dev.env", "WORD=one\n");
  await dev.start(["--port", "0", "--env-file", "dev.env"]);
  assert.equal((await dev.ask()).text, "one");
  dev.write("dev.env", "WORD=two\n");
  await dev.answers(({ text }) => text === "two");
});

developing("the next port is taken where nobody asks for one", async (dev) => {
  const servers = [];
  try {
    // The default one may be taken by somebody else on this machine; then it is anyhow.
    const server = createServer().listen(8787, "127.0.0.1");
    await Promise.race([once(server, "listening"), once(server, "error")]);
    servers.push(server);
    dev.write("app.ts", answering(`"here"`));
    await dev.start([]);
    assert.ok(Number(new URL(dev.url).port) > 8787, dev.url);
    assert.equal((await dev.ask()).text, "here");
    const other = new Development();
    other.write("app.ts", answering(`"other"`));
    try {
      await assert.rejects(other.start(["--port", new URL(dev.url).port]), /cannot listen on port/);
    } finally {
      await other.closed;
      rmSync(other.folder, { recursive: true, force: true });
    }
  } finally {
    for (const server of servers) server.close();
  }
});

developing("who listens is told of each build, and does not keep the server", async (dev) => {
  dev.write("app.ts", answering(`"one"`));
  await dev.start();
  const response = await fetch(`${dev.url}/__schemascript/events`);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let events = "";
  const read = async (count) => {
    while ((events.match(/^data: /gm) ?? []).length < count) {
      const { value, done } = await reader.read();
      assert.ok(!done, events);
      events += value;
    }
    return [...events.matchAll(/^event: build\ndata: (\S+)$/gm)].map(([, name]) => name);
  };
  await read(1);
  dev.write("app.ts", answering(`"two"`));
  const names = await read(2);
  assert.equal(new Set(names).size, 2);
  const begin = Date.now();
  assert.equal(await dev.stop(), 0);
  assert.ok(Date.now() - begin < WAIT_MAX);
  assert.equal(await fetch(`${dev.url}/`).catch(() => "gone"), "gone");
});

const chromium = findChromium();
const missing = "there is no Chromium: apt-get install chromium, or set CHROMIUM to its program";
test(
  "a browser shows the error, and then the app",
  { skip: chromium || process.env.CI ? false : missing },
  async () => {
    assert.ok(chromium, missing);
    const dev = new Development();
    let browser;
    try {
      dev.write("app.ts", "throw new Error('at the start');\n");
      await dev.start();
      browser = Browser.start(chromium);
      const page = await browser.open(`${dev.url}/`);
      const title = () => page.evaluate("document.querySelector('h1')?.textContent ?? ''");
      await until(
        async () => /at the start/.test(await title()),
        () => "the page of the error",
      );
      dev.write("app.ts", "throw new Error('still wrong');\n");
      await until(
        async () => /still wrong/.test(await title()),
        () => "the page of the second error",
      );
      dev.write(
        "app.ts",
        `export default { fetch: () => new Response("<h1>fine</h1>", { headers: { "content-type": "text/html" } }) };\n`,
      );
      await until(
        async () => (await title()) === "fine",
        () => "the app's own page",
      );
    } finally {
      await browser?.stop();
      if (dev.child?.exitCode === null) await dev.stop();
      rmSync(dev.folder, { recursive: true, force: true });
    }
  },
);
