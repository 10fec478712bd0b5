// What an app says about the connection itself, and what goes over the wire: framing and the life of a connection are the server's.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Connection, Server } from "./server.mjs";

let server;
before(async () => (server = await Server.start("test/serve/connection-app.ts")));
after(() => server?.stop());

/** The answer to a request whose query is `says`, and whether the connection serves on with the answer that belongs to the next. */
async function answerTo(says, { method = "GET", version = "1.1", fields = "" } = {}) {
  const connection = await Connection.open(server.port);
  try {
    connection.send(
      `${method} /?${new URLSearchParams(says)} HTTP/${version}\nHost: a\n${fields}\n`,
    );
    const head = await connection.head();
    const hasNoBody = method === "HEAD" || head.status === 204 || head.status === 304;
    const body = hasNoBody ? "" : (await connection.body(head)).toString();
    if (/\bclose\b/.test(head.get("connection"))) return { ...head, body, servesOn: false };
    connection.send("GET /?status=201 HTTP/1.1\nHost: a\n\n");
    const next = await connection.answer();
    assert.deepEqual([next.status, next.body, connection.rest], [201, "body", ""]);
    return { ...head, body, servesOn: true };
  } finally {
    connection.close();
  }
}
const OWN = ["date", "x-request-id", "content-length", "transfer-encoding", "connection"];
const others = (answer) =>
  answer.fields.filter(([name]) => !OWN.includes(name) && name !== "content-type");

describe("what an app says about the connection", () => {
  test("is left out, and what Connection names with it", async () => {
    const answer = await answerTo([
      ["connection", "keep-alive, x-one"],
      ["x-one", "1"],
      ["x-two", "2"],
      ["keep-alive", "timeout=1000"],
      ["te", "trailers"],
      ["trailer", "x-sum"],
      ["upgrade", "h2c"],
      ["proxy-connection", "keep-alive"],
      ["proxy-authenticate", "Basic"],
    ]);
    assert.deepEqual(others(answer), [["x-two", "2"]]);
    assert.deepEqual([answer.status, answer.body, answer.servesOn], [200, "body", true]);
    assert.equal(answer.get("connection"), undefined);
  });

  test("closes the connection with close alone", async () => {
    for (const says of ["close", "X-One, Close"]) {
      const answer = await answerTo({ connection: says });
      assert.deepEqual([answer.all("connection"), answer.servesOn], [["close"], false]);
      assert.equal(answer.body, "body");
    }
  });

  test("does not change the framing", async () => {
    for (const [says, length, encoding] of [
      [{ "transfer-encoding": "chunked" }, "4", undefined],
      [{ "transfer-encoding": "Chunked", stream: "" }, undefined, "chunked"],
      [{ "content-length": "4" }, "4", undefined],
      [{ "content-length": "4", stream: "" }, "4", undefined],
      [{ "content-length": "4", connection: "content-length", stream: "" }, undefined, "chunked"],
      [{ "content-length": "4", "transfer-encoding": "chunked" }, "4", undefined],
    ]) {
      const answer = await answerTo(says);
      const what = JSON.stringify(says);
      assert.deepEqual([answer.status, answer.body, answer.servesOn], [200, "body", true], what);
      assert.equal(answer.get("content-length"), length, what);
      assert.equal(answer.get("transfer-encoding"), encoding, what);
    }
    const head = await answerTo({ "content-length": "4" }, { method: "HEAD" });
    assert.deepEqual([head.get("content-length"), head.servesOn], ["4", true]);
  });

  test("is a failure of the app where it cannot be so", async () => {
    for (const says of [
      { "transfer-encoding": "gzip" },
      { "transfer-encoding": "gzip, chunked" },
      { "content-length": "3" },
      { "content-length": "5" },
      { "content-length": "4, 4" },
      { "content-length": "-4" },
      { "content-length": "x" },
      { status: "101", upgrade: "websocket", connection: "upgrade" },
      { status: "100" },
      { status: "600" },
    ]) {
      const answer = await answerTo(says);
      const what = JSON.stringify(says);
      assert.deepEqual([answer.status, answer.body], [500, "The request failed.\n"], what);
      assert.deepEqual([others(answer), answer.servesOn], [[], true], what);
    }
  });

  test("breaks a stream off that is not as long as it says", async () => {
    for (const length of ["3", "5"]) {
      const connection = await Connection.open(server.port);
      connection.send(`GET /?stream&content-length=${length} HTTP/1.1\nHost: a\n\n`);
      await assert.rejects(
        async () =>
          connection.body(await connection.head()).then((body) => assert.equal(`${body}`, "x")),
        /the connection ended before|500/,
      );
      connection.close();
    }
  });
});

describe("Upgrade", () => {
  const handshake =
    "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";

  test("is seen by the app, which answers as to any request", async () => {
    const answer = await answerTo({ socket: "" }, { fields: handshake });
    assert.deepEqual([answer.status, answer.body, answer.servesOn], [501, "no sockets here", true]);
    const seen = new Map(JSON.parse((await answerTo({ seen: "" }, { fields: handshake })).body));
    assert.equal(seen.get("upgrade"), "websocket");
    assert.equal(seen.get("connection"), "Upgrade");
    assert.equal(seen.get("sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==");
  });

  test("is ignored for HTTP/2, and the body belongs to the request", async () => {
    const connection = await Connection.open(server.port);
    connection.send(
      "POST / HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\nContent-Length: 3\n\nabc" +
        "GET /?status=201 HTTP/1.1\nHost: a\n\n",
    );
    assert.equal((await connection.answer()).status, 200);
    assert.equal((await connection.answer()).status, 201);
    connection.close();
  });

  test("can be required by the app", async () => {
    const answer = await answerTo({ socket: "" });
    assert.deepEqual([answer.status, answer.servesOn], [426, true]);
    assert.deepEqual(others(answer), [["upgrade", "websocket"]]);
    assert.deepEqual(answer.all("connection"), ["upgrade"]);
    // Elsewhere it would be an offer that nobody keeps.
    assert.deepEqual(others(await answerTo({ upgrade: "websocket" })), []);
  });

  test(
    "fails in clients of WebSockets as a failed handshake",
    { skip: typeof WebSocket === "undefined" },
    async () => {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/?socket`);
      const event = await new Promise((done) => {
        socket.onopen = socket.onclose = done;
        socket.onerror = () => {};
      });
      assert.equal(event.type, "close");
    },
  );
});
