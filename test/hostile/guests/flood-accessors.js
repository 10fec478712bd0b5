// Attack: a Map, a Set, a WeakMap and a list of WeakRefs that only grow.
// Limits: heapBytesMax=16000000
// Ends: call memory
export const attack = () => {
  const map = new Map();
  const set = new Set();
  const weak = new WeakMap();
  const keys = [];
  for (let i = 0; ; ++i) {
    const key = {};
    keys.push(key);
    map.set(key, i);
    set.add(key);
    weak.set(key, key);
  }
};
