// The table of the tasks.
import { Table, value } from "schemascript";

export const tasks = Table("tasks", (prop) => ({
  id: prop.integer().identifier(),
  title: prop.text().min(1).max(120).unique(),
  done: prop.boolean().default(false),
  createdAt: prop.datetime().default(value.now()),
}));
