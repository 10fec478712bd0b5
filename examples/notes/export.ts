// Every note as a line of JSON, however many there are: rows are read in pieces while they are printed.
//
//     schemascript run examples/notes/export.ts --db notes.db > notes.jsonl
import { asc, eq } from "drizzle-orm";
import { database } from "schemascript";
import { notes, users } from "./schema";

const db = database();
const written = db
  .select({ author: users.name, title: notes.title, body: notes.body, views: notes.views })
  .from(notes)
  .innerJoin(users, eq(users.id, notes.authorId))
  .orderBy(asc(notes.id));

for await (const note of db.iterate(written)) {
  console.log(JSON.stringify({ ...note, views: String(note.views) }));
}
