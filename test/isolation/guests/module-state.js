// The module's own variables.
let count = 0;
let kept;
export let exported = 0;
export const first = (secret) => {
  ++count;
  ++exported;
  kept = secret;
};
export const second = () => [count, exported, kept].filter(Boolean);
