// The tables that every contender queries, as bench/suite/seed.sql creates them.
import { blob, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const users = sqliteTable("users", {
  id: integer("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").unique(),
  createdAt: integer("created_at"),
});

export const posts = sqliteTable("posts", {
  id: integer("id").primaryKey(),
  authorId: integer("author_id").references(() => users.id),
  title: text("title"),
  body: text("body"),
});

export const blobs = sqliteTable("blobs", {
  id: integer("id").primaryKey(),
  data: blob("data", { mode: "buffer" }).notNull(),
});
