// The classes and functions of the built-in module, whose namespace itself nobody can change.
import * as library from "schemascript";
const all = Object.values(library)
  .flatMap((one) => [one, one?.prototype])
  .filter((one) => /^(object|function)$/.test(typeof one) && one && Object.isExtensible(one));
export const first = (secret) => {
  for (const one of all) one.left = secret;
  return all.length;
};
export const second = () => all.filter((one) => one.left !== undefined).map(() => "left");
