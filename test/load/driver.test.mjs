// The driver of the load test itself: what it takes for an answer, and that it sees what a database should not hold.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import test from "node:test";
import { AnswerReader, Client, CutOff, Misbehaved } from "./client.mjs";
import { Fate, Journal } from "./journal.mjs";
import { MIXES, pick } from "./mix.mjs";
import { Target } from "./target.mjs";

const CHUNKED =
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
const PLAIN = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-Request-Id: 7\r\n\r\nhello";

for (const [text, status, body] of [
  [CHUNKED, 200, "abc0123456789"],
  [PLAIN, 404, "hello"],
]) {
  test(`An answer with status ${status} is read whatever pieces it comes in`, () => {
    for (let size = 1; size <= text.length; ++size) {
      const reader = new AnswerReader("GET");
      for (let at = 0; at < text.length; at += size) {
        const answer = reader.add(Buffer.from(text.slice(at, at + size)));
        assert.equal(answer !== undefined, at + size >= text.length, `pieces of ${size}, at ${at}`);
        if (answer) assert.deepEqual([answer.status, answer.body.toString()], [status, body]);
      }
    }
  });
}

for (const [what, text] of [
  ["a status line that is none", "HTTP/2 OK\r\n\r\n"],
  ["a header field without a colon", "HTTP/1.1 200 OK\r\nhello\r\n\r\n"],
  ["bytes behind the answer", `${PLAIN}!`],
  ["a size of a chunk that is none", CHUNKED.replace("A\r\n", "x\r\n")],
  ["a chunk that is longer than it says", CHUNKED.replace("3\r\n", "2\r\n")],
])
  test(`It is not an answer with ${what}`, () =>
    assert.throws(() => new AnswerReader("GET").add(Buffer.from(text)), Misbehaved));

/** A client of a server that answers each connection with `text`, and closes it. */
async function withServer(text, work) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(text));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new Client(server.address().port);
  try {
    return await work(client, server.address().port);
  } finally {
    client.close();
    server.close();
  }
}

test("An answer that ends too early is cut off", () =>
  withServer(PLAIN.slice(0, -1), (client) =>
    assert.rejects(client.request({ path: "/" }), CutOff),
  ));

/** What is found wrong with an answer that should be 404. */
const violationsOf = (text, more = {}) =>
  withServer(text, async (_, port) => {
    const target = new Target({ name: "t", server: { port }, random: Math.random });
    Object.assign(target, more);
    await target.perform("test", () => target.ask(undefined, { path: "/" }, 404));
    target.client.close();
    return target.violations;
  });

test("An answer is held against what it has to be", async () => {
  assert.deepEqual(await violationsOf(PLAIN), []);
  assert.match((await violationsOf(PLAIN.replace("404", "200")))[0], /is answered 200 "hello"/);
  assert.match(
    (await violationsOf(PLAIN.replace("X-Request-Id", "X-Other")))[0],
    /no x-request-id/,
  );
  assert.match((await violationsOf(PLAIN.replace("404", "503")))[0], /without Retry-After/);
  assert.match((await violationsOf(PLAIN.slice(0, 60)))[0], /ended the connection/);
  assert.deepEqual(await violationsOf(PLAIN.slice(0, 60), { mayCutOff: true }), []);
});

const whole = { integrity: "ok", rows: 2, counted: 2, ranges: [[1, 2]], twice: [], wrong: [] };

function journalOf(...fates) {
  const journal = new Journal("db");
  for (const fate of fates) journal.set(journal.next(), fate);
  return journal;
}

test("A database that holds what was acknowledged has no faults", () => {
  const journal = journalOf(Fate.Acknowledged, Fate.Unknown, Fate.Absent, Fate.Unknown);
  assert.deepEqual(journal.faults(whole), []);
});

for (const [what, found, fates = [Fate.Acknowledged, Fate.Acknowledged]] of [
  ["are lost", { ranges: [[2, 2]] }],
  ["are there twice", { twice: [1] }],
  ["hold something else", { wrong: [2] }],
  ["are there: 2", {}, [Fate.Acknowledged, Fate.Absent]],
  ["were never sent: 2", {}, [Fate.Acknowledged]],
  ["half a transaction", { counted: 3 }],
  ["integrity_check says", { integrity: "row 1 missing from index" }],
])
  test(`A database has faults: ${what}`, () => {
    const faults = journalOf(...fates).faults({ ...whole, ...found });
    assert.equal(faults.length, 1);
    assert.ok(faults[0].includes(what), faults[0]);
  });

test("A journal grows with its entries", () => {
  const journal = new Journal("db");
  for (let count = 1; count <= 5_000; ++count) journal.set(journal.next(), Fate.Acknowledged);
  assert.equal(journal.count(Fate.Acknowledged), 5_000);
  assert.equal(journal.get(5_000), Fate.Acknowledged);
  assert.equal(journal.get(5_001), Fate.Unused);
});

test("Each of a mix has its turn", () => {
  for (const mix of Object.values(MIXES)) {
    const picked = new Set();
    for (let part = 0; part < 1; part += 0.0001) picked.add(pick(mix, part)[0]);
    assert.equal(picked.size, mix.length);
  }
});
