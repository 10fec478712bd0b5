// Collections that the module made.
const list = [];
const map = new Map();
const set = new Set();
const object = {};
const bytes = new Uint8Array(64);
export const first = (secret) => {
  list.push(secret);
  map.set(secret, secret);
  set.add(secret);
  object[secret] = secret;
  new TextEncoder().encodeInto(secret, bytes);
};
export const second = () => [
  ...list,
  ...map.keys(),
  ...set,
  ...Object.keys(object),
  ...bytes.filter(Boolean),
];
