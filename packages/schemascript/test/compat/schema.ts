// What the tools are shown: every type, and what tables can say.
import { Schema, Table, value } from "schemascript";
import { sql } from "drizzle-orm";

export const Users = Schema("users", (prop) => ({
  id: prop.integer().identifier({ autoIncrement: true }),
  name: prop.text().min(1).max(80),
  email: prop.text("email_address").unique().optional(),
  role: prop.enum({ options: ["admin", "user"] }).default("user"),
  level: prop.enum({ options: { low: 1, high: 2 } }).optional(),
  big: prop.integer({ mode: "bigint" }).optional(),
  score: prop.real().default(0.5).index(),
  active: prop.boolean().default(true),
  avatar: prop.blob().optional(),
  at: prop.datetime().default(value.now()),
  extra: prop.node<{ readonly a: readonly number[] }>().optional(),
  tags: prop.text().array().default([]),
  point: prop
    .custom<readonly [number, number]>("point", {
      storage: "text",
      toDriver: ([x, y]) => `${x} ${y}`,
      fromDriver: (stored) => stored.split(" ").map(Number) as [number, number],
    })
    .optional(),
  shout: prop.text().generated(sql`upper("name")`, { stored: true }),
}));
export const users = Table(Users);

export const posts = Table("posts", (prop) => ({
  id: prop.integer().identifier(),
  authorId: prop.integer("author_id").references(() => Users.id, { onDelete: "cascade" }),
  parentId: prop
    .integer()
    .optional()
    .references(() => posts.id, { onDelete: "set null" }),
  title: prop.text().index(),
}));

export const votes = Table(
  "votes",
  (prop) => ({ postId: prop.integer().references(() => posts.id), userId: prop.integer() }),
  { identifier: ["postId", "userId"] },
);
