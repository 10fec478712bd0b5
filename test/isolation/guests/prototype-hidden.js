// Prototypes without a name: generators, async generators, iterators' helpers.
const hidden = [
  Object.getPrototypeOf(function* () {}).prototype,
  Object.getPrototypeOf(async function* () {}).prototype,
  Object.getPrototypeOf(async () => {}),
  Object.getPrototypeOf(new Map().entries()),
  Object.getPrototypeOf("".matchAll(/a/g)),
];
export const first = (secret) => {
  for (const one of hidden) one.left = secret;
};
export const second = () => hidden.map((one) => one.left).filter((found) => found !== undefined);
