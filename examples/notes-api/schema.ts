// The tables of the notes service. A note that was deleted stays in the trash until the nightly clean-up.
import { sql } from "drizzle-orm";
import { Table, value } from "schemascript";

export const notes = Table(
  "notes",
  (prop) => ({
    // No number is given twice: an old link never shows another note.
    id: prop.integer().identifier({ autoIncrement: true }),
    title: prop.text().min(1).max(200),
    body: prop.text().max(100_000).default(""),
    pinned: prop.boolean().default(false),
    version: prop.integer().default(1).describe("Grows with each change; the note's ETag"),
    createdAt: prop.datetime().default(value.now()),
    updatedAt: prop.datetime().default(value.now()),
    deletedAt: prop.datetime().optional().describe("In the trash since then"),
  }),
  (columns) => ({
    search: ["title", "body"],
    // Each list is read from its index, from where the last page ended.
    indexes: [
      {
        name: "notes_listed",
        on: ["pinned", "updatedAt", "id"],
        where: sql`${columns.deletedAt} IS NULL`,
      },
      {
        name: "notes_trashed",
        on: ["pinned", "updatedAt", "id"],
        where: sql`${columns.deletedAt} IS NOT NULL`,
      },
    ],
  }),
);

export const tags = Table("tags", (prop) => ({
  id: prop.integer().identifier(),
  name: prop
    .text()
    .min(1)
    .max(40)
    .pattern(/^[a-z0-9-]+$/)
    .unique(),
}));

export const noteTags = Table(
  "note_tags",
  (prop) => ({
    noteId: prop.integer().references(() => notes.id, { onDelete: "cascade" }),
    tagId: prop
      .integer()
      .references(() => tags.id, { onDelete: "cascade" })
      .index(),
  }),
  { identifier: ["noteId", "tagId"], withoutRowid: true },
);
