// What the app under load stores: entries, each with a number that the driver gives once, and how many of them there should be.
import { Table } from "schemascript";

export const entries = Table("entries", (prop) => ({
  id: prop.integer().identifier(),
  // Not unique: an entry that was written twice is to be found, not refused.
  number: prop.integer().index(),
  value: prop.text(),
}));
export const totals = Table("totals", (prop) => ({
  id: prop.integer().identifier(),
  entries: prop.integer(),
}));
