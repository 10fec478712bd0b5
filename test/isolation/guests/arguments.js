// The arguments of the app.
import { args } from "schemascript";
export const first = (secret) => {
  try {
    args.push(secret);
  } catch {
    globalThis.left = secret;
  }
};
export const second = () => [...args, globalThis.left].filter((found) => found !== undefined);
