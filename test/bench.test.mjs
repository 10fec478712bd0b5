// The comparison with other runtimes, bench/run: that it takes turns, trusts no answer, says who is missing, and what it writes.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/bench.test.mjs
//
// SchemaScript alone is really measured, which needs nothing from npm. No figure is judged.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { contenders } from "../bench/suite/contenders.mjs";
import { cases } from "../bench/suite/javascript.mjs";
import { microsecondsOf } from "../bench/suite/measure.mjs";
import { figuresIn } from "../bench/suite/processes.mjs";
import { chartOf, problemsOf, shown, tableOf } from "../bench/suite/report.mjs";
import { bundleOf, countsOf, fuelOf, withFolder } from "../bench/layers.mjs";
import { readWrk, runWorkload } from "../bench/suite/suite.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(
  process.env.SCHEMASCRIPT_PROGRAM ?? join(here, "../build/bin/schemascript"),
);
const build = dirname(dirname(program));
const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const bench = (...words) =>
  spawnSync(join(here, "../bench/run"), words, { encoding: "utf8", timeout: 120_000 });

/** A contender whose `bench` answers figures, or throws. */
const fake = (id, asked, figures) => ({
  id,
  label: `the ${id}`,
  sandbox: "none",
  bench: async (workload) => {
    asked.push(id);
    if (figures instanceof Error) throw figures;
    return Object.entries(figures);
  },
});
const quiet = { rounds: 3, bound: 60, seconds: 1, place: {}, say() {} };

test("contenders take turns, and another one begins each time", async () => {
  const asked = [];
  const run = await runWorkload(
    "select",
    [fake("a", asked, { raw: 1 }), fake("b", asked, { raw: 2 }), fake("c", asked, { raw: 3 })],
    quiet,
  );
  assert.equal(asked.join(""), "abcbcacab");
  assert.equal(run.rounds, 3);
  assert.deepEqual(
    run.results.map(({ figures }) => figures[0].values),
    [
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ],
  );
});

test("a wrong answer has no time, and is not asked again", async () => {
  const asked = [];
  const run = await runWorkload(
    "select",
    [fake("a", asked, { raw: 1 }), fake("b", asked, new Error("wrong answer: a row"))],
    quiet,
  );
  assert.equal(asked.join(""), "abaa");
  assert.deepEqual(run.results[1].figures, []);
  assert.deepEqual(problemsOf(run), ["failed: the b: wrong answer: a row"]);
  assert.doesNotMatch(tableOf(run), /the b/);
});

test("no round begins that would end behind the bound, and who has not a workload is not asked", async () => {
  const asked = [];
  const slow = fake("slow", asked, { raw: 1 });
  const before = slow.bench;
  slow.bench = async (workload) => {
    await new Promise((done) => setTimeout(done, 60));
    return before(workload);
  };
  const run = await runWorkload(
    "select",
    [
      slow,
      { ...fake("engine", asked, { fib: 1 }), workloads: ["javascript"] },
      { id: "none", label: "none" },
    ],
    { ...quiet, rounds: 100, bound: 0.1 },
  );
  assert.equal(run.rounds, 1);
  assert.deepEqual(asked, ["slow"]);
});

test("a contender that is not there says what it lacks", () => {
  const place = { folder, seed: join(folder, "seed.db"), missing: () => undefined };
  const known = contenders(place, { program: join(folder, "nothing"), build: folder });
  const why = Object.fromEntries(known.map((contender) => [contender.id, contender.find()]));
  assert.match(why.schemascript, /^there is no .*nothing; run: make$/);
  assert.equal(why["bun-raw"], "there is no bun.exe for this machine");
  assert.equal(why["workerd-drizzle"], "there is no workerd for this machine");
  const failing = { ...place, missing: (part) => `no ${part}` };
  const others = contenders(failing, { program, build });
  assert.equal(others.find(({ id }) => id === "node-raw").find(), "no packages");
  assert.equal(others.find(({ id }) => id === "c").find(), "no sqlite");
  assert.equal(new Set(known.map(({ id }) => id)).size, known.length);
});

test("figures are shown in units that people read", () => {
  assert.equal(shown(7.9342, "us"), "7.93 µs");
  assert.equal(shown(1234.5, "us"), "1,235 µs");
  assert.equal(shown(24_460, "us"), "24.5 ms");
  assert.equal(shown(5247, "/s"), "5,247/s");
  assert.equal(shown(0.1823, "MB"), "0.182 MB");
  assert.equal(shown("exact", ""), "exact");
});

const RUN = {
  workload: "select",
  rounds: 3,
  results: [
    {
      id: "schemascript",
      label: "SchemaScript",
      figures: [{ name: "raw", unit: "us", values: [3, 1, 2] }],
    },
    {
      id: "b",
      label: "B & <C>",
      figures: [
        { name: "raw", unit: "us", values: [4, 4, 4] },
        { name: "exact", unit: "", values: ["yes"] },
      ],
    },
  ],
};

test("a table has a column for each figure, and medians", () => {
  assert.equal(
    tableOf(RUN),
    `|              |     raw | exact |
| ------------ | ------: | ----: |
| SchemaScript | 2.00 µs |       |
| B & <C>      | 4.00 µs |   yes |`,
  );
});

test("a chart has a bar for each time, and no text that is markup", () => {
  const chart = chartOf(RUN, "select & more");
  assert.equal(chart.match(/<rect class="(ours|bar)"/g).length, 2);
  assert.match(chart, /<title>select &amp; more<\/title>/);
  assert.match(chart, />B &amp; &lt;C&gt;</);
  assert.match(chart, /less is better/);
  // The longer bar is the whole width, ours half of it.
  assert.match(chart, /class="ours" x="300" y="\d+" width="230\.0"/);
  assert.match(chart, /class="bar" x="300" y="\d+" width="460\.0"/);
});

test("what wrk says is read, and refused requests are no figures", () => {
  const said = `  Latency Distribution
     50%    12.10ms
     75%    13.00ms
     90%    14.00ms
     99%    1.50s
Requests/sec:   5247.12
`;
  assert.deepEqual(readWrk(said), { perSecond: 5247.12, p50: 12.1, p99: 1500 });
  assert.throws(() => readWrk(`${said}  Non-2xx or 3xx responses: 7\n`), /7 requests were refused/);
});

test("a program that prints no figures has failed", () => {
  assert.deepEqual(figuresIn('noise\n@@ {"name":"a","figure":1.5}\n'), [["a", 1.5]]);
  assert.throws(() => figuresIn("nothing"), /it printed no figures/);
});

test("a figure is the median of batches, and of a coarse clock the mean", async () => {
  // Each call takes 1 ms; every tenth takes 11.
  let time = 0;
  let calls = 0;
  const work = () => (time += ++calls % 10 === 0 ? 11 : 1);
  const clock = { now: () => time };
  const once = { batch: 1, timesMax: 100, warm: 0 };
  assert.equal(await microsecondsOf(clock, work, once), 1000);
  calls = 0;
  assert.equal(await microsecondsOf({ ...clock, coarse: true }, work, once), 2000);
});

test("work for the engine alone gives the answers that it says", () => {
  for (const { name, work, answer } of cases()) assert.equal(work(), answer, name);
});

test("what is not known is refused with what there is", () => {
  for (const [words, message] of [
    [[], /name a workload: start, sandboxes, select/],
    [["nothing"], /there is no workload nothing: start,/],
    [["select", "nobody"], /there is no contender nobody: schemascript, c, node-raw/],
    [["select", "--rounds", "many"], /--rounds: 'many' is not a number that is at least 1/],
    [["select", "--fast"], /--fast/],
  ]) {
    const { status, stderr } = bench(...words);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
  assert.match(bench("list").stdout, /workloads:\n {2}start[^]*contenders:\n {2}schemascript/);
});

test("SchemaScript is measured, and what was found is written", { timeout: 120_000 }, () => {
  const output = join(folder, "out");
  for (const workload of ["select", "start", "values"]) {
    const words = ["--rounds", "1", "--build", build, "--output", output];
    const { status, stdout, stderr } = bench(workload, "schemascript", ...words);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /\| SchemaScript \|/);
  }
  assert.deepEqual(
    readdirSync(output).sort(),
    [
      "results.md",
      ...["select", "start", "values"].flatMap((name) => [`${name}.json`, `${name}.svg`]),
    ].sort(),
  );
  const select = JSON.parse(readFileSync(join(output, "select.json"), "utf8"));
  assert.deepEqual(
    select.results[0].figures.map(({ name, unit }) => [name, unit]),
    [
      ["prepared", "us"],
      ["built anew", "us"],
    ],
  );
  assert.ok(select.machine.processors > 0 && select.versions.schemascript);
  const { figures } = JSON.parse(readFileSync(join(output, "values.json"), "utf8")).results[0];
  assert.deepEqual(figures.find(({ name }) => name.startsWith("2^53")).values, ["exact"]);
});

const countable = spawnSync("valgrind", ["--version"]).status === 0;
const withoutValgrind = countable ? false : "valgrind is not installed";

test("a layer takes the same instructions each time", { skip: withoutValgrind }, () => {
  const layer = "a prepared get";
  const [one, other] = withFolder((bundles) => {
    const bundle = bundleOf(build, bundles);
    return [countsOf(build, bundle, layer), countsOf(build, bundle, layer)];
  });
  assert.deepEqual([...one.keys()], [layer]);
  assert.ok(one.get(layer).instructions > 1000);
  assert.equal(one.get(layer).fuel, other.get(layer).fuel);
  const ratio = one.get(layer).instructions / other.get(layer).instructions;
  assert.ok(Math.abs(ratio - 1) < 0.01, `${ratio}`);
});

// Fuel is the same on every machine. What takes less may lower these; what takes more has made guests slower.
const FUEL = {
  "a call that does nothing": 3,
  "a prepared get": 48,
  "a get that is built anew": 243,
  "10,000 rows": 40,
  "100 inserts in a transaction": 8280,
};

test("what the layers take of fuel is what it was", () => {
  const fuel = withFolder((bundles) => fuelOf(build, bundleOf(build, bundles)));
  for (const [layer, most] of Object.entries(FUEL)) {
    const used = fuel.get(layer);
    assert.ok(used > 0 && used <= most, `${layer}: ${used}, and not ${most}`);
  }
});

test("a profile names the guest's functions and the host's", { skip: withoutValgrind }, () => {
  const profile = spawnSync(
    join(here, "../bench/profile"),
    ["a call that does nothing", "60", build],
    { encoding: "utf8" },
  );
  assert.equal(profile.status, 0, profile.stderr);
  assert.match(profile.stdout, /^a call that does nothing: [\d,]+ instructions$/m);
  assert.match(profile.stdout, /JS_CallInternal \[guest\.so\]$/m);
  assert.match(profile.stdout, /schemascript::Isolate.*\[layers-bench\]$/m);
});

test("bench/compare tells what is wrong with how it is called", () => {
  const compare = (...words) =>
    spawnSync(join(here, "../bench/compare"), words, { encoding: "utf8" });
  for (const [words, message] of [
    [[], /name one revision\n\nUsage/],
    [["HEAD", "--bound", "0.5"], /--bound: '0.5' is below 1/],
    [["no-such-revision", "--build", build], /no-such-revision/],
    [["--before", folder, "--build", folder], /there is no .*layers-bench: make/],
  ]) {
    const { status, stderr } = compare(...words);
    assert.equal(status, 2, words.join(" "));
    assert.match(stderr, message);
  }
});
