// Requests of all kinds and bytes, of which an app gets exactly what they say. SEED=number repeats a run; REQUESTS=number makes it longer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { randomFrom } from "../random.mjs";
import { Connection, Server } from "./server.mjs";

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const REQUESTS = Number(process.env.REQUESTS ?? 600);
const random = randomFrom(seed);

const upTo = (max) => Math.floor(random() * (max + 1));
const oneOf = (list) => list[upTo(list.length - 1)];
const text = (characters, max, min = 0) =>
  Array.from({ length: min + upTo(max - min) }, () => oneOf(characters)).join("");
const between = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, index) => String.fromCharCode(first + index));

const VISIBLE = between(0x21, 0x7e);
const TOKEN = [..."!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];
// Without `^`: the standard escapes it in paths since 2023, and not every version of Node does.
const TARGET = VISIBLE.filter((character) => !"#^".includes(character));
// Latin-1, as HTTP's fields are for JavaScript.
const VALUE = [...VISIBLE, ...between(0x80, 0xff), " ", "\t"];
const PIECES = [
  "/",
  "/",
  "a",
  "..",
  ".",
  "%2e",
  "%2F",
  "%00",
  "%",
  "?",
  "&x=1",
  "//",
  "\\",
  "=",
  "+",
  ";",
];
// What the server itself reads, and what it adds.
const OWN = /^(host|content-length|transfer-encoding|connection|expect|upgrade|x-request-id)$/;

function randomTarget() {
  const part = () => (random() < 0.6 ? oneOf(PIECES) : text(TARGET, 6));
  return `/${Array.from({ length: upTo(8) }, part).join("")}`;
}

function randomMethod() {
  if (random() < 0.7) return oneOf(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]);
  const method = text(TOKEN, 12, 1);
  return method === "HEAD" || method === "CONNECT" ? "GET" : method;
}

function randomFields() {
  const names = Array.from({ length: upTo(6) }, () =>
    random() < 0.4 ? oneOf(["Accept", "X-A", "x-a", "Cookie", "Range"]) : text(TOKEN, 10, 1),
  );
  return names
    .filter((name) => !OWN.test(name.toLowerCase()))
    .map((name) => [name, text(VALUE, 20)]);
}

/** The body's bytes, and how they are sent. */
function randomBody() {
  const bytes = Buffer.from(
    Array.from({ length: random() < 0.5 ? 0 : upTo(300) }, () => upTo(255)),
  );
  if (bytes.length === 0 || random() < 0.5)
    return {
      bytes,
      field: bytes.length > 0 ? `Content-Length: ${bytes.length}\n` : "",
      sent: bytes,
    };
  const chunks = [];
  for (let at = 0; at < bytes.length; ) {
    const chunk = bytes.subarray(at, at + 1 + upTo(120));
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
    at += chunk.length;
  }
  return {
    bytes,
    field: "Transfer-Encoding: chunked\n",
    sent: Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]),
  };
}

/** As Headers have them: names in lower case and sorted, values of one name together. */
function combined(fields) {
  const values = new Map();
  for (const [given, value] of fields) {
    const name = given.toLowerCase();
    const trimmed = value.replace(/^[\t ]+|[\t ]+$/g, "");
    const separator = name === "cookie" ? "; " : ", ";
    values.set(name, values.has(name) ? values.get(name) + separator + trimmed : trimmed);
  }
  return [...values].sort(([one], [other]) => (one < other ? -1 : 1));
}

let server;
before(async () => (server = await Server.start("test/serve/mirror-app.ts")));
after(() => server?.stop());

test(`an app gets any request as it was sent (SEED=${seed})`, async () => {
  let connection = await Connection.open(server.port);
  for (let count = 0; count < REQUESTS; ++count) {
    const method = randomMethod();
    const target = randomTarget();
    const fields = randomFields();
    const body = randomBody();
    const lines = fields.map(([name, value]) => `${name}: ${value}\n`).join("");
    const head = `${method} ${target} HTTP/1.1\nHost: app.example\n${lines}${body.field}\n`;
    const bytes = Buffer.concat([Buffer.from(head.replaceAll("\n", "\r\n"), "latin1"), body.sent]);
    // In one piece, or in two.
    const cut = upTo(bytes.length);
    connection.write(bytes.subarray(0, cut));
    if (random() < 0.1) await new Promise((done) => setTimeout(done, 1));
    connection.write(bytes.subarray(cut));

    const answer = await connection.answer();
    const what = `request ${count}: ${JSON.stringify(head)}`;
    if (method === "TRACE" || answer.status !== 200) {
      // Those that the standard's Request has not.
      assert.match(method, /^(connect|trace|track)$/i, `${what}: ${answer.status} ${answer.body}`);
      continue;
    }
    const seen = JSON.parse(answer.body);
    assert.equal(seen.method, method, what);
    assert.equal(answer.get("x-method"), method, what);
    assert.equal(seen.url, new URL(`http://app.example${target}`).href, what);
    assert.deepEqual(seen.body, [...body.bytes], what);
    const framing = body.field === "" ? [] : [body.field.trim().split(": ")];
    const expected = combined([...fields, ["host", "app.example"], ...framing]);
    assert.deepEqual(
      seen.headers.filter(([name]) => name !== "x-request-id"),
      expected,
      what,
    );
  }
  connection.close();
});
