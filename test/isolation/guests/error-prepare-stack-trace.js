// The hook that makes stacks.
export const first = (secret) => {
  Error.prepareStackTrace = () => secret;
  return String(new Error().stack).length;
};
export const second = () =>
  [
    typeof Error.prepareStackTrace === "function" ? "hook" : undefined,
    new Error("x").stack.includes("second") ? undefined : new Error("x").stack,
  ].filter((found) => found !== undefined);
