// Weak collections with keys that live on.
const key = {};
const map = new WeakMap();
const set = new WeakSet();
export const first = (secret) => {
  map.set(key, secret);
  map.set(Object.prototype, secret);
  set.add(key);
};
export const second = () =>
  [map.get(key), map.get(Object.prototype), set.has(key) ? "set" : undefined].filter(
    (found) => found !== undefined,
  );
