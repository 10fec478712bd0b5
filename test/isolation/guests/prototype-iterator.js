// What `for ... of` and destructuring call.
const array = Array.prototype[Symbol.iterator];
const iterator = Object.getPrototypeOf([][Symbol.iterator]());
const { next } = iterator;
export const first = (secret) => {
  iterator.next = () => ({ done: false, value: secret });
  Array.prototype[Symbol.iterator] = function* () {
    yield secret;
  };
  String.prototype[Symbol.iterator] = function* () {
    yield secret;
  };
};
export const second = () => {
  const found = [];
  if (iterator.next !== next || Array.prototype[Symbol.iterator] !== array) found.push("array");
  if (Array.from("ab").length !== 2) found.push("string");
  return found;
};
