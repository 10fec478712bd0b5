// Attack: a million prototypes in a chain, and a loop of them through a proxy.
// Limits: runTimeMax=1000
// Ends: call threw InternalError
// Ends: call threw RangeError: stack
// Ends: call time
// Ends: call memory
export const attack = () => {
  let object = {};
  for (let i = 0; i < 200_000; ++i) object = Object.create(object);
  let found = 0;
  for (let i = 0; i < 100; ++i) found += "missing" in object ? 1 : 0;
  const loop = Object.create(new Proxy({}, { get: (t, k) => loop[k] }));
  return found + loop.missing;
};
