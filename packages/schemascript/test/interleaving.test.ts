// Transactions, savepoints, batches and queries at random, all at once: everything settles, what is
// together stays together, and nothing is left open. SEED=n repeats a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eq, sql } from "drizzle-orm";
import { schemaStatements, Table, type Database, type Transaction } from "schemascript";
import { databaseOver, pendingHint } from "schemascript/internal";
import { TestHost } from "./support.js";

const counters = Table("counters", (prop) => ({
  id: prop.integer().identifier(),
  n: prop.integer(),
}));

const ROUNDS = 25;
const TASKS = 30;
const DEPTH_MAX = 3;

// xorshift32 (Marsaglia, 2003).
function randomOf(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const GIVEN_UP = new Error("given up");

class Run {
  readonly host = new TestHost();
  readonly db: Database = databaseOver(this.host.call)();
  /** What both counters must be at the end. */
  added = 0;
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    for (const statement of schemaStatements([counters])) this.host.sqlite.run(statement);
    this.host.sqlite.run("INSERT INTO counters VALUES (1, 0), (2, 0)");
  }

  #increment(on: Pick<Database, "update">, id: number) {
    return on
      .update(counters)
      .set({ n: sql`n + 1` })
      .where(eq(counters.id, id));
  }

  async #pause(): Promise<void> {
    const kind = this.#random(4);
    if (kind === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    if (kind === 1) await null;
  }

  /** One of the things that a program does outside of transactions. */
  async task(): Promise<void> {
    await this.#pause();
    switch (this.#random(5)) {
      case 0:
        await this.db.batch([this.#increment(this.db, 1), this.#increment(this.db, 2)]);
        this.added++;
        return;
      case 1:
        assert.equal((await this.db.select().from(counters)).length, 2);
        return;
      case 2:
        for await (const row of this.db.iterate(this.db.select().from(counters))) {
          await this.#pause();
          if (row.id === 1 && this.#random(2) === 0) break;
        }
        return;
      default: {
        const behavior = this.#random(2) === 0 ? "deferred" : "immediate";
        const added = await this.#unlessGivenUp(
          this.db.transaction((tx) => this.#body(tx, DEPTH_MAX), { behavior }),
        );
        this.added += added;
      }
    }
  }

  // Both counters, in a transaction and in savepoints of it; some of it is given up. Answers how
  // often both were counted.
  async #body(tx: Transaction, depth: number): Promise<number> {
    let added = 0;
    for (let step = this.#random(4); step > 0; step--) {
      await this.#pause();
      if (depth > 0 && this.#random(3) === 0) {
        added += await this.#unlessGivenUp(tx.transaction((inner) => this.#body(inner, depth - 1)));
        continue;
      }
      const first = this.#increment(tx, 1).execute();
      if (this.#random(2) === 0) await first;
      await this.#pause();
      await this.#increment(tx, 2);
      await first;
      added++;
    }
    if (this.#random(4) === 0) throw GIVEN_UP;
    return added;
  }

  async #unlessGivenUp(work: Promise<number>): Promise<number> {
    try {
      return await work;
    } catch (error) {
      if (error === GIVEN_UP) return 0;
      throw error;
    }
  }
}

test("what runs at once settles, and each transaction is done or undone", async () => {
  const start = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  for (let round = 0; round < ROUNDS; round++) {
    const seed = start + round;
    const run = new Run(seed);
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`SEED=${seed} is stuck: ${pendingHint()}`)),
        20_000,
      );
    });
    const tasks = Promise.all(Array.from({ length: TASKS }, () => run.task()));
    await Promise.race([tasks, stuck]).finally(() => clearTimeout(timer));
    const rows = run.host.sqlite.exec("SELECT n FROM counters ORDER BY id")[0]?.values;
    assert.deepEqual(rows, [[run.added], [run.added]], `SEED=${seed}`);
    assert.equal(run.host.openCursors, 0, `SEED=${seed}`);
    assert.equal(run.host.openTransactions, 0, `SEED=${seed}`);
    assert.equal(pendingHint(), undefined, `SEED=${seed}`);
  }
});
