// ends: NeverSettles
// A call that waited for nothing.
let kept;
export const first = async (secret) => {
  kept = secret;
  await new Promise(() => {});
};
export const second = () => [kept].filter((found) => found !== undefined);
