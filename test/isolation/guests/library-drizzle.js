// The same of drizzle-orm.
import * as library from "drizzle-orm";
const names = Object.keys(library).filter((name) =>
  /^(object|function)$/.test(typeof library[name]),
);
export const first = (secret) => {
  for (const name of names) {
    library[name].left = secret;
    if (library[name].prototype) library[name].prototype.left = secret;
  }
  library.SQL.prototype.getSQL = () => secret;
};
export const second = () =>
  names.filter(
    (name) => library[name].left !== undefined || library[name].prototype?.left !== undefined,
  );
