// Makes the table that node bench/serve.mjs asks for, and the users in it.
import { sql } from "drizzle-orm";
import { database, Table } from "schemascript";

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  email: prop.text(),
  createdAt: prop.datetime("created_at"),
}));
await database().run(sql`
  insert into ${users} (id, name, email, created_at)
  with recursive ids(id) as (select 1 union all select id + 1 from ids where id < 100000)
  select id, format('name %07d', id), format('user-%07d@example.com', id), 1700000000000 + id * 1000 from ids`);
