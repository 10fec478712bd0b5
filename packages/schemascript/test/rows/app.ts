// The comparison inside of the sandbox, over the host itself: test/rows.test.mjs of the repository
// runs it.
import { database, schemaStatements } from "schemascript";
import { compare } from "./compare.js";
import { declared } from "./tables.js";

declare function __host_sqlite_call(payload: string): string;
declare const console: { log(...values: unknown[]): void };

for (const statement of schemaStatements(declared)) await database().run(statement);
const seeds = Array.from({ length: 1000 }, (_, index) => 5000 + index);
const { count, differences } = await compare(__host_sqlite_call, database, seeds);
for (const difference of differences) console.log(difference);
console.log(`${count} queries, ${differences.length} differences`);
