// Fills the database that all sides read.
import { sql } from "drizzle-orm";
import { database } from "schemascript";
import { blobs, notes, users } from "./tables.js";

// Pushed with the others.
void notes;
const db = database();
await db.run(sql`
  insert into ${users} (id, name, email, created_at)
  with recursive ids(id) as (select 1 union all select id + 1 from ids where id < 100000)
  select id, format('name %07d', id), format('user-%07d@example.com', id), 1700000000000 + id * 1000 from ids`);
await db.run(sql`insert into ${blobs} (id, content) values (1, randomblob(1048576))`);
