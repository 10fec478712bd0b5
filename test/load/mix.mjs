// What is asked of the servers, and how often: reads and writes, apps that fail in every way, and clients that are slow, rude or leave.
import { Fate } from "./journal.mjs";
import { valueOf } from "./value.mjs";

const ALPHABET = Buffer.from("abcdefghijklmnopqrstuvwxyz".repeat(40_000));
const GOING = { leaveAfter: 40 };

const json = ({ body }) => JSON.parse(body.toString());

async function readEntry(target, journal) {
  const number = journal.pick(target.random());
  if (number === undefined) return;
  const before = journal.get(number);
  const answer = await target.ask(journal, { path: `/entry/${number}` }, 200);
  if (answer === undefined) return;
  const rows = json(answer);
  // What became of it while it was asked for cannot be told.
  const after = journal.get(number);
  const least = before === Fate.Acknowledged ? 1 : 0;
  const most = after === Fate.Absent ? 0 : 1;
  target.check(
    rows.length >= least && rows.length <= most,
    `entry ${number} of ${journal.name} is there ${rows.length} times`,
  );
  target.check(
    rows.every((row) => row.number === number && row.value === valueOf(journal.name, number)),
    `entry ${number} of ${journal.name} is ${JSON.stringify(rows)}`,
  );
}

const writeEntry =
  (more = {}) =>
  (target, journal) =>
    target.write(journal, { valueOf, ...more });

const thenPath = (ending) => (number) => `/entry/${number}?then=${ending}`;

async function readTotals(target, journal) {
  const answer = await target.ask(journal, { path: "/totals" }, 200);
  if (answer === undefined) return;
  const { rows, counted } = json(answer);
  target.check(rows === counted, `${rows} entries and a total of ${counted}: half a transaction`);
}

async function readVersion(target, journal) {
  const [least] = target.versions;
  const answer = await target.ask(journal, { path: "/version" }, 200);
  if (answer === undefined) return;
  const { version, requestsSeen } = json(answer);
  target.check(
    version >= least && version <= target.versions[1],
    `version ${version} answers, where ${target.versions.join(" to ")} could`,
  );
  target.check(requestsSeen === 1, `a request saw the state of ${requestsSeen - 1} others`);
}

async function sleepAWhile(target, journal) {
  const slept = 5 + target.below(150);
  const answer = await target.ask(journal, { path: `/sleep/${slept}` }, 200);
  if (answer) target.check(json(answer).slept === slept, "slept for another time");
}

const readText =
  (bytesMax, more = {}) =>
  async (target, journal) => {
    const bytes = 1 + target.below(bytesMax);
    const answer = await target.ask(journal, { path: `/text/${bytes}`, ...more }, 200);
    if (answer === undefined) return;
    target.check(
      answer.body.equals(ALPHABET.subarray(0, bytes)),
      `${answer.body.length} bytes of a text of ${bytes}, or others`,
    );
  };

const echo =
  (bytesMax, more = {}) =>
  async (target, journal) => {
    const from = target.below(26);
    const body = ALPHABET.subarray(from, from + 1 + target.below(bytesMax));
    const answer = await target.ask(journal, { method: "POST", path: "/echo", body, ...more }, 200);
    if (answer)
      target.check(answer.body.equals(body), `${answer.body.length} bytes back of ${body.length}`);
  };

const fails = (path, status) => (target, journal) => target.ask(journal, { path }, status);

/** The client leaves while its transaction is open. It may have been committed before the server saw that. */
async function leaveWrite(target, journal) {
  const number = journal.next();
  const body = valueOf(journal.name, number);
  await target.leave(journal, {
    method: "POST",
    path: `/entry/${number}?then=sleep`,
    body,
    ...GOING,
  });
}

const leaveBody = (target, journal) =>
  target.leave(journal, {
    method: "POST",
    path: "/echo",
    headers: {},
    body: ALPHABET.subarray(0, 200_000),
    writePause: 10,
    ...GOING,
  });

const leaveAnswer = (target, journal) =>
  target.leave(journal, { path: "/text/1000000", leaveAfter: "answer" });

/** What is not HTTP, or is more than is taken. Each is answered 4xx or 5xx, or the connection ends. */
const MALFORMED = [
  "\0\x01\x02\xff\xfe rubbish\r\n\r\n",
  "GET\r\n\r\n",
  "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nbad name: b\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
  "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
  "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnothing like a size\r\n",
  `GET /${"a".repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\nx: ${"b".repeat(20_000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\n${"x: y\r\n".repeat(200)}\r\n`,
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

async function malformed(target) {
  const bytes = Buffer.from(MALFORMED[target.below(MALFORMED.length)], "latin1");
  const answer = await target.client.exchange([bytes]).catch((error) => {
    if (error.constructor.name === "CutOff") return undefined;
    throw error;
  });
  if (answer === undefined) return void ++target.cutOff;
  ++target.malformedAnswered;
  const [line] = bytes.toString("latin1", 0, 60).split("\r\n");
  target.check(answer.status >= 400, `${JSON.stringify(line)} is answered ${answer.status}`);
}

/** Random bytes behind a well-formed beginning: they may be anything but a crash. */
async function noise(target) {
  const bytes = Buffer.from(Array.from({ length: 200 }, () => target.below(256)));
  const head = Buffer.from("GET /version HTTP/1.1\r\nHost: a\r\nx-noise: ");
  await target.client
    .exchange([head, bytes, "\r\n\r\n"], { leaveAfter: 2_000 })
    .then(() => ++target.malformedAnswered)
    .catch(() => ++target.cutOff);
}

/** What apps and clients do that mean well: name, how often, and how. */
const ORDINARY = [
  ["read", 50, readEntry],
  ["write", 25, writeEntry()],
  ["write, chunked", 3, writeEntry({ isChunked: true })],
  ["totals", 1, readTotals],
  ["version", 2, readVersion],
  ["sleep", 4, sleepAWhile],
  ["text", 2, readText(200_000)],
  ["echo", 3, echo(100_000)],
  ["echo, chunked", 2, echo(100_000, { isChunked: true })],
  ["no such path", 1, fails("/nowhere", 404)],
  ["throw", 2, fails("/throw", 500)],
  [
    "throw in a transaction",
    4,
    writeEntry({ path: thenPath("throw"), status: 500, fate: Fate.Absent }),
  ],
  [
    "write behind the answer",
    2,
    writeEntry({ path: (number) => `/later/${number}`, status: 202, fate: Fate.Unknown }),
  ],
  ["slow to send", 0.5, echo(50_000, { writePause: 40 })],
  ["slow to send a chunked body", 0.5, echo(50_000, { isChunked: true, writePause: 40 })],
  ["slow to read", 0.5, readText(1_000_000, { readPause: 20 })],
  ["leaves while it sends", 1, leaveBody],
  ["leaves while it reads", 1, leaveAnswer],
  ["leaves in a transaction", 0.5, leaveWrite],
  ["malformed", 2, malformed],
  ["noise", 0.5, noise],
];

/** What holds a thread for as long as it may. */
const HEAVY = [
  ["never settles", 1, fails("/never", 500)],
  ["loop", 0.1, fails("/loop", 504)],
  ["allocate", 0.1, fails("/allocate", 500)],
];

const tenantNamed = (name, status) => (target) =>
  target.ask(undefined, { path: "/version", headers: { "x-tenant": name } }, status);

const TENANTS = [
  ["unknown tenant", 1, tenantNamed("nobody", 404)],
  ["malformed tenant", 1, tenantNamed("../../etc/passwd", 400)],
];

/** What is left of the ordinary when the server is killed every few seconds. */
const KILLED = ORDINARY.filter(([name]) => /^(read|write|totals|throw in|write behind)/.test(name));

export const MIXES = {
  single: [...ORDINARY, ...HEAVY],
  tenants: [...ORDINARY, ...TENANTS],
  killed: KILLED,
};

/** One of a mix, by its weight; `random` from 0 to 1. */
export function pick(mix, random) {
  let left = random * mix.reduce((sum, [, weight]) => sum + weight, 0);
  return mix.find(([, weight]) => (left -= weight) < 0) ?? mix.at(-1);
}

/** What the tenant asks for that loops all the time, in turns. While it loops in a transaction, nobody else writes to its database. */
export const LOOPS = [
  fails("/loop", 504),
  writeEntry({ path: thenPath("loop"), status: 504, fate: Fate.Absent }),
];
