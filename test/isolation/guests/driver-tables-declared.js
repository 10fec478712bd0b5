// A table that was declared inside of a call.
import { describeSchema, Table } from "schemascript";
export const first = () => {
  Table("late", (prop) => ({ id: prop.integer().identifier() }));
};
export const second = () => (JSON.stringify(describeSchema()).includes("late") ? ["late"] : []);
