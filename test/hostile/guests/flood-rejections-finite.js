// Attack: a hundred thousand rejections that nobody handles, then half of them handled late.
// Ends: call threw
export const attack = () => {
  const all = [];
  for (let i = 0; i < 10_000; ++i) all.push(Promise.reject(i));
  for (let i = 0; i < 5_000; ++i) all[i].catch(() => {});
};
