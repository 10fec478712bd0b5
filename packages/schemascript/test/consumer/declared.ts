// A library that exports what it made with the language: its declarations can be written, because every type that
// they name is exported.
import { database, Schema, search, Table, value, View, type FieldBuilder } from "schemascript";

export const Users = Schema("users", (prop) => ({
  id: prop.integer().identifier(),
  role: prop.enum({ options: ["a", "b"] }).default("a"),
  email: prop.text("e_mail").optional().unique(),
}));
export const users = Table(Users);
export const stamps = (prop: FieldBuilder) => ({
  at: prop.datetime().default(value.now()),
  date: prop.custom<Date>("date"),
  level: prop.enum({ options: { low: 1 } }),
});
export const posts = Table("posts", (prop) => ({ id: prop.text().identifier(), ...stamps(prop) }));
export const db = database({ users, posts });
export const allPosts = () => db.select().from(posts);
export const folders = Table(
  "folders",
  (prop) => ({
    id: prop.integer().identifier(),
    parentId: prop
      .integer()
      .optional()
      .references(() => folders.id, { name: "parent", inverse: "children" }),
    names: prop.text().array().min(1),
    title: prop.text().generated(() => value.sql`lower(${folders.id})`),
  }),
  { search: ["title"], unique: [["parentId", "title"]] },
);
export const roots = View("roots", (query) => query.select({ id: folders.id }).from(folders));
export const tree = database({ folders });
export const childrenOf = () => tree.query.folders.findMany({ with: { children: true } });
export const foldersAbout = (words: string) => search(folders, words);
