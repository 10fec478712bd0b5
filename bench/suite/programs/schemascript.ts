// schemascript run schemascript.ts -- ROLE [ARGUMENT]
import { args, database } from "schemascript";
import { sql } from "drizzle-orm";
import { play } from "../roles.mjs";
import { blobs, posts, users } from "../schema.mjs";

const db = database({ blobs, posts, users });

const runtime = {
  db,
  async: true,
  now: () => performance.now(),
  transaction: (work: (tx: unknown) => Promise<unknown>) => db.transaction(work),
  integers: {
    "as it comes": async (text: string) => (await db.values<[bigint]>(sql.raw(text)))[0]![0],
  },
};

await play(args, { open: () => runtime, print: (text: string) => console.log(text) });
