import { Schema, type SchemaBuilder, Table } from "./data/core";

const users: SchemaBuilder = (prop) => ({
  id: prop.integer("id").identifier(),
  name: prop.text("name"),
  avatar: prop.blob("avatar").optional(),
});

const usersSchema = Schema("users", users);
const usersTable = Table("users", users);
