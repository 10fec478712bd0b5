import { Schema, Table } from "schemascript";

const Users = Schema("users", (prop) => ({
  id: prop.integer().identifier(),
}));

// The sample:
const Posts = Table("posts", (prop) => ({
  id: prop.integer().identifier(),
  authorId: prop.integer().references(() => Users.id),
}));
