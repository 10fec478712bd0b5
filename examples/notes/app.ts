// A small application over the tables of schema.ts. It begins anew each time, so that it prints the same at every run:
//
//     schemascript run examples/notes/app.ts --db notes.db --push
import { count, desc, eq, sql } from "drizzle-orm";
import { database, UniqueViolation } from "schemascript";
import { notes, noteTags, tags, users } from "./schema";

const db = database({ users, notes, tags, noteTags });

for (const table of [noteTags, notes, tags, users]) await db.delete(table);

// Inserts. What has a default may be left out; what is not optional may not, or this file would not type-check.
const [ada, bob] = await db
  .insert(users)
  .values([
    {
      name: "Ada",
      email: "ada@example.org",
      role: "admin",
      avatar: new Uint8Array([137, 80, 78, 71]),
    },
    { name: "Bob", email: "bob@example.org" },
  ])
  .returning();
if (!ada || !bob) throw new Error("two users were inserted");

const written = await db
  .insert(notes)
  .values([
    {
      authorId: ada.id,
      title: "On engines",
      body: "It might act upon other things besides number.",
      rating: 4.5,
    },
    { authorId: ada.id, title: "Bernoulli numbers", views: 9_007_199_254_740_993n },
    {
      authorId: bob.id,
      title: "Shopping",
      body: "Milk, bread, NUL: \u0000, snowman: ☃",
      rating: 2.25,
    },
  ])
  .returning({ id: notes.id });

const labels = await db
  .insert(tags)
  .values([{ label: "history" }, { label: "mathematics" }, { label: "home" }])
  .returning();

await db.insert(noteTags).values(
  [
    [0, 0],
    [0, 1],
    [1, 1],
    [2, 2],
  ].map(([note, tag]) => ({ noteId: written[note!]!.id, tagId: labels[tag!]!.id })),
);

// A join through the table in between.
console.log("Notes and their tags");
console.table(
  await db
    .select({
      author: users.name,
      title: notes.title,
      tags: sql<string>`group_concat(${tags.label}, ', ')`,
    })
    .from(notes)
    .innerJoin(users, eq(users.id, notes.authorId))
    .innerJoin(noteTags, eq(noteTags.noteId, notes.id))
    .innerJoin(tags, eq(tags.id, noteTags.tagId))
    .groupBy(notes.id)
    .orderBy(notes.id),
);

// An aggregate.
console.log("What each has written");
console.table(
  await db
    .select({
      name: users.name,
      role: users.role,
      notes: count(notes.id),
      best: sql<number>`max(${notes.rating})`,
    })
    .from(users)
    .leftJoin(notes, eq(notes.authorId, users.id))
    .groupBy(users.id)
    .orderBy(desc(count(notes.id))),
);

// A transaction that fails half-way leaves nothing behind.
try {
  await db.transaction(async (tx) => {
    await tx.insert(notes).values({ authorId: bob.id, title: "Never to be seen" });
    await tx.insert(users).values({ name: "Another Ada", email: "ada@example.org" });
  });
} catch (error) {
  if (!(error instanceof UniqueViolation)) throw error;
  console.log(`Rolled back: ${error.message}`);
}
console.log(`Notes after it: ${await db.$count(notes)}`);

// Bytes and 64-bit integers arrive as they were stored.
const portrait = await db
  .select({ avatar: users.avatar })
  .from(users)
  .where(eq(users.id, ada.id))
  .get();
console.log("Ada's avatar:", portrait?.avatar);
const popular = await db.query.notes.findFirst({ orderBy: desc(notes.views) });
console.log(`Most viewed: ${popular?.title}, ${popular?.views} times`);
