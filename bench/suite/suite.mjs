// Workloads against contenders, in turns: A B C, B C A, ... until the rounds or the time are over.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { USER } from "./roles.mjs";
import { copyDatabase, firstAnswer, freePort, processorTime, stop } from "./processes.mjs";
import { suite } from "./setup.mjs";

/** @typedef {{ name: string, unit: "us" | "ms" | "MB" | "/s" | "", values: (number | string)[] }} Figure */

const SANDBOXES = 15;
/** Of them, one behind the other. Who needs a thread for each has ten. */
const MEMORY_COUNTS = [10, 100, 1000];
const CONNECTIONS = 64;

function checkRow(text) {
  const row = JSON.parse(text);
  if (JSON.stringify(row) !== JSON.stringify(USER))
    throw new Error(`wrong answer: ${text.slice(0, 100)}`);
}

const withUnit = (unit, figures) => figures.map(([name, value]) => ({ name, unit, value }));

/** What is timed inside of a contender; texts are no times. */
const inside = (workload, what) => ({
  what,
  has: (contender) => contender.bench && (contender.workloads?.includes(workload) ?? true),
  async measure(contender, { place }) {
    let { seed: database } = place;
    if (workload === "inserts") {
      database = join(place.folder, "inserts.db");
      copyDatabase(place.seed, database);
    }
    const figures = await contender.bench(workload, database);
    return figures.map(([name, value]) => ({
      name,
      value,
      unit: typeof value === "number" ? "us" : "",
    }));
  },
});

async function wrk(port, seconds) {
  const child = spawn(
    "wrk",
    [
      "-t1",
      `-c${CONNECTIONS}`,
      `-d${seconds}s`,
      "--latency",
      "-s",
      join(suite, "users.lua"),
      `http://127.0.0.1:${port}/user/`,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
  await new Promise((done, fail) => {
    child.on("error", (error) =>
      fail(
        new Error(
          error.code === "ENOENT" ? "there is no wrk (Debian has it as a package)" : error.message,
        ),
      ),
    );
    child.on("close", done);
  });
  return said;
}

/** Of wrk's output. */
export function readWrk(said) {
  const milliseconds = (name) => {
    const [, number, unit] = new RegExp(`${name}%\\s+([\\d.]+)(us|ms|s)\\b`).exec(said);
    return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit];
  };
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(said)?.[1];
  if (bad) throw new Error(`${bad} requests were refused`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(said)[1]),
    p50: milliseconds(50),
    p99: milliseconds(99),
  };
}

export const WORKLOADS = {
  start: {
    what: "A process from its start to its first row, through Drizzle where there is one",
    has: (contender) => contender.start,
    // What is kept for the next start is there, and the files are in memory.
    warm: (contender) => contender.start(),
    async measure(contender) {
      const { said, toFirst, toEnd } = await contender.start();
      checkRow(said);
      const figures = [["to the first row", toFirst]];
      if (toEnd !== undefined) figures.push(["to the end", toEnd]);
      return withUnit("ms", figures);
    },
  },
  sandboxes: {
    what: "A new sandbox, or what comes nearest to it, in a process that is warm, to its first row",
    has: (contender) => contender.sandboxes,
    measure: async (contender) => withUnit("us", await contender.sandboxes(SANDBOXES)),
  },
  select: inside("select", "One row of 100,000 by its key"),
  rows: inside("rows", "A join of 100 rows, and 10,000 rows of 4 columns"),
  inserts: inside(
    "inserts",
    "Inserts, for each row: in a transaction each, 10,000 in one, and 1,000 in a batch",
  ),
  http: {
    what: "GET /user/ID through a Drizzle query that is built anew, 64 connections, another user each time",
    has: (contender) => contender.serve,
    async measure(contender, { seconds }) {
      const port = await freePort();
      const child = await contender.serve(port);
      try {
        checkRow(await firstAnswer(child, port, `/user/${USER.id}`));
        await wrk(port, 1);
        const before = processorTime(child.pid);
        const { perSecond, p50, p99 } = readWrk(await wrk(port, seconds));
        const used = processorTime(child.pid) - before;
        return [
          { name: "requests", unit: "/s", value: perSecond },
          { name: "median", unit: "ms", value: p50 },
          { name: "99 %", unit: "ms", value: p99 },
          { name: "processor time of one", unit: "us", value: used / (perSecond * seconds) },
        ];
      } finally {
        await stop(child);
      }
    },
  },
  memory: {
    what: "Memory of a process with one sandbox that has answered, and for each further one; shared pages count in parts",
    has: (contender) => contender.memory,
    measure: async (contender) =>
      withUnit("MB", await contender.memory(contender.counts ?? MEMORY_COUNTS)),
  },
  javascript: inside("javascript", "JavaScript alone"),
  values: inside("values", "A blob of 1 MB; is 2^53 + 1 read as it was written"),
};

/**
 * @param {string} name Of a workload.
 * @param {{ rounds: number, bound: number, seconds: number, place: object, say: (text: string) => void }} options `bound`: no round begins
 *   that would end behind so many seconds.
 * @returns {Promise<{ workload: string, rounds: number, results: { id: string, label: string, sandbox: string, figures: Figure[], problem?: string }[] }>}
 */
export async function runWorkload(name, contenders, options) {
  const { has, measure, warm } = WORKLOADS[name];
  const results = contenders
    .filter(has)
    .map((contender) => ({ contender, figures: new Map(), problem: undefined }));
  const begin = performance.now();
  let rounds = 0;
  while (rounds < options.rounds) {
    const began = performance.now();
    // Another one begins each time.
    for (let i = 0; i < results.length; ++i) {
      const result = results[(i + rounds) % results.length];
      if (result.problem) continue;
      options.say(`${name}, round ${rounds + 1}: ${result.contender.label}`);
      try {
        if (rounds === 0) await warm?.(result.contender);
        for (const { name: figure, unit, value } of await measure(result.contender, options)) {
          if (!result.figures.has(figure))
            result.figures.set(figure, { name: figure, unit, values: [] });
          result.figures.get(figure).values.push(value);
        }
      } catch (error) {
        result.problem = error.message;
      }
    }
    ++rounds;
    const now = performance.now();
    if (now - begin + (now - began) > options.bound * 1000) break;
  }
  return {
    workload: name,
    rounds,
    results: results.map(({ contender, figures, problem }) => ({
      id: contender.id,
      label: contender.label,
      sandbox: contender.sandbox,
      // Of a wrong answer no time is told.
      figures: problem ? [] : [...figures.values()],
      problem,
    })),
  };
}
