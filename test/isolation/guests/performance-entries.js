// Marks and measures.
export const first = (secret) => {
  performance.mark?.(secret);
  performance.left = secret;
};
export const second = () =>
  [...(performance.getEntries?.() ?? []), performance.left].filter((found) => found !== undefined);
