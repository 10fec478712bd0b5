// The tables of the notes example: people, their notes, and tags that are shared between notes.
import { Table, value } from "schemascript";

export const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  email: prop.text().unique(),
  role: prop.enum({ options: ["admin", "member"] }).default("member"),
  avatar: prop.blob().optional(),
  createdAt: prop.integer().default(value.now()),
}));

export const notes = Table("notes", (prop) => ({
  id: prop.integer().identifier(),
  authorId: prop.integer().references(() => users.id, { onDelete: "cascade" }),
  title: prop.text(),
  body: prop.text().optional(),
  rating: prop.real().default(0),
  views: prop.integer({ mode: "bigint" }).default(0n),
}));

export const tags = Table("tags", (prop) => ({
  id: prop.integer().identifier(),
  label: prop.text().unique(),
}));

export const noteTags = Table("note_tags", (prop) => ({
  noteId: prop.integer().references(() => notes.id, { onDelete: "cascade" }),
  tagId: prop.integer().references(() => tags.id, { onDelete: "cascade" }),
}));
