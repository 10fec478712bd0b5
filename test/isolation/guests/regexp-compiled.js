// A regular expression that was compiled anew.
const pattern = /a/;
export const first = (secret) => {
  pattern.compile?.(secret);
  pattern.left = secret;
};
export const second = () =>
  [pattern.left, pattern.source === "a" ? undefined : pattern.source].filter(
    (found) => found !== undefined,
  );
