// The schema's tables and columns.
import { Table } from "schemascript";
const things = Table("things", (prop) => ({ id: prop.integer().identifier(), name: prop.text() }));
export const first = (secret) => {
  things.left = secret;
  things.name.left = secret;
  Object.getPrototypeOf(things.name).mapFromDriverValue = () => secret;
};
export const second = () => [things.left, things.name.left].filter((found) => found !== undefined);
