import { Table } from "schemascript";

export const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text(),
  email: prop.text(),
  createdAt: prop.datetime("created_at"),
}));
export const blobs = Table("blobs", (prop) => ({
  id: prop.integer().identifier(),
  content: prop.blob(),
}));
export const notes = Table("notes", (prop) => ({
  id: prop.integer().identifier(),
  text: prop.text(),
  userId: prop.integer("user_id"),
}));
