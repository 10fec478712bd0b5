// Attack: a proxy that is its own prototype's handler, in every trap.
// Ends: call answered 13
const traps = [
  "get",
  "set",
  "has",
  "deleteProperty",
  "ownKeys",
  "getOwnPropertyDescriptor",
  "defineProperty",
  "getPrototypeOf",
  "setPrototypeOf",
  "isExtensible",
  "preventExtensions",
  "apply",
  "construct",
];
const uses = {
  get: (p) => p.x,
  set: (p) => (p.x = 1),
  has: (p) => "x" in p,
  deleteProperty: (p) => delete p.x,
  ownKeys: (p) => Object.keys(p),
  getOwnPropertyDescriptor: (p) => Object.getOwnPropertyDescriptor(p, "x"),
  defineProperty: (p) => Object.defineProperty(p, "x", { value: 1 }),
  getPrototypeOf: (p) => p instanceof Array,
  setPrototypeOf: (p) => Object.setPrototypeOf(p, null),
  isExtensible: (p) => Object.isExtensible(p),
  preventExtensions: (p) => Object.preventExtensions(p),
  apply: (p) => p(),
  construct: (p) => new p(),
};
export const attack = () => {
  let overflows = 0;
  for (const trap of traps) {
    const proxy = new Proxy(function () {}, { [trap]: () => uses[trap](proxy) });
    try {
      uses[trap](proxy);
    } catch (error) {
      if (/stack/.test(error.message)) ++overflows;
    }
  }
  return overflows;
};
