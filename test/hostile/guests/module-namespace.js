// Attack: exports that are no functions, change while they are looked up, or answer themselves.
// Ends: call answered 1
export let attack = () => {
  attack = null;
  return 1;
};
export const proxy = new Proxy(() => {}, {
  get() {
    for (;;);
  },
  apply() {
    for (;;);
  },
});
export default new Proxy(
  {},
  {
    getOwnPropertyDescriptor() {
      for (;;);
    },
    get() {
      for (;;);
    },
  },
);
