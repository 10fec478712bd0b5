// examples/notes-api over HTTP.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { chunk, Connection, program, Server, top } from "./server.mjs";

const APP = "examples/notes-api/app.ts";
const HOST = "\nHost: localhost";

async function create(server, note) {
  const { status, body, headers } = await server.fetch("/notes", { method: "POST", json: note });
  assert.equal(status, 201, JSON.stringify(body));
  return { ...body, etag: headers.get("etag") };
}

/** An error is problem+json with the status and a sentence. */
function assertProblem(answer, status) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.type, "application/problem+json");
  assert.equal(answer.body.status, status);
  assert.equal(answer.body.type, "about:blank");
  assert.match(answer.body.detail, /^[A-Z].*\.$/);
  assert.doesNotMatch(answer.body.title, /^Error$/);
}

describe("notes-api", () => {
  let server;
  before(async () => (server = await Server.start(APP)));
  after(() => server.stop());
  const get = (path, headers) => server.fetch(path, { headers });

  test("a note is created, read, changed, deleted and brought back", async () => {
    const input = { title: "Life", body: "of a note", tags: ["b", "a", "b"], pinned: true };
    const made = await server.fetch("/notes", { method: "POST", json: input });
    assert.equal(made.status, 201);
    const { id, createdAt } = made.body;
    const path = `/notes/${id}`;
    assert.equal(made.headers.get("location"), path);
    const { updatedAt, deletedAt, ...rest } = made.body;
    assert.deepEqual(rest, { id, ...input, tags: ["a", "b"], createdAt });
    assert.equal(deletedAt, null);
    assert.ok(Math.abs(Date.now() - Date.parse(updatedAt)) < 60_000, updatedAt);

    const read = await get(path);
    assert.equal(read.status, 200);
    assert.deepEqual(read.body, made.body);
    assert.equal(read.headers.get("etag"), made.headers.get("etag"));

    const patched = await server.fetch(path, { method: "PATCH", json: { title: "Changed" } });
    assert.equal(patched.status, 200);
    assert.deepEqual([patched.body.title, patched.body.body], ["Changed", "of a note"]);
    assert.deepEqual(patched.body.tags, ["a", "b"]);
    const put = await server.fetch(path, { method: "PUT", json: { title: "All of it" } });
    assert.equal(put.status, 200);
    assert.deepEqual([put.body.body, put.body.pinned, put.body.tags], ["", false, []]);
    assert.equal(put.body.createdAt, createdAt);

    const deleted = await server.fetch(path, { method: "DELETE" });
    assert.deepEqual([deleted.status, deleted.body], [204, ""]);
    assertProblem(await server.fetch(path, { method: "DELETE" }), 404);
    assertProblem(await server.fetch(path, { method: "PATCH", json: {} }), 404);
    const inTrash = await get("/notes?list=trash");
    assert.deepEqual(
      inTrash.body.notes.map((note) => note.id),
      [id],
    );
    const restored = await server.fetch(`${path}/restore`, { method: "POST" });
    assert.deepEqual([restored.status, restored.body.deletedAt], [200, null]);
    assertProblem(await server.fetch(`${path}/restore`, { method: "POST" }), 404);
  });

  test("who has a version already gets 304, and who changes another one gets 412", async () => {
    const { id, etag } = await create(server, { title: "Versions" });
    const path = `/notes/${id}`;
    const known = await get(path, { "if-none-match": `"x", W/${etag}` });
    assert.deepEqual([known.status, known.body, known.headers.get("etag")], [304, "", etag]);
    assert.equal((await get(path, { "if-none-match": "*" })).status, 304);
    assert.equal((await get(path, { "if-none-match": '"x"' })).status, 200);

    const change = (match) =>
      server.fetch(path, {
        method: "PATCH",
        json: { body: "new" },
        headers: { "if-match": match },
      });
    const changed = await change(etag);
    assert.equal(changed.status, 200);
    assert.notEqual(changed.headers.get("etag"), etag);
    const late = await change(etag);
    assertProblem(late, 412);
    assert.equal(late.headers.get("etag"), changed.headers.get("etag"));
    assertProblem(
      await server.fetch(path, { method: "DELETE", headers: { "if-match": etag } }),
      412,
    );
    assert.equal((await change("*")).status, 200);
    assert.equal((await get(path, { "if-none-match": etag })).status, 200);
  });

  test("fields that are not as they must be are told one by one", async () => {
    const json = { title: "", body: 5, tags: ["ok", "Not OK", 7], id: 9, colour: "red" };
    const answer = await server.fetch("/notes", { method: "POST", json });
    assertProblem(answer, 422);
    assert.deepEqual(
      answer.body.errors.map(({ field, rule }) => `${field} ${rule}`),
      [
        "id unknown",
        "colour unknown",
        "title minLength",
        "body type",
        "tags.1 pattern",
        "tags.2 type",
      ],
    );
    for (const { message } of answer.body.errors) assert.doesNotMatch(message, /Not OK/);

    const fieldsOf = async (method, path, value) => {
      const { status, body } = await server.fetch(path, { method, json: value });
      return [status, ...(body.errors ?? []).map(({ field, rule }) => `${field} ${rule}`)];
    };
    const post = (value) => fieldsOf("POST", "/notes", value);
    const { id } = await create(server, { title: "x".repeat(200), body: "☃".repeat(100_000) });
    assert.deepEqual(await post({}), [422, "title required"]);
    assert.deepEqual(await post({ title: "x".repeat(201) }), [422, "title maxLength"]);
    assert.deepEqual(await post({ title: "x", body: "x".repeat(100_001) }), [
      422,
      "body maxLength",
    ]);
    assert.deepEqual(await post({ title: "nul \0" }), [422, "title type"]);
    assert.deepEqual(await post({ title: "x", tags: "a" }), [422, "tags type"]);
    const many = Array.from({ length: 21 }, (_, index) => `t${index}`);
    assert.deepEqual(await post({ title: "x", tags: many }), [422, "tags maxLength"]);
    assert.deepEqual(await post({ title: "x", updatedAt: new Date() }), [422, "updatedAt unknown"]);
    assert.deepEqual(await fieldsOf("PATCH", `/notes/${id}`, { title: null }), [422, "title null"]);
    assert.deepEqual(await fieldsOf("PUT", `/notes/${id}`, {}), [422, "title required"]);
    for (const value of [[], "text", 5, null]) assert.deepEqual(await post(value), [422]);
    await server.fetch(`/notes/${id}`, { method: "DELETE" });
  });

  test("bodies that cannot be read are refused with the status that says why", async () => {
    const post = (headers, body) => server.fetch("/notes", { method: "POST", headers, body });
    const type = { "content-type": "application/json; charset=utf-8" };
    assertProblem(await post(type, '{"title": '), 400);
    assertProblem(await post(type, Buffer.from([0x22, 0xff, 0x22])), 400);
    assertProblem(await post(type, ""), 400);
    const form = await post({ "content-type": "text/plain" }, '{"title":"x"}');
    assertProblem(form, 415);
    assert.equal(form.headers.get("accept"), "application/json");

    const limit = 512 << 10;
    const padded = (size) => `{"title":"padded"${" ".repeat(size - 18)}}`;
    assert.equal((await post(type, padded(limit))).status, 201);
    assertProblem(await post(type, padded(limit + 1)), 413);
    // Without a Content-Length the service counts.
    const connection = await Connection.open(server.port);
    connection.send(
      `POST /notes HTTP/1.1${HOST}\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n`,
    );
    connection.write(chunk(padded(limit + 1)));
    const answer = await connection.answer();
    assert.equal(answer.status, 413, answer.body);
    connection.close();
  });

  test("what is not there is 404, what cannot be done is 405 with what can", async () => {
    for (const path of [
      "/nothing",
      "/notes/0",
      "/notes/x",
      "/notes/999999",
      "/notes/1/2",
      "/notes/9999999999999999",
    ]) {
      assertProblem(await get(path), 404);
    }
    assertProblem(await get("/tags/%ff"), 405);
    assertProblem(await server.fetch("/tags/%ff", { method: "DELETE" }), 400);
    const answer = await server.fetch("/notes/1", { method: "POST", json: {} });
    assertProblem(answer, 405);
    assert.equal(answer.headers.get("allow"), "DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
    const options = await server.fetch("/notes", { method: "OPTIONS" });
    assert.deepEqual(
      [options.status, options.headers.get("allow")],
      [204, "GET, HEAD, OPTIONS, POST"],
    );
  });

  test("a name that is taken is a conflict", async () => {
    const tag = (method, path, json) => server.fetch(path, { method, json });
    const made = await tag("POST", "/tags", { name: "taken" });
    assert.deepEqual([made.status, made.headers.get("location")], [201, "/tags/taken"]);
    const again = await tag("POST", "/tags", { name: "taken" });
    assertProblem(again, 409);
    assert.match(again.body.detail, /name/);

    const { id, etag } = await create(server, { title: "Tagged", tags: ["free", "other"] });
    assertProblem(await tag("PATCH", "/tags/free", { name: "taken" }), 409);
    assert.equal((await get(`/notes/${id}`)).headers.get("etag"), etag);
    assert.equal((await tag("PATCH", "/tags/free", { name: "freed" })).status, 200);
    const renamed = await get(`/notes/${id}`, { "if-none-match": etag });
    assert.deepEqual([renamed.status, renamed.body.tags], [200, ["freed", "other"]]);
    assert.equal((await tag("DELETE", "/tags/freed")).status, 204);
    assert.deepEqual((await get(`/notes/${id}`)).body.tags, ["other"]);
    assertProblem(await tag("DELETE", "/tags/freed"), 404);
    assertProblem(await tag("PATCH", "/tags/freed", { name: "x" }), 404);
    assertProblem(await tag("POST", "/tags", { name: "Big" }), 422);
    assertProblem(await tag("POST", "/tags", { id: 5, name: "small" }), 422);
    const counts = Object.fromEntries(
      (await get("/tags")).body.map(({ name, notes }) => [name, notes]),
    );
    assert.deepEqual([counts.other, counts.taken], [1, 0]);
  });

  test("pages follow each other without a gap, whatever is written between them", async () => {
    const ids = [];
    for (let n = 0; n < 23; ++n) {
      const { id } = await create(server, {
        title: `Page ${n}`,
        tags: ["pages"],
        pinned: n % 9 === 0,
      });
      ids.push(id);
    }
    const seen = [];
    let path = "/notes?tag=pages&limit=5";
    for (let pages = 0; path !== null; ++pages) {
      assert.ok(pages < 5, path);
      const { status, body } = await get(path);
      assert.equal(status, 200);
      seen.push(...body.notes);
      path = body.next;
      await create(server, { title: "Between", tags: ["pages"], pinned: true });
    }
    const isPinned = (id) => ids.indexOf(id) % 9 === 0;
    const expected = [...ids].reverse().sort((a, b) => Number(isPinned(b)) - Number(isPinned(a)));
    assert.deepEqual(
      seen.map(({ id }) => id),
      expected,
    );
    for (const { tags, excerpt } of seen) assert.deepEqual([tags, excerpt], [["pages"], ""]);

    for (const limit of ["0", "101", "x", "-1", "1.5"]) {
      assertProblem(await get(`/notes?limit=${limit}`), 400);
    }
    const { next } = (await get("/notes?limit=1&q=page")).body;
    const searched = new URL(next, server.url).searchParams.get("cursor");
    for (const cursor of ["x", btoa("[1]"), btoa("[1,2,null]"), btoa("{}"), searched, ""]) {
      assertProblem(await get(`/notes?cursor=${encodeURIComponent(cursor)}`), 400);
    }
  });

  test("a search finds words in titles and texts, the best first, and marks them", async () => {
    const best = await create(server, { title: "Zebra zebra", body: "zebra zebra" });
    const other = await create(server, {
      title: "Animals",
      body: "One zebra among many other words & <b>tags</b>.",
    });
    const { notes } = (await get("/notes?q=ZEBRA")).body;
    assert.deepEqual(
      notes.map(({ id }) => id),
      [best.id, other.id],
    );
    assert.equal(notes[0].title, "\u{E000}Zebra\u{E001} \u{E000}zebra\u{E001}");
    assert.equal(
      notes[1].excerpt,
      "One \u{E000}zebra\u{E001} among many other words & <b>tags</b>.",
    );
    assert.equal("rank" in notes[0], false);
    assert.deepEqual(
      (await get("/notes?q=zeb")).body.notes.map(({ id }) => id),
      [best.id, other.id],
    );
    assert.deepEqual(
      (await get("/notes?q=zebra+animals")).body.notes.map(({ id }) => id),
      [other.id],
    );
    const first = (await get("/notes?q=zebra&limit=1")).body;
    const second = (await get(first.next)).body;
    assert.deepEqual(
      [first.notes[0].id, second.notes[0].id, second.next],
      [best.id, other.id, null],
    );
    for (const typed of ['"', "*", "zebra AND (", "title:", "NEAR(", "-", "\0", "%", "zebra*)"]) {
      const { status, body } = await get(`/notes?q=${encodeURIComponent(typed)}`);
      assert.equal(status, 200, `${typed}: ${JSON.stringify(body)}`);
    }
    await server.fetch(`/notes/${best.id}`, { method: "DELETE" });
    assert.deepEqual(
      (await get("/notes?q=zebra")).body.notes.map(({ id }) => id),
      [other.id],
    );
    assert.deepEqual(
      (await get("/notes?q=zebra&list=trash")).body.notes.map(({ id }) => id),
      [best.id],
    );
  });

  test("the theme is in a cookie, and the page has it", async () => {
    const put = (theme) => server.fetch("/preferences", { method: "PUT", json: { theme } });
    assertProblem(await put("pink"), 422);
    const answer = await put("dark");
    assert.equal(answer.status, 204);
    assert.deepEqual(answer.headers.getSetCookie?.() ?? [answer.headers.get("set-cookie")], [
      "theme=dark; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
    ]);
    const cookie = "other=1; theme=dark";
    assert.deepEqual((await get("/preferences", { cookie })).body, { theme: "dark" });
    assert.deepEqual((await get("/preferences", { cookie: "theme=pink" })).body, {
      theme: "system",
    });

    const light = await get("/");
    const dark = await get("/", { cookie });
    assert.match(light.body, /<html lang="en" data-theme="system">/);
    assert.match(dark.body, /<html lang="en" data-theme="dark">/);
    assert.equal(dark.headers.get("vary"), "cookie");
    assert.match(dark.headers.get("content-security-policy"), /default-src 'none'/);
    const etag = dark.headers.get("etag");
    assert.equal((await get("/", { cookie, "if-none-match": etag })).status, 304);
    assert.equal((await get("/", { "if-none-match": etag })).status, 200);
    for (const [path, type] of [
      ["/page.css", "text/css; charset=utf-8"],
      ["/page.js", "text/javascript; charset=utf-8"],
      ["/icon.svg", "image/svg+xml"],
    ]) {
      const file = await get(path);
      assert.deepEqual([file.status, file.type], [200, type]);
      const again = await get(path, { "if-none-match": file.headers.get("etag") });
      assert.deepEqual([again.status, again.body], [304, ""]);
    }
  });

  test("HEAD answers what GET does, without the body", async () => {
    const { id } = await create(server, { title: "Head" });
    const connection = await Connection.open(server.port);
    for (const path of [`/notes/${id}`, "/", "/nothing", "/export.ndjson"]) {
      connection.send(`GET ${path} HTTP/1.1${HOST}\n\n`);
      const full = await connection.head();
      await connection.body(full);
      connection.send(`HEAD ${path} HTTP/1.1${HOST}\n\nGET /tags HTTP/1.1${HOST}\n\n`);
      const head = await connection.head();
      // How a stream is framed depends on how soon it ends, and is not said to HEAD.
      const own = ["date", "x-request-id"];
      if (path === "/export.ndjson") own.push("transfer-encoding", "content-length");
      const comparable = ({ status, fields }) => [
        status,
        fields.filter(([name]) => !own.includes(name)),
      ];
      assert.deepEqual(comparable(head), comparable(full), path);
      // What comes next is the next answer.
      assert.equal((await connection.answer()).status, 200);
    }
    connection.close();
  });

  test("requests that are sent together are answered in their order", async () => {
    const connection = await Connection.open(server.port);
    const paths = ["/tags", "/nothing", "/preferences", "/notes?limit=1", "/page.css", "/notes/0"];
    connection.send(paths.map((path) => `GET ${path} HTTP/1.1${HOST}\n\n`).join(""));
    const statuses = [];
    for (const _ of paths) statuses.push((await connection.answer()).status);
    assert.deepEqual(statuses, [200, 404, 200, 200, 200, 404]);
    const body = JSON.stringify({ title: "Behind another" });
    const type = "Content-Type: application/json";
    connection.send(
      `POST /notes HTTP/1.1${HOST}\n${type}\nContent-Length: ${body.length}\n\n`,
      `${body}GET /preferences HTTP/1.1${HOST.replace("\n", "\r\n")}\r\nConnection: close\r\n\r\n`,
    );
    assert.equal((await connection.answer()).status, 201);
    const last = await connection.answer();
    assert.deepEqual([last.status, last.get("connection")], [200, "close"]);
  });

  test("who waits for 100 Continue is asked for the body, or gets the answer without it", async () => {
    const body = JSON.stringify({ title: "Continued" });
    const head = (type) =>
      `POST /notes HTTP/1.1${HOST}\nContent-Type: ${type}\nContent-Length: ${body.length}\nExpect: 100-continue\n\n`;
    const connection = await Connection.open(server.port);
    connection.send(head("application/json"));
    assert.equal((await connection.head()).status, 100);
    connection.write(body);
    assert.equal((await connection.answer()).status, 201);
    connection.send(head("text/plain"));
    assert.equal((await connection.head()).status, 415);
    connection.close();
  });

  test("the id of a request is in the answer and in the log", async () => {
    const given = await get("/tags", { "x-request-id": "abc-123" });
    assert.equal(given.headers.get("x-request-id"), "abc-123");
    const made = await get("/notes/0");
    const id = made.headers.get("x-request-id");
    assert.match(id, /^[0-9a-f]{16}$/);
    const records = await server.log(2, ({ request }) => ["abc-123", id].includes(request));
    assert.deepEqual(
      records.map(({ method, path, status }) => [method, path, status]),
      [
        ["GET", "/tags", 200],
        ["GET", "/notes/0", 404],
      ],
    );
  });
});

describe("notes-api, import and export", () => {
  const TEXT = "Grüße, ☃ and 😀. ".repeat(120);
  const COUNT = 3000;
  let server;
  // One thread: who waits must not keep others from it.
  before(async () => (server = await Server.start(APP, { options: ["--threads", "1"] })));
  after(() => server.stop());
  const type = { "content-type": "application/x-ndjson" };

  test("lines come in pieces that end anywhere", async () => {
    const connection = await Connection.open(server.port);
    connection.send(
      `POST /import HTTP/1.1${HOST}\nContent-Type: application/x-ndjson\nTransfer-Encoding: chunked\n\n`,
    );
    const lines = Array.from({ length: COUNT }, (_, n) =>
      JSON.stringify({
        title: `Note ${n} ☃`,
        body: TEXT,
        tags: [`t${n % 7}`],
        updatedAt: new Date(n * 1000),
      }),
    );
    lines.splice(10, 0, "not json", '{"title":""}', "", "[1]");
    const bytes = Buffer.from(lines.join("\n"));
    for (
      let at = 0, size = 1;
      at < bytes.length;
      at += size, size = Math.min(size * 2 + 1, 30_011)
    ) {
      connection.write(chunk(bytes.subarray(at, at + size)));
      if (at < 20) await new Promise((done) => setTimeout(done, 5));
    }
    connection.write(chunk(""));
    const answer = await connection.answer();
    assert.equal(answer.status, 200, answer.body);
    const { imported, rejected, problems } = JSON.parse(answer.body);
    assert.deepEqual([imported, rejected], [COUNT, 3]);
    assert.deepEqual(
      problems.map(({ line, errors }) => [line, errors?.[0].field]),
      [
        [11, undefined],
        [12, "title"],
        [14, undefined],
      ],
    );
    connection.close();
  });

  test("who reads slowly keeps nobody from anything, and sees the notes as they were", async () => {
    const slow = await Connection.open(server.port);
    slow.send(`GET /export.ndjson HTTP/1.1${HOST}\n\n`);
    const head = await slow.head();
    assert.equal(head.status, 200);
    slow.pause();
    for (let n = 0; n < 20; ++n) {
      const { status } = await server.fetch("/notes", {
        method: "POST",
        json: { title: `Meanwhile ${n}` },
      });
      assert.equal(status, 201);
    }
    // It is more than the buffers on the way hold, so that the answer is not complete.
    const isComplete = ({ path }) => path === "/export.ndjson";
    await server.log(20, ({ path, method }) => path === "/notes" && method === "POST");
    assert.deepEqual(await server.log(0, isComplete), []);
    slow.resume();
    const lines = (await slow.body(head))
      .toString()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    slow.close();
    assert.equal(lines.length, COUNT);
    const { createdAt, ...note } = lines[8];
    assert.deepEqual(note, {
      ...{ title: "Note 8 ☃", body: TEXT, pinned: false, tags: ["t1"] },
      updatedAt: "1970-01-01T00:00:08.000Z",
    });
    assert.ok(Date.parse(createdAt) > 0);
  });

  test("who goes in the middle leaves nothing behind", async () => {
    for (let n = 0; n < 20; ++n) {
      const gone = await Connection.open(server.port);
      gone.send(`GET /export.ndjson HTTP/1.1${HOST}\n\n`);
      await gone.head();
      gone.close();
    }
    // Each would hold a cursor, of which there are 16, and a connection, of which there are 64.
    const whole = await server.fetch("/export.ndjson");
    assert.equal(whole.body.split("\n").length, COUNT + 21);
    assert.equal(whole.headers.get("content-disposition"), 'attachment; filename="notes.ndjson"');
  });

  test("what was exported can be imported", async () => {
    const exported = (await server.fetch("/export.ndjson")).body;
    const other = await Server.start(APP);
    try {
      const answer = await other.fetch("/import", {
        method: "POST",
        headers: type,
        body: exported,
      });
      assert.deepEqual(answer.body, { imported: COUNT + 20, rejected: 0, problems: [] });
      assert.equal((await other.fetch("/export.ndjson")).body, exported);
    } finally {
      await other.stop();
    }
  });

  test("a line has a limit, and what was imported before it stays", async () => {
    const body = `{"title":"Before"}\n`.repeat(100) + " ".repeat(400 << 10);
    const before = (await server.fetch("/export.ndjson")).body.split("\n").length;
    assertProblem(await server.fetch("/import", { method: "POST", headers: type, body }), 413);
    assert.equal((await server.fetch("/export.ndjson")).body.split("\n").length, before + 100);
    assertProblem(await server.fetch("/import", { method: "POST", json: {} }), 415);
  });

  test("the nightly clean-up removes what was in the trash for long, and tags of no note", async () => {
    const { id } = await create(server, { title: "Old", tags: ["of-nothing-else"] });
    const { id: young } = await create(server, { title: "Young" });
    for (const each of [id, young]) await server.fetch(`/notes/${each}`, { method: "DELETE" });
    const DAY = 86_400_000;
    const sql = `update notes set deletedAt = ${Date.now() - 31 * DAY} where id = ${id}`;
    execFileSync("sqlite3", [server.database, sql]);
    const cleanUp = () => {
      const words = ["call", `${top}/${APP}`, "scheduled", "{}", "--db", server.database];
      const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
      assert.equal(status, 0, stderr);
      return stdout + stderr;
    };
    assert.match(cleanUp(), /1 notes were removed from the trash/);
    assert.equal((await server.fetch(`/notes/${id}`)).status, 404);
    assert.equal((await server.fetch(`/notes/${young}`)).status, 200);
    const names = (await server.fetch("/tags")).body.map(({ name }) => name);
    assert.equal(names.includes("of-nothing-else"), false);
    assert.equal(names.includes("t1"), true);
    assert.match(cleanUp(), /0 notes were removed/);
  });
});
