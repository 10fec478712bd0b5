// The table of the short links.
import { Table, value } from "schemascript";

export const links = Table("links", (prop) => ({
  id: prop.integer().identifier(),
  slug: prop
    .text()
    .min(2)
    .max(40)
    .pattern(/^[a-z0-9-]+$/)
    .unique(),
  url: prop
    .text()
    .max(2000)
    .pattern(/^https?:\/\/\S+$/),
  visits: prop.integer().default(0),
  createdAt: prop.datetime().default(value.now()),
}));
