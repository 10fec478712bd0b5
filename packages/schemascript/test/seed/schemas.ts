import { Schema, value } from "schemascript";

const Users = Schema("users", (prop) => ({
  id: prop.integer().identifier(),
  username: prop.text().unique(),
  email: prop.text().optional(),
  createdAt: prop.integer().default(value.now()),
}));
