// examples/hono over HTTP: that Hono and its middleware work as they are.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Connection, Server } from "./server.mjs";

const ORIGIN = "https://app.example.com";
const authorization = `Basic ${btoa("admin:secret")}`;

describe("hono", () => {
  let server;
  before(async () => {
    const env = { ADMIN_PASSWORD: "secret", COOKIE_SECRET: "salt and pepper" };
    server = await Server.start("examples/hono/app.ts", { env });
  });
  after(() => server.stop());
  const add = (json, headers = { authorization }) =>
    server.fetch("/links", { method: "POST", json, headers });

  test("routes with parameters lead to handlers, what else there is to notFound", async () => {
    assert.equal((await add({ slug: "route", url: "https://example.com/route" })).status, 201);
    const link = await server.fetch("/links/route");
    assert.deepEqual(link.body, { slug: "route", url: "https://example.com/route", visits: 0 });
    for (const path of ["/links/none", "/links/UPPER", "/none", "/links/a/b"]) {
      const { status, body } = await server.fetch(path);
      assert.deepEqual([status, body], [404, { error: "there is nothing here" }], path);
    }
    assert.equal(
      (await server.fetch("/links/route", { method: "DELETE", headers: { authorization } })).status,
      204,
    );
    assert.equal((await server.fetch("/links/route")).status, 404);
  });

  test("basicAuth lets in who knows the password", async () => {
    const link = { slug: "auth", url: "https://example.com/" };
    for (const headers of [
      {},
      { authorization: `Basic ${btoa("admin:Secret")}` },
      { authorization: "Basic !" },
    ]) {
      const { status, headers: answered } = await add(link, headers);
      assert.equal(status, 401);
      if (status === 401)
        assert.equal(answered.get("www-authenticate"), 'Basic realm="Secure Area"');
    }
    assert.equal((await add(link)).status, 201);
    const again = await add(link);
    assert.deepEqual([again.status, again.body], [409, { error: "the slug is taken" }]);
  });

  test("the validator takes a table as its schema", async () => {
    const answer = await add({ slug: "X", url: "nothing" });
    assert.equal(answer.status, 422);
    assert.deepEqual([...new Set(answer.body.errors.map(({ field }) => field))], ["slug", "url"]);
    const malformed = await server.fetch("/links", {
      ...{
        method: "POST",
        body: "{",
        headers: { authorization, "content-type": "application/json" },
      },
    });
    assert.equal(malformed.status, 400);
  });

  test("bodyLimit refuses what is too large, with and without Content-Length", async () => {
    const url = `https://example.com/${"x".repeat(20 << 10)}`;
    const headers = { authorization, "content-type": "application/json" };
    const body = JSON.stringify({ slug: "large", url });
    const known = await server.fetch("/links", { method: "POST", headers, body });
    assert.deepEqual([known.status, known.body], [413, { error: "too large" }]);
    const pieces = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const streamed = await server.fetch("/links", { method: "POST", headers, body: pieces });
    assert.deepEqual([streamed.status, streamed.body], [413, { error: "too large" }]);
  });

  test("etag answers 304, cors its headers, secureHeaders and timing theirs", async () => {
    const first = await server.fetch("/links", { headers: { origin: ORIGIN } });
    assert.equal(first.status, 200);
    const etag = first.headers.get("etag");
    assert.match(etag, /^"[0-9a-f]{40}"$/);
    assert.equal(first.headers.get("access-control-allow-origin"), ORIGIN);
    assert.equal(first.headers.get("x-content-type-options"), "nosniff");
    assert.match(first.headers.get("server-timing"), /^total;dur=/);
    const second = await server.fetch("/links", { headers: { "if-none-match": etag } });
    assert.deepEqual([second.status, second.body, second.headers.get("etag")], [304, "", etag]);

    const connection = await Connection.open(server.port);
    connection.send(
      `OPTIONS /links HTTP/1.1\nHost: a\nOrigin: ${ORIGIN}\nAccess-Control-Request-Method: DELETE\n` +
        "Access-Control-Request-Headers: content-type\n\n",
    );
    const preflight = await connection.head();
    assert.equal(preflight.status, 204);
    assert.equal(preflight.get("access-control-allow-methods"), "GET,POST,DELETE");
    assert.equal(preflight.get("access-control-allow-headers"), "content-type");
    connection.close();
  });

  test("cookies are signed, several are set, and work behind the answer is done", async () => {
    await add({ slug: "go", url: "https://example.com/go" });
    const connection = await Connection.open(server.port);
    connection.send("GET /go HTTP/1.1\nHost: a\n\n");
    const { status, get, all } = await connection.answer();
    assert.deepEqual([status, get("location")], [302, "https://example.com/go"]);
    const [last, visited, ...none] = all("set-cookie");
    assert.match(last, /^last=go\.[A-Za-z0-9%]+; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.equal(visited, "visited=yes; Max-Age=3600; Path=/");
    assert.deepEqual(none, []);

    const cookie = last.split(";")[0];
    const known = await server.fetch("/last", { headers: { cookie } });
    assert.deepEqual(known.body, { last: "go" });
    const forged = cookie.replace("go", "no");
    assert.equal((await server.fetch("/last", { headers: { cookie: forged } })).status, 404);
    connection.send("DELETE /last HTTP/1.1\nHost: a\n\n");
    const removed = await connection.head();
    assert.equal(removed.all("set-cookie").length, 2);
    for (const field of removed.all("set-cookie")) assert.match(field, /Max-Age=0/);
    connection.close();

    // The visit is counted by waitUntil().
    let visits = 0;
    for (let tries = 0; tries < 200 && visits === 0; ++tries) {
      visits = (await server.fetch("/links/go")).body.visits;
    }
    assert.equal(visits, 1);
  });

  test("streams: a file that is made on the way, and server-sent events", async () => {
    const csv = await server.fetch("/export.csv");
    assert.equal(csv.type, "text/csv; charset=utf-8");
    assert.match(csv.body, /^slug,visits,url\n(?:[a-z]+,\d+,"https:[^"]*"\n)+$/);

    const connection = await Connection.open(server.port);
    connection.send("GET /ticks HTTP/1.1\nHost: a\n\nGET / HTTP/1.1\nHost: a\n\n");
    const head = await connection.head();
    assert.deepEqual([head.status, head.get("content-type")], [200, "text/event-stream"]);
    assert.deepEqual(head.all("transfer-encoding"), ["chunked"]);
    const count = (await server.fetch("/links")).body.length;
    const events = [1, 2, 3].map((id) => `event: tick\ndata: ${count}\nid: ${id}\n\n`);
    assert.equal((await connection.body(head)).toString(), events.join(""));
    assert.equal((await connection.answer()).status, 200);
    connection.close();
  });

  test("onError answers for what is thrown", async () => {
    const other = await Server.start("examples/hono/app.ts");
    try {
      const { status, body } = await other.fetch("/last");
      assert.deepEqual([status, body], [503, "COOKIE_SECRET is not set"]);
    } finally {
      await other.stop();
    }
  });
});
