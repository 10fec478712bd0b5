// Attack: a million proxies around each other, and one access through all of them.
// Ends: call threw InternalError: stack overflow
// Ends: call threw RangeError: stack
// Ends: call memory
export const attack = () => {
  let proxy = {};
  for (let i = 0; i < 300_000; ++i) proxy = new Proxy(proxy, {});
  return proxy.x;
};
