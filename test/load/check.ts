// Prints what a database holds after a run, as JSON: ranges of the entries' numbers, and whatever should not be.
//     schemascript run check.ts --db FILE -- NAME
import { asc, sql } from "drizzle-orm";
import { args, database } from "schemascript";
import { entries, totals } from "./tables";
import { valueOf } from "./value.mjs";

const [name = ""] = args;
const db = database();
const [[integrity]] = (await db.values(
  sql`select integrity_check from pragma_integrity_check`,
)) as [[string]];
const total = await db.select().from(totals).get();

const ranges: [first: number, last: number][] = [];
const twice: number[] = [];
const wrong: number[] = [];
let rows = 0;
for await (const { number, value } of db.iterate(
  db.select().from(entries).orderBy(asc(entries.number)),
)) {
  ++rows;
  if (value !== valueOf(name, number)) wrong.push(number);
  const range = ranges.at(-1);
  if (range?.[1] === number) twice.push(number);
  else if (range?.[1] === number - 1) range[1] = number;
  else ranges.push([number, number]);
}
console.log(
  JSON.stringify({ integrity, rows, counted: total?.entries ?? 0, ranges, twice, wrong }),
);
